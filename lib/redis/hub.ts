// connect() and Hub: a server, as a program uses it.

import {
  cannotClone,
  constructFrom,
  customInspect,
  type Inspect,
  print,
  receivedParts,
  signalOf,
} from "./core.ts";
import { RemoteJoinableQueue } from "./joinable_queue.ts";
import {
  checkHub,
  checkQueue,
  checkRemoteName,
  checkUrl,
  type HubOptions,
  type Properties,
  publicUrl,
  type RemoteJoinableQueueOptions,
  type RemoteQueueOptions,
} from "./options.ts";
import { lockOf, type RemoteLock } from "./lock.ts";
import type { RemotePoolOptions } from "./pool/options.ts";
import { poolOf, type RemotePool } from "./pool/remote_pool.ts";
import { RemoteQueue } from "./queue.ts";
import { Store } from "./store.ts";
import { Wires } from "./wires.ts";

let wiresOf: (hub: Hub) => Wires;

/**
 * A connection to a Redis server, from {@linkcode connect}: it makes and opens queues and locks by their names.
 *
 * @example
 * ```ts ignore
 * import { connect, type Hub } from "@multiproc/multiprocessing/redis";
 *
 * async function backlog(hub: Hub, name: string): Promise<number> {
 *   return await (await hub.queue(name)).qsize();
 * }
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * console.log(await backlog(hub, "nothing was put here")); // 0
 * await (await hub.queue("nothing was put here")).delete();
 * ```
 */
export class Hub implements AsyncDisposable {
  readonly #wires: Wires;

  /** @ignore */
  constructor() {
    const wires = receivedParts<Wires>(new.target);
    if (wires === undefined) {
      throw new TypeError(
        'A Hub is not constructed. Get one by connect("redis://127.0.0.1:6379").',
      );
    }
    this.#wires = wires;
  }

  /** The server, without a password. */
  get url(): string {
    return publicUrl(this.#wires.url);
  }

  /** After how many ms without a beat the server gives the items of a client to others. */
  get leaseTime(): number {
    return this.#wires.options.leaseTime;
  }

  /** Whether there is a connection at this moment. What is called meanwhile waits for the next one. */
  get connected(): boolean {
    return this.#wires.isConnected;
  }

  /**
   * Whether the server writes what it is told to a file at once (its option `appendonly`), so that queues outlive
   * a restart; undefined where the server doesn't tell.
   */
  get persistent(): boolean | undefined {
    return this.#wires.isPersistent;
  }

  /**
   * Makes the queue of this name, or opens it if it is there.
   *
   * @throws {InvalidStateError} if it is there with other properties than the options say
   * @throws {RangeError} if a number is out of its range
   * @throws {TypeError} if the name or an option isn't of its type
   */
  async queue<T = unknown>(name: string, options?: RemoteQueueOptions): Promise<RemoteQueue<T>> {
    return constructFrom(RemoteQueue<T>, await openedStore(this, name, options, false));
  }

  /**
   * Makes the joinable queue of this name, or opens it if it is there.
   *
   * @throws the errors that `queue` throws
   */
  async joinableQueue<T = unknown>(
    name: string,
    options?: RemoteJoinableQueueOptions,
  ): Promise<RemoteJoinableQueue<T>> {
    return constructFrom(RemoteJoinableQueue<T>, await openedStore(this, name, options, true));
  }

  /**
   * The lock of this name. Each call gives another object, and those exclude each other.
   *
   * @throws {TypeError} if the name isn't a string, or is empty
   */
  lock(name: string): RemoteLock {
    if (this.#wires.isClosed) throw this.#wires.closedError();
    return lockOf(this.#wires, checkRemoteName(name));
  }

  /**
   * The pool of this name, whose tasks are run by workers on any machine: see {@linkcode RemotePool}. It is made, or
   * opened, in the background.
   *
   * @throws {RangeError} if a number is out of its range
   * @throws {TypeError} if the name or an option isn't of its type
   */
  pool(name: string, options?: RemotePoolOptions): RemotePool {
    if (this.#wires.isClosed) throw this.#wires.closedError();
    return poolOf(this.#wires, checkRemoteName(name), options);
  }

  /**
   * Ends the connection. What was got from plain queues is acknowledged, and what is leased goes back to its
   * queues at once; calls that wait reject with an InvalidStateError.
   */
  async close(): Promise<void> {
    await this.#wires.close();
  }

  /** Ends the connection, at the end of a block with `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  static {
    wiresOf = (hub) => hub.#wires;
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a Hub, which is a connection of this process: give its queues to the process, or connect there";
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { url, connected } = this;
    return print(this, ["Hub", Hub], () => ({ url, connected }), inspect, options);
  }
}

/** The queues that a hub has open, by their places in the server. */
const opened = new WeakMap<Wires, Map<string, Store>>();

/** A queue that is open: one for all handles of a hub. */
async function openedStore(...wanted: Parameters<typeof storeParts>): Promise<Store> {
  const parts = storeParts(...wanted), [wires, , base, properties] = parts;
  let stores = opened.get(wires);
  if (stores === undefined) opened.set(wires, stores = new Map());
  const known = stores.get(base);
  if (known !== undefined && await known.isWanted(properties)) return known;
  const store = new Store(...parts);
  await store.opened;
  stores.set(base, store);
  return store;
}

function storeParts(
  hub: Hub,
  name: string,
  options: RemoteJoinableQueueOptions | undefined,
  counted: boolean,
): [Wires, name: string, base: string, Properties] {
  checkRemoteName(name);
  const wanted = checkQueue(options, counted);
  const wires = wiresOf(hub);
  if (wires.isClosed) throw wires.closedError();
  return [wires, name, `${wires.options.prefix}:{${name}}`, wanted];
}

/** A queue that is opened in the background. */
export function openQueue<T>(
  hub: Hub,
  name: string,
  options?: RemoteQueueOptions,
): RemoteQueue<T> {
  return constructFrom(RemoteQueue<T>, new Store(...storeParts(hub, name, options, false)));
}

/** A joinable queue that is opened in the background. */
export function openJoinableQueue<T>(
  hub: Hub,
  name: string,
  options?: RemoteJoinableQueueOptions,
): RemoteJoinableQueue<T> {
  return constructFrom(RemoteJoinableQueue<T>, new Store(...storeParts(hub, name, options, true)));
}

/** A hub that connects in the background. */
export function connectLater(url: string | URL, options?: HubOptions): Hub {
  const wires = new Wires(checkUrl(url), checkHub(options));
  wires.connectLater();
  return constructFrom(Hub, wires);
}

/**
 * Connects to a Redis server of version 7.0 or later, or to Valkey. Needs the permission `--allow-net` for its
 * host and port, and no other. When the connection breaks later the hub makes another one, and the calls that
 * are under way go on.
 *
 * @param url "redis://user:password@host:6379", or "rediss:" for TLS
 * @throws {TimeoutError} if no server answers in `timeout` ms
 * @throws {InvalidStateError} if the server refuses the password, is too old, or evicts data when its memory is full
 * @throws {TypeError} if the URL or an option isn't of its type
 *
 * @example
 * ```ts ignore
 * import { connect } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379", { leaseTime: 10_000 });
 * console.log(hub.connected); // true
 * ```
 */
export async function connect(url: string | URL, options?: HubOptions): Promise<Hub> {
  const checked = checkHub(options);
  const wires = new Wires(checkUrl(url), checked);
  await wires.connect(checked.timeout, signalOf(options));
  return constructFrom(Hub, wires);
}
