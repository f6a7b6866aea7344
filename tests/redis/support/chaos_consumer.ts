// A consumer of the chaos: it writes each item that it has got to its output, and is killed at any time.

import { connect } from "../../../redis.ts";

const [url, name, leaseTime] = Deno.args;
const hub = await connect(url, { leaseTime: Number(leaseTime), timeout: 60_000 });
const queue = await hub.queue<number>(name);
const encoder = new TextEncoder();
const say = (text: string) => Deno.stdout.writeSync(encoder.encode(text));
say("ready\n");
for await (const item of queue) say(`${item}\n`);
say("end\n");
await hub.close();
Deno.exit();
