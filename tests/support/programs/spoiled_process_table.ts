// A process writes into a word of the process table, which it shares if it inherits its rights, and stays. Other
// processes of main run and end meanwhile: main can be disturbed, but neither hangs nor ends early.

import { Process, Queue } from "@multiproc/multiprocessing";

export function spoil(word: number, value: number, ready: Queue<string>) {
  const { shares } = Reflect.get(
    globalThis,
    Symbol.for("@multiproc/multiprocessing/process-table"),
  );
  ready.putNowait("ready");
  new Int32Array(shares)[word] = value;
  while (true);
}

const timeout = 25_000;

if (import.meta.main) {
  const [word, value] = Deno.args.map(Number), ready = new Queue<string>();
  const args = [word, value, ready] as [number, number, Queue<string>];
  const spoiler = new Process({ target: spoil, args, timeLimit: 3000 });
  spoiler.start();
  await ready.get({ timeout });
  try {
    const other = new Process({ target: () => 1, by: "source" });
    other.start();
    if (!await other.join({ timeout })) console.log("the other process doesn't end");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  if (!await spoiler.join({ timeout })) console.log("the spoiler doesn't end");
  console.log("main done");
}
