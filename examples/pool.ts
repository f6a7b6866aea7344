// Hashes the files of a folder in a pool, with progress. One of the files can't be read.

import { Pool, TaskError } from "@multiproc/multiprocessing";

export async function hash(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex().slice(0, 16);
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  const paths = Array.from({ length: 8 }, (_, i) => `${folder}/${i}.txt`);
  for (const path of paths) await Deno.writeTextFile(path, `this is ${path.slice(folder.length)}`);
  await Deno.remove(paths[5]); // too late to read this one

  {
    await using pool = new Pool({ processes: 2 });
    const hashes = await pool.map(hash, paths, {
      returnExceptions: true, // the others go on
      onProgress: true, // a line on a terminal
    });
    for (const [i, result] of hashes.entries()) {
      const what = result instanceof TaskError ? (result.cause as Error).name : result;
      console.log(`${i}.txt ${what}`);
    }
  }
  await Deno.remove(folder, { recursive: true });
}
