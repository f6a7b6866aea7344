/** The targets of scale_bench.ts, which its children import. */
import type { Queue } from "../mod.ts";

/** The URL of this module, for the option `module` of a Process. */
export const SCALE_TARGETS: string = import.meta.url;

/** The two queues of a transport: arrays one way, their lengths back. */
export interface Transport {
  arrays: Queue<Uint8Array<ArrayBuffer> | null>;
  lengths: Queue<number>;
}

/** Answers each array with its length, until it gets null. */
export async function weighArrays({ arrays, lengths }: Transport): Promise<void> {
  for (let array = await arrays.get(); array !== null; array = await arrays.get()) {
    await lengths.put(array.length);
  }
}

/** Sends `count` arrays of `length` bytes, each after the one before has arrived; ms for one. */
export async function sendArrays(
  { arrays, lengths }: Transport,
  length: number,
  count: number,
): Promise<number> {
  const array = new Uint8Array(length).fill(7);
  const send = async () => {
    await arrays.put(array);
    const told = await lengths.get();
    if (told !== length) throw new Error(`${told} bytes have arrived of ${length}.`);
  };
  for (let index = 0; index < Math.ceil(count / 4); index++) await send();
  const start = performance.now();
  for (let index = 0; index < count; index++) await send();
  return (performance.now() - start) / count;
}

/** Waits to be told to end. */
export async function rest(end: Queue<null>, ready: Queue<null>): Promise<void> {
  await ready.put(null);
  await end.get();
}
