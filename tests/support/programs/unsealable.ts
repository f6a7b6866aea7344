// A program in which no process can be sealed: it runs with --expose-gc, and gc() can't be removed.

import { Pool, Process } from "../../../mod.ts";

if (import.meta.main) {
  for (const limits of [{}, { timeLimit: 60_000 }, { memoryLimitMb: 64 }]) {
    const process = new Process({ target: () => 1, permissions: "none", ...limits });
    process.start();
    await process.join();
    console.log(process.exitCode);
  }
  await using pool = new Pool({ processes: 1, permissions: "none", by: "source" });
  const error = await pool.apply(() => 1).catch((error) => error);
  console.log(error.name, `${error.cause.message}`.slice(0, 26));
  pool.terminate();
}
