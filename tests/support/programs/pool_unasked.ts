// Two tasks of a pool fail; the program asks for the second one's error only.

import { Pool } from "@multiproc/multiprocessing";

export function fail(n: number): void {
  throw new RangeError(`failure ${n}`);
}

if (import.meta.main) {
  await using pool = new Pool({ processes: 1 });
  pool.submit(fail, [1]);
  await pool.submit(fail, [2]).exception();
  console.log("main");
}
