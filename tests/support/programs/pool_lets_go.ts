// A pool keeps neither the arguments of its tasks nor their results alive, once they have an outcome; run with
// --expose-gc. Python's suite has it as test_release_task_refs.

import { Pool, sleep } from "@multiproc/multiprocessing";

const gc: () => void = Reflect.get(globalThis, "gc");

async function held(refs: WeakRef<object>[]): Promise<number> {
  let count = refs.length;
  for (let rounds = 0; rounds < 200 && count > 0; rounds++) {
    // In a job of its own: what was looked at stays until the end of the job.
    await sleep(1);
    gc();
    await sleep(1);
    count = refs.filter((ref) => ref.deref() !== undefined).length;
  }
  return count;
}

const lengthOf = (bytes: Uint8Array) => ({ length: bytes.length });
const refuse = (bytes: Uint8Array) => {
  throw new RangeError(`${bytes.length}`);
};

if (import.meta.main) {
  const pool = new Pool({ processes: 2, by: "source" });
  const given = await (async () => {
    const items = Array.from({ length: 20 }, () => new Uint8Array(1000));
    const results = await pool.map(lengthOf, items, { chunkSize: 4 });
    const streamed: object[] = [];
    for await (const result of pool.imap(lengthOf, items)) streamed.push(result);
    const single = await pool.apply(lengthOf, [items[0]]);
    const failed = await pool.map(refuse, items, { returnExceptions: true });
    const task = pool.submit(lengthOf, [items[1]]);
    await task;
    return [...items, ...results, ...streamed, single, ...failed, task].map((it) =>
      new WeakRef(it)
    );
  })();
  console.log(given.length, await held(given));
  console.log(pool.statistics().slowest.length);
  pool.close();
  await pool.join();
}
