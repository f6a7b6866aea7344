// A thread of channels.mjs, in one of its roles. It tells its parent when it is warm, waits to be told to start
// where it is the first of the two, and tells its result.
import { parentPort, workerData } from "node:worker_threads";
import { RingBuffer } from "ringbuf.js";
import { itemsOf, weigh } from "./payloads.mjs";

const { role, share: { way, payload, warmUp, count } } = workerData;
const item = itemsOf(payload);
/** The number of turns after which a thread that finds its ring empty or full looks whether anything else is to be done. */
const TURNS = 1000;

const told = () =>
  new Promise((resolve) => parentPort.once("message", resolve));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The two ends by messages: each item is a message and is taken by a listener. */
function byMessages({ port }) {
  const items = [];
  let wake;
  port.on("message", (value) => {
    items.push(value);
    wake?.();
  });
  let at = 0;
  return {
    put: (value) => port.postMessage(value),
    get: () => {
      if (at < items.length) {
        const value = items[at++];
        if (at === items.length) items.length = at = 0;
        return value;
      }
      return new Promise((resolve) => {
        wake = () => {
          wake = undefined;
          resolve(items[at++]);
          if (at === items.length) items.length = at = 0;
        };
      });
    },
  };
}

/** The two ends by rings of numbers, which have no way to sleep: a thread that waits looks again and again. */
function byRings({ out, in: input }) {
  const writer = new RingBuffer(out, Float64Array),
    reader = new RingBuffer(input, Float64Array);
  const one = new Float64Array(1);
  const until = async (done) => {
    for (;;) {
      for (let n = 0; n < TURNS; n++) if (done()) return;
      await turn();
    }
  };
  return {
    put(value) {
      one[0] = value;
      if (writer.push(one) === 0) {
        return until(() => {
          one[0] = value;
          return writer.push(one) > 0;
        });
      }
    },
    get() {
      if (reader.pop(one) > 0) return one[0];
      return until(() => reader.pop(one) > 0).then(() => one[0]);
    },
  };
}

const { put, get } = way === "MessagePort"
  ? byMessages(workerData)
  : byRings(workerData);

/** Awaits only what has to be awaited, as a program that wants speed does. */
async function next() {
  const value = get();
  return value instanceof Promise ? await value : value;
}

const ROLES = {
  async produce() {
    for (let index = 0; index < warmUp; index++) await put(item(index));
    parentPort.postMessage(null);
    await told();
    for (let index = 0; index < count; index++) {
      const full = put(item(index));
      if (full !== undefined) await full;
    }
  },
  async consume() {
    for (let index = 0; index < warmUp; index++) weigh(await get());
    parentPort.postMessage(null);
    let weight = 0;
    for (let index = 0; index < count; index++) {
      const value = get();
      weight += weigh(value instanceof Promise ? await value : value);
    }
    parentPort.postMessage(weight);
  },
  async answer() {
    parentPort.postMessage(null);
    for (let index = 0; index < warmUp + count; index++) {
      await put(await next());
    }
  },
  async ask() {
    parentPort.postMessage(null);
    let start = 0;
    for (let index = -warmUp; index < count; index++) {
      if (index === 0) start = performance.now();
      await put(item(Math.abs(index)));
      await next();
    }
    parentPort.postMessage((performance.now() - start) / count);
  },
};

await ROLES[role]();
