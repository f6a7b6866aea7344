// BroadcastChannels.

import { BroadcastChannel } from "node:worker_threads";
import {
  type Assumption,
  eventually,
  fileOf,
  pause,
  program,
  sandbox,
  thread,
  words,
} from "./assumption.ts";

const BUS = "lib/wait/broadcast.ts", BROADCAST = "lib/platform/broadcast.ts";

/** Opens a channel that counts its messages in data[0], and sets data[1] once it is open. */
const LISTEN = `const channel = new BroadcastChannel("platform");
  channel.onmessage = () => Atomics.add(data, 0, 1);
  data[1] = 1;`;

/** Whether a program with an open channel ends by itself within `limit` ms. */
async function keptBy(text: string, limit: number): Promise<string> {
  const { code } = await program(
    `import { BroadcastChannel } from "node:worker_threads";
    const channel = new BroadcastChannel("platform"); channel.onmessage = () => {}; ${text}`,
    { limit },
  );
  return code === 0 ? "it ends" : "it stays";
}

function nested(depth: number): object {
  let value: object = {};
  while (depth-- > 0) value = { value };
  return value;
}

export const channels: Assumption[] = [
  {
    claim:
      "An open BroadcastChannel keeps a program alive, not after unref(), and again after ref()",
    places: [BUS],
    kind: "need",
    expected: ["it stays, it ends, it stays"],
    observe: async () => {
      const seen = [
        await keptBy("", 1500),
        await keptBy("channel.unref()", 10_000),
        await keptBy("channel.unref(); channel.ref();", 1500),
      ];
      return seen.join(", ");
    },
  },
  {
    claim: "A BroadcastChannel drops what a slow listener hasn't fetched",
    places: [BUS],
    kind: "quirk",
    expected: ["drops", "delivers all"],
    observe: async () => {
      const heard = words(), count = 20_000;
      await thread(`${LISTEN} Atomics.wait(data, 2, 0, 1000);`, heard);
      await eventually(() => heard[1] === 1);
      const channel = new BroadcastChannel("platform");
      for (let i = 0; i < count; i++) channel.postMessage(i);
      Atomics.store(heard, 2, 1);
      Atomics.notify(heard, 2);
      await eventually(() => heard[0] === count, 2500);
      return heard[0] === count ? "delivers all" : "drops";
    },
  },
  {
    claim: "A BroadcastChannel carries shared memory, and a sandbox hears and uses every channel",
    places: [BUS, "lib/queue/shared/names.ts"],
    kind: "need",
    expected: ["answered"],
    observe: async () => {
      await sandbox(`const channel = new BroadcastChannel("platform");
        channel.onmessage = ({ data }) => { data[0] = 7; channel.postMessage("answered"); };
        postMessage("up");`);
      const channel = new BroadcastChannel("platform"), data = words();
      let answer: unknown;
      channel.onmessage = (event: unknown) => answer = (event as MessageEvent).data;
      channel.postMessage(data);
      await eventually(() => answer !== undefined);
      return data[0] === 7 ? `${answer}` : "no memory shared";
    },
  },
  {
    claim:
      "Closing the last channel of an isolate and opening another in the same turn breaks both",
    places: [BROADCAST, BUS],
    kind: "quirk",
    expected: ["the second is deaf", "the second hears"],
    observe: async () => {
      const { out } = await program(`
        const { Worker, BroadcastChannel } = await import("node:worker_threads");
        const first = new BroadcastChannel("platform");
        first.onmessage = () => {};
        await new Promise((resolve) => setTimeout(resolve, 50));
        first.close();
        const second = new BroadcastChannel("platform");
        let heard = false;
        second.onmessage = () => heard = true;
        new Worker(new URL("data:text/javascript," + encodeURIComponent(
          "setInterval(() => new BroadcastChannel('platform').postMessage(1), 50)")));
        await new Promise((resolve) => setTimeout(resolve, 600));
        console.log(heard ? "the second hears" : "the second is deaf");
        Deno.exit();`);
      return out;
    },
  },
  {
    claim:
      "A message that can't be read is an unhandled rejection whose stack tells; the channel is deaf then",
    places: [BROADCAST, BUS],
    kind: "need",
    expected: ["noticed, deaf", "read"],
    observe: async () => {
      const data = words();
      await thread(
        `const { isReadingFailure } = await import("${fileOf("lib/platform/broadcast.ts")}");
        addEventListener("unhandledrejection", (event) => {
          event.preventDefault();
          data[0] = isReadingFailure(event.reason) ? 1 : 2;
        });
        const channel = new threads.BroadcastChannel("platform");
        channel.onmessage = () => data[1]++;
        data[2] = 1;`,
        data,
      );
      await eventually(() => data[2] === 1);
      const channel = new BroadcastChannel("platform");
      // Nested as deeply as this isolate can write it: the reader has less of the stack left.
      const { port1 } = new MessageChannel();
      let most = 100, tooMany = 50_000;
      while (tooMany - most > 1) {
        const depth = (most + tooMany) >> 1;
        try {
          port1.postMessage(nested(depth));
          most = depth;
        } catch {
          tooMany = depth;
        }
      }
      for (let depth = most - 100; depth < most; depth += 10) channel.postMessage(nested(depth));
      await pause(100);
      const before = data[1];
      channel.postMessage("next");
      await pause(100);
      if (data[0] === 0) return "read";
      return (data[0] === 1 ? "noticed" : "not recognized") +
        (data[1] === before ? ", deaf" : ", hears");
    },
  },
];
