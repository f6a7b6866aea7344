// What programs for Node pass values between threads with: makes the requested measurements, a request and an
// answer a line. The timed parts mirror queue_bench.ts: both ends of a flow, and of a talk, are threads of their own,
// but for comlink, whose caller is the main thread, as it is in a program that uses it.
import { createInterface } from "node:readline";
import { MessageChannel, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/umd/node-adapter.js";
import { RingBuffer } from "ringbuf.js";
import { itemsOf } from "./payloads.mjs";

const file = new URL("channel_worker.mjs", import.meta.url);
/** The room of a ring of numbers, in bytes. */
const RING_BYTES = 2 ** 20;

/** Runs two threads in their roles; resolves to what the second tells last, and the time since both were ready. */
async function pair(roles, share, transfers) {
  const workers = roles.map((role, index) =>
    new Worker(file, {
      workerData: { role, share, ...transfers[index] },
      transferList: transfers[index].list,
    })
  );
  const told = workers.map((worker) => {
    const waiting = [], values = [];
    worker.on(
      "message",
      (value) =>
        waiting.length > 0 ? waiting.shift()(value) : values.push(value),
    );
    return () =>
      values.length > 0
        ? Promise.resolve(values.shift())
        : new Promise((resolve) => waiting.push(resolve));
  });
  try {
    await Promise.all(told.map((next) => next()));
    const start = performance.now();
    workers[0].postMessage(null);
    const value = await told[1]();
    return { value, ms: performance.now() - start };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function channel() {
  const { port1, port2 } = new MessageChannel();
  return [{ port: port1, list: [port1] }, { port: port2, list: [port2] }];
}

function rings() {
  const [one, two] = [1, 2].map(() =>
    RingBuffer.getStorageForCapacity(RING_BYTES / 8, Float64Array)
  );
  return [{ out: one, in: two }, { out: two, in: one }];
}

const WAYS = { "MessagePort": channel, "ringbuf.js": rings };

const MEASUREMENTS = {
  /** Milliseconds from the start until the consumer has the last item, and their weight. */
  async flow({ way, ...share }) {
    const { value, ms } = await pair(
      ["produce", "consume"],
      { way, ...share },
      WAYS[way](),
    );
    return { ms, weight: value };
  },
  /** Milliseconds for one item there and back. */
  async talk({ way, ...share }) {
    if (way === "comlink") return await calls(share);
    const { value } = await pair(
      ["answer", "ask"],
      { way, ...share },
      WAYS[way](),
    );
    return { ms: value };
  },
};

async function calls({ payload, warmUp, count }) {
  const worker = new Worker(new URL("comlink_worker.mjs", import.meta.url));
  const remote = Comlink.wrap(nodeEndpoint(worker));
  const item = itemsOf(payload);
  for (let index = 0; index < warmUp; index++) await remote.echo(item(index));
  const start = performance.now();
  for (let index = 0; index < count; index++) await remote.echo(item(index));
  const ms = (performance.now() - start) / count;
  await worker.terminate();
  return { ms };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { measure, ...request } = JSON.parse(line);
  console.log(JSON.stringify(await MEASUREMENTS[measure](request)));
}
