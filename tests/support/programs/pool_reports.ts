// Callbacks that throw, a finalizer that throws, and an error outside of any task: each is reported, and costs nothing else.

import { currentTask, Pool } from "@multiproc/multiprocessing";

export const square = (n: number): number => n * n;
export const sayBack = (value: unknown): void => currentTask()!.send(value);
export const failInTheEnd = (): never => {
  throw new Error("the end");
};

if (import.meta.main) {
  const fail = (what: string) => () => {
    throw new Error(what);
  };
  await using pool = new Pool({ processes: 1, finalizer: failInTheEnd });
  await pool.apply(sayBack, [1], { onMessage: fail("message 1") });
  console.log(
    await pool.map(square, [1, 2], { onProgress: fail("progress"), onMessage: fail("none") }),
  );
  await pool.map(sayBack, [1], { onMessage: fail("message 2") });
  const task = pool.submit(square, [3]);
  task.addDoneCallback(fail("done"));
  task.addDoneCallback((task) => console.log("second", task.done()));
  console.log(await task);
  task.addDoneCallback(fail("done already"));
}
