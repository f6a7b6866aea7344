// A pool whose workers are programs of their own, on this machine or on any others. It needs a Redis server:
//
//   redis-server --bind 127.0.0.1 --appendonly yes --appendfsync always
//
// In one terminal, or in several, on any machine that has this folder:
//
//   deno run -N -R worker.ts redis://127.0.0.1:6379 --name primes --module examples/across_machines/tasks.ts
//
// (without a clone: jsr:@multiproc/multiprocessing/worker instead of worker.ts). In another one:
//
//   deno run -N examples/across_machines/caller.ts redis://127.0.0.1:6379
//
// Kill a worker meanwhile: after its lease of 30 s another one runs its tasks anew.

import { connect } from "@multiproc/multiprocessing/redis";
import { countPrimes } from "./tasks.ts";

const [url = "redis://127.0.0.1:6379"] = Deno.args;
await using hub = await connect(url);
await using pool = hub.pool("primes");

if ((await pool.workers()).length === 0) console.log("There is no worker yet; waiting for one.");
const limits = [10, 100, 1000, 10_000, 100_000, 1_000_000];
for await (const [index, count] of pool.imapIndexed(countPrimes, limits, { chunkSize: 1 })) {
  console.log(`${count} primes below ${limits[index]}`);
}
