// Ports as lib/platform/ports.ts reads them: the same on every Deno.

import assert from "node:assert/strict";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { closeQuietly, takeMessage } from "../../lib/platform/ports.ts";

/** When a port has closed; its end keeps the event loop alive until then. */
function closing(port: MessagePort): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  port.once("close", () => resolve());
  port.start();
  port.ref();
  return promise;
}

Deno.test("a port that this side has closed has no message", () => {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  for (const port of [port1, port2]) assert.equal(takeMessage(port), undefined);
});

Deno.test("a port whose other end has closed has no message, before and after its close event", async () => {
  const { port1, port2 } = new MessageChannel();
  const closed = closing(port1);
  port2.close();
  assert.equal(takeMessage(port1), undefined);
  await closed;
  assert.equal(takeMessage(port1), undefined);
  assert.equal(takeMessage(port1), undefined, "the second time as the first");
});

Deno.test("what was posted before the other end closed is taken first", () => {
  const { port1, port2 } = new MessageChannel();
  port2.postMessage("last");
  closeQuietly(port2);
  assert.deepEqual(takeMessage(port1), { message: "last" });
  assert.equal(takeMessage(port1), undefined);
  port1.close();
});

Deno.test("a port whose other end's worker has ended has no message", async () => {
  const { port1, port2 } = new MessageChannel();
  const closed = closing(port1);
  const main = `data:text/javascript,import {workerData} from "node:worker_threads"; ` +
    `workerData.postMessage("once")`;
  const worker = new Worker(new URL(main), { workerData: port2, transferList: [port2] });
  const heard: unknown[] = [];
  port1.on("message", (message) => heard.push(message));
  await new Promise((ended) => worker.once("exit", ended));
  await closed;
  assert.deepEqual(heard, ["once"]);
  assert.equal(takeMessage(port1), undefined);
});

Deno.test("a port that was moved has no message", () => {
  const { port1, port2 } = new MessageChannel();
  const { port1: here, port2: there } = new MessageChannel();
  here.postMessage(port1, [port1]);
  assert.equal(takeMessage(port1), undefined);
  there.close();
  here.close();
  port2.close();
});

Deno.test("other errors than that of a closed port are thrown", () => {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  assert.throws(() => takeMessage({} as MessagePort), TypeError);
  assert.throws(() => takeMessage(undefined as unknown as MessagePort), TypeError);
});
