// A program that has the permission for its server alone: all faces, with a thread that beats and one that blocks.

import { connect } from "../../../redis.ts";

await using hub = await connect(Deno.args[0]);
const queue = await hub.joinableQueue<number>("modest");
await queue.put(1);
queue.putSync(2);
await queue.putMany([3]);
const lease = await queue.lease();
const two = queue.getSync();
console.log(lease.item, two, await queue.get());
await lease.done();
await queue.taskDone();
await queue.taskDone();
await queue.join();
await queue.delete();
