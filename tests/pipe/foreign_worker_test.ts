// Ends in workers that this library did not start: made with `new Worker`, or node's. Their module
// imports this package, so it has to be read.

import assert from "node:assert/strict";
import { Worker as NodeWorker } from "node:worker_threads";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  Process,
  Queue,
  wait,
} from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";

const module = targets.here;
const canRead = Deno.permissions.querySync({ name: "read" }).state === "granted";
const needs = "(needs --allow-read)";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

/** A worker of either kind. */
interface PlainWorker {
  post(message: unknown, transfer: readonly Transferable[]): void;
  /** Ends it from outside. */
  end(): Promise<void>;
  /** What it has posted. */
  heard(): Promise<unknown>;
}

const library = new URL("../../mod.ts", import.meta.url).href;

/**
 * What such a worker runs: `use` with each message. It imports the package when the first one comes,
 * by a name that is no literal, so that its types aren't checked each time.
 */
function moduleOf(use: string, kind: "web" | "node"): URL {
  const listen = kind === "web"
    ? 'addEventListener("message", ({ data }) => take(data));'
    : 'import { parentPort } from "node:worker_threads"; parentPort.on("message", take);';
  const post = kind === "web" ? "postMessage" : "(message) => parentPort.postMessage(message)";
  const text = `${listen}
const library = ${JSON.stringify(library)}, post = ${post};
async function take(data) {
  const { Connection, EOFError, Pipe, Process, Queue } = await import(library);
  const use = ${use};
  await use(data);
}`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

function newWebWorker(use: string): PlainWorker {
  const worker = new Worker(moduleOf(use, "web"), { type: "module" });
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    end: () => Promise.resolve(worker.terminate()),
    heard: () =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = reject;
      }),
  };
}

function newNodeWorker(use: string): PlainWorker {
  const worker = new NodeWorker(moduleOf(use, "node"));
  return {
    // deno-lint-ignore no-explicit-any -- the two kinds of port have two types
    post: (message, transfer) => worker.postMessage(message, transfer as any),
    end: async () => void await worker.terminate(),
    heard: () =>
      new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      }),
  };
}

/** Registers a test for both kinds of workers. */
function each(name: string, body: (newWorker: (use: string) => PlainWorker) => Promise<void>) {
  for (const [kind, make] of [["Worker", newWebWorker], ["node Worker", newNodeWorker]] as const) {
    Deno.test({ name: `${kind}: ${name} ${needs}`, ignore: !canRead, fn: () => body(make) });
  }
}

/** Sends back what it receives, until there is no more. */
const echo = `async (message) => {
  using connection = Connection.fromMessage(message);
  for await (const one of connection) await connection.send(one);
}`;

/** The same with the thread blocked. */
const echoSync = `(message) => {
  const connection = Connection.fromMessage(message);
  try {
    for (;;) connection.sendSync(connection.recvSync());
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
  }
  connection.close();
}`;

each("an end is put into a message, and taken out of it", async (newWorker) => {
  for (const use of [echo, echoSync]) {
    const [here, there] = pipe();
    const worker = newWorker(use);
    here.sendNowait("sent before");
    worker.post(...there.toMessage());
    assert.equal(there.closed, true);
    assert.throws(() => there.sendNowait(1), /put into a message/);
    assert.equal(await here.recv(bound), "sent before");
    const shared = new Int32Array(new SharedArrayBuffer(4)).fill(5);
    const { buffer } = Int32Array.of(6);
    for (const message of [new Map([[1, 2n]]), shared, "x".repeat(400_000)]) {
      await here.send(message);
      assert.deepEqual(await here.recv(bound), message);
    }
    await here.send({ buffer }, { transfer: [buffer] });
    assert.equal(new Int32Array((await here.recv(bound)).buffer)[0], 6);
    here.close();
    await worker.end();
  }
});

each("the message may be a part of a larger one", async (newWorker) => {
  const [here, there] = pipe(), [other, third] = pipe();
  const worker = newWorker(`async ({ name, ends }) => {
    const [one, two] = ends.map((end) => Connection.fromMessage(end));
    await two.send(name + (await one.recv()));
    one.close();
    two.close();
  }`);
  const [first, transferFirst] = there.toMessage();
  const [second, transferSecond] = third.toMessage();
  worker.post({ name: "a name ", ends: [first, second] }, [...transferFirst, ...transferSecond]);
  here.sendNowait("and a message");
  assert.equal(await other.recv(bound), "a name and a message");
  await assert.rejects(other.recv(bound), EOFError);
  await assert.rejects(here.recv(bound), EOFError);
  here.close();
  other.close();
  await worker.end();
});

each("when the worker is terminated, the other end learns of it", async (newWorker) => {
  for (const began of [true, false]) {
    const [here, there] = pipe();
    const worker = newWorker(`async (message) => {
      const connection = Connection.fromMessage(message);
      connection.sendNowait("here");
      connection.sendNowait(new SharedArrayBuffer(1));
      await connection.recv();
    }`);
    worker.post(...there.toMessage());
    if (began) {
      assert.equal(await here.recv(bound), "here");
      const waiting = here.recv(bound);
      assert.equal((await waiting).byteLength, 1);
    }
    const learning = (async () => {
      for await (const _ of here);
    })();
    const selecting = wait([here], bound);
    await worker.end();
    await learning;
    assert.deepEqual(await selecting, [here]);
    assert.deepEqual(await wait([here], bound), [here]);
    assert.throws(() => here.sendNowait(1), BrokenPipeError);
    here.close();
  }
});

each("so it does when the worker ends by itself", async (newWorker) => {
  const [here, there] = pipe();
  const worker = newWorker(`(message) => {
    const connection = Connection.fromMessage(message);
    connection.sendNowait("last words");
    globalThis.close !== undefined && typeof WorkerGlobalScope !== "undefined"
      ? globalThis.close()
      : process.exit(0);
  }`);
  worker.post(...there.toMessage());
  assert.equal(await here.recv(bound), "last words");
  await assert.rejects(here.recv(bound), EOFError);
  await assert.rejects(here.send(1), BrokenPipeError);
  here.close();
  await worker.end();
});

each("a process that is blocked at the other end learns of it, too", async (newWorker) => {
  for (const blocking of [true, false]) {
    const [here, there] = pipe();
    const process = new Process({ target: targets.learn, args: [here, blocking], module });
    process.start();
    const worker = newWorker(`async (message) => {
      const connection = Connection.fromMessage(message);
      connection.sendNowait("here");
      post("posted");
      await connection.recv();
    }`);
    const heard = worker.heard();
    worker.post(...there.toMessage());
    assert.equal(await heard, "posted");
    await worker.end();
    assert.deepEqual(await process.result(bound), ["EOFError", "BrokenPipeError"]);
  }
});

each("a worker with several ends loses all of them at its end", async (newWorker) => {
  const pairs = Array.from({ length: 5 }, () => pipe());
  const worker = newWorker(`async (message) => {
    const connection = Connection.fromMessage(message);
    (globalThis.kept ??= []).push(connection);
    await connection.send("here");
  }`);
  for (const [here, there] of pairs) {
    worker.post(...there.toMessage());
    assert.equal(await here.recv(bound), "here");
  }
  const learning = pairs.map(([here]) => assert.rejects(here.recv(bound), EOFError));
  await worker.end();
  await Promise.all(learning);
  for (const [here] of pairs) here.close();
});

each(
  "a worker is given queues and ends through its end, and gives back its own",
  async (newWorker) => {
    const [here, there] = pipe(), [inner, other] = pipe();
    const worker = newWorker(`async (message) => {
    const connection = Connection.fromMessage(message);
    const { queue, inner } = await connection.recv();
    await queue.put(await inner.recv());
    const [own, mine] = Pipe();
    await connection.send(mine);
    await own.send("through a pipe of its own");
    await connection.send(inner);
    await connection.poll();
  }`);
    worker.post(...there.toMessage());
    const queue = new Queue<string>();
    await here.send({ queue, inner });
    await other.send("into the worker");
    assert.equal(await queue.get(bound), "into the worker");
    const mine: Connection = await here.recv(bound);
    assert.equal(await mine.recv(bound), "through a pipe of its own");
    const back: Connection = await here.recv(bound);
    await worker.end();
    // What it has given back lives on, what it had is gone.
    await assert.rejects(mine.recv(bound), EOFError);
    back.sendNowait("still here");
    assert.equal(await other.recv(bound), "still here");
    for (const end of [here, mine, back, other]) end.close();
  },
);

each("an end goes from a worker to a process of that worker", async (newWorker) => {
  const [here, there] = pipe();
  const worker = newWorker(`async (message) => {
    const connection = Connection.fromMessage(message);
    const process = new Process({ target: "echo", args: [connection], module: ${
    JSON.stringify(module)
  } });
    process.start();
    post(await process.join());
  }`);
  const heard = worker.heard();
  worker.post(...there.toMessage());
  await here.send("through two");
  assert.equal(await here.recv(bound), "through two");
  here.close();
  assert.equal(await heard, true);
  await worker.end();
});

each("a worker that had processes of its own before is told so", async (newWorker) => {
  const [here, there] = pipe();
  const worker = newWorker(`async (message) => {
    const [own, other] = Pipe();
    own.sendNowait("own");
    const connection = Connection.fromMessage(message);
    let refused = "nothing";
    try {
      connection.sendNowait(other);
    } catch (error) {
      refused = error.message;
    }
    connection.sendNowait([refused, other.recvNowait()]);
    await connection.poll();
  }`);
  worker.post(...there.toMessage());
  const [refused, own] = await here.recv(bound);
  assert.match(refused, /fromMessage/);
  assert.equal(own, "own");
  here.close();
  await worker.end();
});

each("a message that isn't one, or was used before, is refused", async (newWorker) => {
  const [here, there] = pipe();
  const worker = newWorker(`(message) => {
    const wrong = [undefined, null, 5, "text", {}, { content: 1 }, []];
    const errors = [];
    for (const one of wrong) {
      try {
        Connection.fromMessage(one);
        errors.push("none");
      } catch (error) {
        errors.push(error.name + ": " + error.message);
      }
    }
    const connection = Connection.fromMessage(message);
    try {
      Connection.fromMessage(message);
      errors.push("none");
    } catch (error) {
      errors.push(error.name + ": " + error.message);
    }
    connection.sendNowait("still usable");
    post(errors);
  }`);
  const heard = worker.heard();
  worker.post(...there.toMessage());
  const errors = await heard as string[];
  for (const error of errors.slice(0, -1)) assert.match(error, /^TypeError: .*toMessage\(\)/);
  assert.match(errors.at(-1)!, /^TypeError/, "used twice");
  assert.equal(await here.recv(bound), "still usable");
  here.close();
  await worker.end();
});
