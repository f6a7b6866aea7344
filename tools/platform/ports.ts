// Message ports.

import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { isStarted, takeMessage } from "../../lib/platform/ports.ts";
import {
  type Assumption,
  eventually,
  moduleOf,
  newSandbox,
  pause,
  thread,
  words,
} from "./assumption.ts";

const PORTS = "lib/platform/ports.ts";

/** The outcome of a function: the value it returns, or the error it throws. */
function outcomeOf(work: () => unknown): string {
  try {
    return `${work()}`;
  } catch (error) {
    return `${error}`;
  }
}

/** Resolves to the messages of a port, including its close, once it has closed. */
async function heardOf(port: MessagePort): Promise<string> {
  const heard: unknown[] = [];
  port.on("message", (message) => heard.push(message));
  port.once("close", () => heard.push("close"));
  await eventually(() => heard.includes("close"));
  await pause(20);
  return heard.join(", ");
}

/** Posts two messages from a worker, which is then ended or ends by itself. */
const POSTING = "port.postMessage(1); port.postMessage(2);";

export const ports: Assumption[] = [
  {
    claim: "receiveMessageOnPort of a closed port answers undefined, or throws one error",
    places: [PORTS],
    kind: "need",
    expected: ["undefined", "TypeError: expected i32"],
    observe: () => {
      const { port1, port2 } = new MessageChannel();
      port1.close();
      port2.close();
      return outcomeOf(() => receiveMessageOnPort(port1));
    },
  },
  {
    claim: "takeMessage of a port answers undefined, whichever end has closed it",
    places: [
      PORTS,
      "lib/host/supervisor.ts",
      "lib/host/workers/sandboxed_thread.ts",
      "lib/transfer/message.ts",
    ],
    kind: "need",
    expected: ["undefined, undefined"],
    observe: async () => {
      const { port1, port2 } = new MessageChannel();
      port1.start();
      port2.close();
      await pause(20);
      const second = new MessageChannel();
      second.port1.close();
      return [port1, second.port1].map((port) => outcomeOf(() => takeMessage(port))).join(", ");
    },
  },
  {
    claim:
      "A blocked isolate can take what others post to a started port, but for one message at most",
    places: [PORTS, "lib/host/supervisor.ts"],
    kind: "need",
    expected: ["99 or more of 100"],
    observe: async () => {
      const { port1, port2 } = new MessageChannel(), done = words();
      port1.on("message", () => {});
      await thread(
        "for (let i = 0; i < 100; i++) data.port.postMessage(i); Atomics.store(data.done, 0, 1); Atomics.notify(data.done, 0);",
        { port: port2, done },
        { transferList: [port2] },
      );
      Atomics.wait(done, 0, 0, 3000);
      let taken = 0;
      while (receiveMessageOnPort(port1) !== undefined) taken++;
      return taken >= 99 ? "99 or more of 100" : `${taken} of 100`;
    },
  },
  {
    claim: "A port closes, after its last message, when the thread that has its other end returns",
    places: [PORTS, "lib/host/supervisor.ts", "lib/pipe/foreign_worker.ts"],
    kind: "need",
    expected: ["1, 2, close"],
    observe: async () => {
      const { port1, port2 } = new MessageChannel();
      await thread(`const { port } = data; ${POSTING} Deno.exit();`, { port: port2 }, {
        transferList: [port2],
      });
      return heardOf(port1);
    },
  },
  {
    claim: "A port closes when the thread that has its other end is terminated",
    places: [PORTS, "lib/host/supervisor.ts", "lib/pipe/foreign_worker.ts"],
    kind: "need",
    expected: ["1, 2, close"],
    observe: async () => {
      const { port1, port2 } = new MessageChannel();
      const worker = await thread(`const { port } = data; ${POSTING} while (true) {}`, {
        port: port2,
      }, { transferList: [port2] });
      setTimeout(() => worker.terminate(), 100);
      return heardOf(port1);
    },
  },
  {
    claim: "A port closes when the sandbox that has its other end is terminated, or closes itself",
    places: [PORTS, "lib/host/supervisor.ts", "lib/pipe/foreign_worker.ts"],
    kind: "need",
    expected: ["1, 2, close / 1, 2, close"],
    observe: async () => {
      const seen: string[] = [];
      for (const end of ["", "setTimeout(close, 50)"]) {
        const { port1, port2 } = new MessageChannel();
        const worker = newSandbox(
          moduleOf(`onmessage = ({ data: port }) => { ${POSTING} ${end} };`).href,
        );
        worker.postMessage(port2, [port2 as unknown as Transferable]);
        if (end === "") setTimeout(() => worker.terminate(), 300);
        seen.push(await heardOf(port1));
      }
      return seen.join(" / ");
    },
  },
  {
    claim:
      "close() of node's ports starts the other port of the pair, and its messages are out of reach",
    places: [PORTS, "lib/pipe/endpoint.ts"],
    kind: "quirk",
    expected: ["undefined"],
    observe: () => {
      const { port1, port2 } = new MessageChannel();
      port2.postMessage("last");
      port2.close();
      return `${receiveMessageOnPort(port1)?.message}`;
    },
  },
  {
    claim: "close() of the prototype leaves the other port as it is",
    places: [PORTS, "lib/pipe/endpoint.ts"],
    kind: "need",
    expected: ["last"],
    observe: () => {
      const { port1, port2 } = new MessageChannel();
      port2.postMessage("last");
      globalThis.MessagePort.prototype.close.call(port2);
      return `${receiveMessageOnPort(port1)?.message}`;
    },
  },
  {
    claim: "A postMessage that throws has detached what it was to move all the same",
    places: [PORTS, "lib/transfer/message.ts", "lib/pipe/message_input.ts"],
    kind: "quirk",
    expected: ["detached"],
    observe: () => {
      const { port1 } = new MessageChannel(), buffer = new ArrayBuffer(8);
      try {
        port1.postMessage([() => {}], [buffer]);
      } catch {
        return buffer.detached ? "detached" : "not detached";
      }
      return "no error";
    },
  },
  {
    claim: "A port that was started is marked by a symbol named enabled",
    places: [PORTS, "lib/pipe/message_input.ts"],
    kind: "need",
    expected: ["false, true"],
    observe: () => {
      const { port1 } = new MessageChannel();
      const read = () => isStarted(port1);
      const before = read();
      port1.start();
      return `${before}, ${read()}`;
    },
  },
  {
    claim:
      "receiveMessageOnPort looks for ports in each element of a typed array, but not in a Map",
    places: [PORTS, "lib/transfer/message.ts"],
    kind: "quirk",
    expected: ["more than 3 times as long outside of a Map"],
    observe: () => {
      const { port1, port2 } = new MessageChannel(), bytes = new Uint8Array(4 << 20);
      const time = (message: unknown) => {
        port1.postMessage(message);
        const began = performance.now();
        receiveMessageOnPort(port2);
        return performance.now() - began;
      };
      time(1);
      const outside = time(bytes), inside = time(new Map([[0, bytes]]));
      return outside > 3 * inside
        ? "more than 3 times as long outside of a Map"
        : "about as long outside of a Map";
    },
  },
  {
    claim: "A port that crosses in a Map can be used where it arrives",
    places: [PORTS, "lib/transfer/message.ts"],
    kind: "need",
    expected: ["there and back"],
    observe: () => {
      const { port1, port2 } = new MessageChannel(), inner = new MessageChannel();
      port1.postMessage(new Map([[0, inner.port2]]), [inner.port2]);
      const arrived = receiveMessageOnPort(port2)!.message.get(0);
      arrived.postMessage("there and back");
      return `${receiveMessageOnPort(inner.port1)?.message}`;
    },
  },
];
