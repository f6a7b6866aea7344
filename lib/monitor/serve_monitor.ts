// serveMonitor(): starts the thread that serves the page, and tells it twice a second of what only the main process
// knows: its objects, and, while somebody watches, its pools.

import { InvalidStateError, TimeoutError } from "../errors.ts";
import type { ConfinedBoard } from "../inspect/listen.ts";
import { confinedBoards, onConfinedBoard } from "../liveness/wait_board.ts";
import type { Connection } from "../pipe/connection.ts";
import { Pipe } from "../pipe/pipe.ts";
import { removeChild } from "../process/children.ts";
import { parentProcess } from "../process/current.ts";
import { Process } from "../process/process.ts";
import { registerOwnTarget } from "../target/own_targets.ts";
import { checkWhole } from "../validate/numbers.ts";
import { checkNames } from "../validate/options.ts";
import { addWatcher } from "../wait/wait_records.ts";
import { notMain } from "./in_child.ts";
import { lookAtPools, Told } from "./objects.ts";
import { pageFiles } from "./page_files.ts";
import type { Listening, MonitorSetup, News } from "./protocol.ts";
import { serveInspections } from "./server.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePush,
  Atomics,
  clearInterval,
  crypto,
  Date,
  Deno,
  Error,
  Int32Array,
  performance,
  setInterval,
  SharedArrayBuffer,
  Uint8Array,
} = primordials;

registerOwnTarget(serveInspections, { path: "../monitor/server.ts", name: "serveInspections" });

/** The time between two tellings, and for how long a request counts as somebody who watches, in ms. */
const TELL_MS = 500, WATCHED_MS = 15_000;

/**
 * The options of {@linkcode serveMonitor}.
 *
 * @example
 * ```ts
 * import { type MonitorOptions, serveMonitor } from "@multiproc/multiprocessing/monitor";
 *
 * const options: MonitorOptions = { port: 0 }; // a free one
 * await using monitor = await serveMonitor(options);
 * console.log(new URL(monitor.url).hostname); // 127.0.0.1
 * ```
 */
export interface MonitorOptions {
  /** The port of 127.0.0.1 at which the page is served. Default: 0, a free one. */
  port?: number;
}

/**
 * A page that is being served: what {@linkcode serveMonitor} resolves to. `await using` shuts it down.
 *
 * @example
 * ```ts
 * import { type Monitor, serveMonitor } from "@multiproc/multiprocessing/monitor";
 *
 * const monitor: Monitor = await serveMonitor();
 * setTimeout(() => monitor.shutdown(), 1000);
 * await monitor.finished; // keeps the program alive for that second
 * console.log("was served"); // was served
 * ```
 */
export interface Monitor extends AsyncDisposable {
  /** The URL of the page. It contains the token: who knows the URL can read the page. */
  readonly url: string;
  /**
   * Resolves once the page is served no more. To ask for it keeps the program alive until then; otherwise the program
   * ends as it does without a monitor, and takes the page along.
   */
  readonly finished: Promise<void>;
  /** Ends it at once, open connections too. Calling it again does nothing more. */
  shutdown(): Promise<void>;
  /** The same: `await using monitor = await serveMonitor()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

let current: Server | undefined;

/**
 * Serves a page that shows live what all processes of the program do: who runs, waits or is blocked, and for what;
 * queues with their length and rate; locks with holder and waiters; deadlocks; pools with their histograms and slowest
 * items. It needs `--allow-net=127.0.0.1`.
 *
 * A thread of its own serves it, so that it lives while the main process is blocked or computes; only what pools tell
 * is then as old as the page says. It takes no time while nobody watches, and one hundredth of a core at most while
 * somebody does. It shows the objects that the main process makes after its import of this module, and of other
 * processes those for which a process waits.
 *
 * The page is served at 127.0.0.1 only, at a URL with a random token, to requests whose Host and Origin are its own.
 * It only reads, and what is in queues, arguments and results isn't shown; names, places in the program, and numbers
 * are. It doesn't keep the program alive: see {@linkcode Monitor.finished}.
 *
 * @throws {Deno.errors.NotCapable} without the permission
 * @throws {Deno.errors.AddrInUse} if the port is taken
 * @throws {RangeError} if `port` is not a whole number from 0 to 65535
 * @throws {TypeError} if `port` is not a number, or there is no option of that name
 * @throws {InvalidStateError} in a process that was started: the page belongs to the main process; or while there is
 *   a monitor
 *
 * @example
 * ```ts
 * import { serveMonitor } from "@multiproc/multiprocessing/monitor";
 *
 * await using monitor = await serveMonitor();
 * console.log(new URL(monitor.url).hostname); // 127.0.0.1
 * ```
 */
export async function serveMonitor(options: MonitorOptions = {}): Promise<Monitor> {
  const { port = 0 } = checkNames(options, ["port"], "serveMonitor({ port: 8123 })");
  checkWhole("port", port, 0, 65_535, "0 takes a free port");
  if (parentProcess() !== null) throw notMain();
  if (current !== undefined) {
    throw new InvalidStateError("serveMonitor() was called before. Shut down the first monitor.");
  }
  checkNet(port);
  const server = current = new Server(port);
  try {
    await server.listening;
  } catch (error) {
    await server.shutdown();
    throw error;
  }
  return server;
}

function checkNet(port: number): void {
  const host = `127.0.0.1:${port}`;
  // With a terminal and no permission, Deno asks the person.
  const { state } = globalThis.Deno.permissions.requestSync({ name: "net", host });
  if (state === "granted") return;
  throw new Deno.errors.NotCapable(
    `serveMonitor() serves a page at ${host}, and this program may not listen there. ` +
      "Run it with --allow-net=127.0.0.1.",
  );
}

/** The server, as the main process sees it. */
class Server implements Monitor {
  readonly #process: Process<Parameters<typeof serveInspections>, void>;
  readonly #thread: Connection<Listening, News>;
  readonly #asked = new Int32Array(new SharedArrayBuffer(4));
  readonly #token = randomToken();
  readonly #told = new Told();
  #boards: ConfinedBoard[] = [];
  readonly #listenNoMore: () => void;
  readonly #finished = primordials.Promise.withResolvers<void>();
  #timer: ReturnType<typeof setInterval>;
  #toldAt = -Infinity;
  #isTimerRef = false;
  #ending: Promise<void> | undefined;
  #port: number;
  /** Resolves once it listens. */
  readonly listening: Promise<void>;

  constructor(port: number) {
    this.#port = port;
    const { 0: here, 1: there } = Pipe<Listening, News>();
    this.#thread = here;
    const setup: MonitorSetup = {
      ...{ port, token: this.#token, files: pageFiles, asked: this.#asked.buffer },
    };
    const process = this.#process = new Process({
      target: serveInspections,
      args: [there, setup],
      name: "monitor",
      daemon: true,
    });
    process.start();
    // Who joins all children doesn't wait for the monitor.
    removeChild(process);
    for (const { 0: token, 1: board } of confinedBoards) this.#note(token, board);
    this.#listenNoMore = onConfinedBoard((token, board) => this.#note(token, board));
    this.#timer = setInterval(() => this.tell(), TELL_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
    this.listening = this.#listen();
  }

  async #listen(): Promise<void> {
    const answer = await this.#thread.recv();
    if ("port" in answer) {
      this.#port = answer.port;
      this.tell();
      return;
    }
    const { name, message } = answer;
    if (name === "AddrInUse") {
      throw new Deno.errors.AddrInUse(
        `serveMonitor() can't listen at 127.0.0.1:${this.#port}, which is taken. ` +
          "Give another port, or none: then a free one is taken.",
      );
    }
    throw new Error(`serveMonitor() can't listen at 127.0.0.1:${this.#port}: ${message}`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/${this.#token}/`;
  }

  get finished(): Promise<void> {
    if (!this.#isTimerRef && this.#ending === undefined) {
      this.#isTimerRef = true;
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.tell(), TELL_MS);
    }
    return this.#finished.promise;
  }

  #note(token: number, board: SharedArrayBuffer): void {
    ArrayPrototypePush(this.#boards, { token, board });
  }

  /** Tells the thread what is new. */
  tell(): void {
    const now = performance.now();
    if (this.#ending !== undefined || now - this.#toldAt < TELL_MS - 50) return;
    if (!this.#process.isAlive()) {
      this.shutdown();
      return;
    }
    this.#toldAt = now;
    const lastAsked = Atomics.load(this.#asked, 0) * 1000, at = Date.now();
    const isWatched = at - lastAsked < WATCHED_MS;
    for (;;) {
      const { made, gone, untold } = this.#told.next(), boards = this.#boards;
      if (!isWatched && made.length + gone.length + boards.length === 0) return;
      const news: News = { at, made, gone, untold, boards };
      if (isWatched && made.length === 0) news.pools = lookAtPools();
      try {
        this.#thread.sendNowait(news);
      } catch (error) {
        // The thread is behind: the same is told the next time.
        if (error instanceof TimeoutError) return;
        throw error;
      }
      this.#told.got(news);
      this.#boards = [];
      if (made.length === 0) return;
    }
  }

  shutdown(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    if (current === this) current = undefined;
    clearInterval(this.#timer);
    this.#listenNoMore();
    this.#told.end();
    this.#process.terminate();
    await this.#process.join();
    this.#thread.close();
    this.#finished.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

// Also while the main process is blocked by a wait of this library.
addWatcher(() => current?.tell());

function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32)), digits = "0123456789abcdef";
  let token = "";
  for (let i = 0; i < bytes.length; i++) token += digits[bytes[i] >> 4] + digits[bytes[i] & 15];
  return token;
}
