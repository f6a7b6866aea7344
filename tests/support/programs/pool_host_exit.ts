// The program ends, or throws, in the middle of what it does with a pool: it ends at once, with its own exit status.

import { currentTask, Pool } from "@multiproc/multiprocessing";

export const sayBack = (value: unknown): unknown => {
  currentTask()?.send(value);
  return value;
};
export const spin = (): never => {
  while (true);
};

if (import.meta.main) {
  const [where] = Deno.args;
  const pool = new Pool({ processes: 2 });
  pool.submit(spin);
  const exit = () => Deno.exit(7);
  if (where === "encoding") {
    await pool.apply(sayBack, [{
      get value() {
        return exit();
      },
    }]);
  } else if (where === "items") {
    await pool.map(sayBack, {
      *[Symbol.iterator]() {
        yield 1;
        exit();
      },
    });
  } else if (where === "onMessage") await pool.apply(sayBack, [1], { onMessage: exit });
  else if (where === "onProgress") await pool.map(sayBack, [1, 2], { onProgress: exit });
  else if (where === "addDoneCallback") {
    const task = pool.submit(sayBack, [1]);
    task.addDoneCallback(exit);
    await task;
  } else if (where === "event") {
    pool.addEventListener("taskend", exit);
    await pool.apply(sayBack, [1]);
  } else if (where === "throw") throw new Error("the program's own");
  // "idle", after the spinning task is gone: the program ends by itself.
  else {
    await pool.resize(1);
    pool.terminate();
    const idle = new Pool({ processes: 2 });
    console.log(await idle.apply(sayBack, ["idle"]));
  }
}
