// Targets for tests/transfer/transferable_test.ts.

import { Process, type Queue } from "../../../mod.ts";

/** Where this is, for `module`. */
export const here = import.meta.url;

/** The first of its arguments. */
export function giveFirst(first: unknown, _queue?: Queue): unknown {
  return first;
}

/** Something nested so deep. */
export function returnNested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

/** Returns an object with a getter that counts, perhaps beside what is handed over. */
export function returnCounting(counts: Int32Array, isWithMemory: boolean): unknown {
  return {
    get it() {
      return Atomics.add(counts, 0, 1);
    },
    memory: isWithMemory ? counts : undefined,
  };
}

/** Uses its end of a pipe no more, and makes so much garbage that V8 collects what nobody holds. */
export async function makeGarbage(_end: unknown, ready: Queue<string>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    new Array(100_000).fill(i);
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  await ready.put("ready");
  await new Promise(() => setInterval(() => {}, 1000));
}

/** A process that returns its fields. */
export class Fields extends Process<[], unknown> {
  direct: unknown;
  nested: unknown;
  constructor() {
    super({ module: import.meta.url });
  }
  override run(): unknown {
    return { direct: this.direct, nested: this.nested };
  }
}
