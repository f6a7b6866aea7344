// A program that takes something from the server and keeps it: an item, or a lock. It says so on its output, and
// computes or waits until it is killed.

import { connect } from "../../../redis.ts";

const [url, what, name, leaseTime] = Deno.args;
const hub = await connect(url, { leaseTime: Number(leaseTime) });
if (what === "lock") await hub.lock(name).hold();
else {
  const queue = await hub.joinableQueue(name);
  await queue.lease();
}
console.log("held");
setInterval(() => {}, 1000);
