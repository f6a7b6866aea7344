/** What the workers of pool_bench.ts run. */
import { transfer } from "../mod.ts";

export function nothing(): void {}

export function echo<T>(value: T): T {
  return value;
}

export function square(n: number): number {
  return n * n;
}

/** Gives a buffer back moved, not copied. */
export function pass(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return transfer(bytes, [bytes.buffer]);
}

/** Computes for so many milliseconds. */
export function compute(ms: number): number {
  const end = performance.now() + ms;
  let steps = 0;
  while (performance.now() < end) steps++;
  return steps;
}

/** Computes for some 10 ms, the same steps at each call. */
export function steps(seed: number): number {
  let state = seed | 1;
  for (let step = 0; step < 12_000_000; step++) state = Math.imul(state, 1664525) + 1013904223 | 0;
  return state;
}

/** Writes the time, by the machine's clock, and ends its worker. */
export function crash(at: SharedArrayBuffer): void {
  new Float64Array(at)[0] = performance.timeOrigin + performance.now();
  Deno.exit(1);
}

export function hang(): void {
  while (true);
}
