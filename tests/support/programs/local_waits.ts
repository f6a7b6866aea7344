// Tasks that wait at queues of their own process for items that never come.

import { Queue } from "@multiproc/multiprocessing/local";

const empty = new Queue<string>(), full = new Queue<string>({ maxSize: 1 });
full.putNowait("only");
const never = () => console.log("never");
empty.get().then(never);
empty.get({ timeout: Infinity, signal: new AbortController().signal }).then(never);
empty.get({ timeout: 2 ** 40 }).then(never);
empty.readable.getReader().read().then(never);
full.put("more").then(never);
full.join().then(never);
console.log("main");
