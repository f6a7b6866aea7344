// Hashes the files of this folder in a pool, with progress. One of them is not there; without --allow-read
// none can be read, and the pool says so for each.

import { Pool, TaskError } from "@multiproc/multiprocessing";

export async function hash(file: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(new URL(file)));
  return new Uint8Array(digest).toHex().slice(0, 16);
}

if (import.meta.main) {
  const names = ["barrier", "condition", "lock", "nothing_here", "pipe", "pool", "queue"];
  await using pool = new Pool({ processes: 2 });
  const hashes = await pool.map(hash, names.map((name) => import.meta.resolve(`./${name}.ts`)), {
    returnExceptions: true, // the others go on
    onProgress: true, // a line on a terminal
  });
  for (const [i, result] of hashes.entries()) {
    const what = result instanceof TaskError ? (result.cause as Error).name : result;
    console.log(`${names[i]}.ts ${what}`);
  }
}
