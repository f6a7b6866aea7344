// A thread with a connection of its own. It beats for this process, so that one which computes for long keeps its
// leases, and runs the calls of a process that blocks. Its module imports the client and nothing else: it can
// be started with no permission but that for the server.

import { Buffer } from "node:buffer";
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { doChores, InvalidStateError } from "./core.ts";
import { Interrupted } from "./errors.ts";
import type { Arg, Beat, Reply } from "./driver.ts";
import type { Checked } from "./options.ts";
import { type ScriptName, scripts } from "./scripts.ts";

/** How long the thread waits for an answer of the server at most, how long it may take to start, and how long one sleep is, in ms. */
const PATIENCE = 2500, START = 30_000, SLICE = 20;

/** What the thread runs. */
const program = `
import { createClient, ErrorReply, RESP_TYPES } from "npm:@redis/client@6.3.1";
import { Buffer } from "node:buffer";
import { workerData } from "node:worker_threads";
const { url, ca, port, signal, scripts, period, patience } = workerData;
const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
const shas = new Map();
let beats = [], clients, sockets = [], messages = [], waiting;
Atomics.store(signal, 1, 1);
const channels = new Set(), silent = Symbol();
function client() {
  const secure = url.startsWith("rediss:");
  return createClient({ url, RESP: 3, maintNotifications: "disabled", disableClientInfo: true,
    disableOfflineQueue: true,
    socket: { ...(secure ? { tls: true, ...(ca ? { ca: [ca].flat() } : {}) } : {}), connectTimeout: 5000,
      reconnectStrategy: false } });
}
function drop() {
  const old = sockets;
  sockets = [];
  clients = undefined;
  channels.clear();
  for (const c of old) try { c.destroy(); } catch {}
}
async function inTime(work) {
  let timer;
  const late = new Promise((resolve) => timer = setTimeout(resolve, patience, silent));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
// A server that is silent, or a connection that is open on this side only, is given up. One that answers in the other
// connection is only slow, or its answer is long.
async function limited(work) {
  for (;;) {
    const own = sockets;
    const result = await inTime(work);
    if (result !== silent) return result;
    if (await inTime(own[1].sendCommand(["PING"])).catch(() => silent) !== silent) continue;
    if (sockets === own) drop();
    throw new Error("The server doesn't answer.");
  }
}
function connect() {
  return clients ??= (async () => {
    const both = sockets = [client(), client()];
    const gone = () => { if (sockets === both) drop(); };
    for (const c of both) c.on("error", gone), c.on("end", gone);
    try {
      await Promise.all(both.map((c) => c.connect()));
      for (const [name, text] of Object.entries(scripts)) {
        shas.set(name, String(await both[0].sendCommand(["SCRIPT", "LOAD", text])));
      }
    } catch (error) {
      gone();
      throw error;
    }
    return both;
  })();
}
async function run(script, base, args) {
  const [data] = clients === undefined ? await limited(connect()) : await clients;
  const command = ["EVALSHA", shas.get(script), "1", base, ...args.map((a) => typeof a === "string" ? a : Buffer.from(a))];
  try {
    return await limited(data.sendCommand(command, { typeMapping: mapping }));
  } catch (error) {
    if (!(error instanceof ErrorReply)) drop();
    else if (error.message.startsWith("NOSCRIPT")) drop();
    throw error;
  }
}
async function listen(channel) {
  const [, control] = await limited(connect());
  if (channels.has(channel)) return;
  channels.add(channel);
  await limited(control.subscribe(channel, () => {
    messages.push(channel);
    waiting?.();
  }));
}
async function answer({ script, base, args, channel, ms }) {
  if (script !== undefined) return await run(script, base, args);
  try {
    await listen(channel);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, Math.min(ms || 20, 100)));
    return 0;
  }
  if (ms > 0 && !messages.includes(channel)) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      waiting = () => { clearTimeout(timer); resolve(); };
    });
    waiting = undefined;
  }
  const came = messages.includes(channel);
  messages = messages.filter((other) => other !== channel);
  return came ? 1 : 0;
}
port.on("message", async (message) => {
  if (message.beats) return void (beats = message.beats);
  let result;
  try {
    result = { reply: await answer(message) };
  } catch (error) {
    result = { error: error.message, isReply: error instanceof ErrorReply };
  }
  port.postMessage(result);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
});
setInterval(() => {
  for (const { script, base, args } of beats) run(script, base, args).catch(() => {});
}, period);
`;

/** The answer of the thread. */
type Answer = { reply: Reply } | { error: string; isReply: boolean };

/** An error with which the server has answered, where the thread asked it. */
export class HelperReply extends Error {}

/** Buffers arrive as plain bytes. */
function withBuffers(reply: unknown): Reply {
  if (reply instanceof Uint8Array) return Buffer.from(reply.buffer, reply.byteOffset, reply.length);
  return Array.isArray(reply) ? reply.map(withBuffers) : reply as Reply;
}

/** The error of a call whose thread can't be had. */
function notStarted(): InvalidStateError {
  return new InvalidStateError(
    "The thread that runs blocking calls doesn't start, or has ended. Use the methods that return promises.",
  );
}

/** The thread of a hub. */
export class Helper {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  /** The number of answers, and 1 once the thread runs. */
  readonly #signal = new Int32Array(new SharedArrayBuffer(8));
  #hasEnded = false;

  constructor(url: string, { ca, leaseTime }: Checked) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(
      new URL(`data:text/javascript;base64,${btoa(program)}`),
      {
        workerData: {
          ...{ url, ca, scripts, port: port2, signal: this.#signal },
          period: Math.min(leaseTime / 3, 5000),
          patience: Math.max(500, Math.min(leaseTime / 3, PATIENCE)),
        },
        transferList: [port2],
      } as never,
    );
    for (const event of ["error", "exit"]) this.#worker.on(event, () => this.#hasEnded = true);
    this.#worker.unref();
    this.#port.unref();
  }

  /** The calls that are to be made again and again. */
  setBeats(beats: Beat[]): void {
    this.#port.postMessage({ beats });
  }

  /** Runs a script, and blocks the thread until the server has answered. */
  runSync(script: ScriptName, base: string, args: Arg[]): Reply {
    return this.#ask({ script, base, args });
  }

  /** Blocks the thread until a message comes in a channel, or for so many ms; 0 begins to listen. */
  waitSync(channel: string, ms: number): void {
    this.#ask({ channel, ms });
  }

  #ask(message: object): Reply {
    if (this.#hasEnded) throw notStarted();
    const before = Atomics.load(this.#signal, 0);
    this.#port.postMessage(message);
    const end = performance.now() + START;
    while (Atomics.wait(this.#signal, 0, before, SLICE) === "timed-out") {
      // What the event loop would do for others if it had its turn.
      doChores();
      if (Atomics.load(this.#signal, 1) === 0 && performance.now() > end) throw notStarted();
    }
    let received = receiveMessageOnPort(this.#port);
    // The message may arrive after the wake-up.
    while (received === undefined) {
      Atomics.wait(this.#signal, 0, before + 1, 1);
      received = receiveMessageOnPort(this.#port);
    }
    const answer: Answer = received.message;
    if (!("error" in answer)) return withBuffers(answer.reply);
    if (
      !answer.isReply ||
      /^(NOSCRIPT|LOADING|READONLY|BUSY|MASTERDOWN|MISCONF|ERR max number of clients)/.test(
        answer.error,
      )
    ) {
      throw new Interrupted(answer.error);
    }
    throw new HelperReply(answer.error);
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }
}
