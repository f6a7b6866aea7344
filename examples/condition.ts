// A buffer with room for three: the producer waits while it is full, the consumers while it is empty.

import { Condition, Process, SharedArray, Value } from "@multiproc/multiprocessing";

interface Buffer {
  items: SharedArray<"i32">;
  count: Value<"i32">; // how many of them are there
  changed: Condition;
}

export async function produce({ items, count, changed }: Buffer) {
  for (let item = 1; item <= 10; item++) {
    using _held = await changed.hold();
    await changed.waitFor(() => count.value < items.length);
    items[count.value++] = item;
    console.log(`put ${item}: [${items.slice(0, count.value).join(" ")}]`);
    changed.notifyAll();
  }
}

export async function consume({ items, count, changed }: Buffer) {
  for (let i = 0; i < 5; i++) {
    using _held = await changed.hold();
    await changed.waitFor(() => count.value > 0);
    const item = items[0];
    items.copyWithin(0, 1, count.value--);
    console.log(`got ${item}: [${items.slice(0, count.value).join(" ")}]`);
    changed.notifyAll();
  }
}

if (import.meta.main) {
  const buffer: Buffer = {
    items: new SharedArray("i32", 3),
    count: new Value("i32"),
    changed: new Condition(),
  };
  const processes = [produce, consume, consume].map((target) =>
    new Process({ target, args: [buffer] })
  );
  for (const process of processes) process.start();
  for (const process of processes) await process.join();
  console.log("main");
}
