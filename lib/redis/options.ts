// The options of this room, and their checks.

import {
  checkBounds,
  checkMilliseconds,
  checkNames,
  checkOption,
  checkWhole,
  describe,
  option,
  signalOf,
} from "./core.ts";
/**
 * Options of {@linkcode connect}.
 *
 * @example
 * ```ts ignore
 * import { connect, type HubOptions } from "@multiproc/multiprocessing/redis";
 *
 * const options: HubOptions = { prefix: "an example", leaseTime: 10_000, timeout: 5000 };
 * await using hub = await connect("redis://127.0.0.1:6379", options);
 * console.log(hub.leaseTime); // 10000
 * ```
 */
export interface HubOptions {
  /** The beginning of all keys in the server; "mp" by default. Hubs with different ones share nothing. */
  prefix?: string;
  /**
   * After how many ms without a beat the server takes a client for dead, and gives its items to others; 30,000 by
   * default, from 100 up. A client beats three times in it, and every 5 s at least. It has to be longer than a thread
   * takes to start, where blocking calls are used.
   */
  leaseTime?: number;
  /** The largest item, in bytes as encoded; 2 ** 24 (16 MB) by default, at most 2 ** 28. */
  maxItemBytes?: number;
  /**
   * What beats: "thread" (the default), a thread of its own, so that a process which computes for longer than
   * `leaseTime` without a pause keeps its items; it is started at the first lease. Or "loop", the event loop of
   * the process, which needs no thread.
   */
  heartbeat?: "thread" | "loop";
  /** Certificates of authorities, as PEM, for "rediss:". */
  ca?: string | string[];
  /** How many ms `connect` waits for the server; 5000 by default. */
  timeout?: number;
  /** Ends `connect` when aborted. */
  signal?: AbortSignal;
}

/** The options of a hub, all of them. */
export type Checked = Required<Omit<HubOptions, "ca" | "signal">> & { ca?: string | string[] };

const HUB_OPTIONS = [
  ...["prefix", "leaseTime", "maxItemBytes", "heartbeat", "ca", "timeout", "signal"],
];

/** Checks the options of connect(). */
export function checkHub(options: HubOptions = {}): Checked {
  checkNames(options, HUB_OPTIONS, 'connect("redis://127.0.0.1:6379", { leaseTime: 30_000 })');
  const prefix = option(options, "prefix") ?? "mp";
  checkOption(
    "prefix",
    prefix,
    typeof prefix === "string" && /^[^{}]+$/.test(prefix),
    "a string that isn't empty, without braces",
  );
  const leaseTime = option(options, "leaseTime") ?? 30_000;
  checkWhole("leaseTime", leaseTime, 100, 2 ** 31 - 1, "30_000 is the default, in milliseconds");
  const maxItemBytes = option(options, "maxItemBytes") ?? 2 ** 24;
  checkWhole("maxItemBytes", maxItemBytes, 1, 2 ** 28, "2 ** 24 is the default");
  const heartbeat = option(options, "heartbeat") ?? "thread";
  checkOption(
    "heartbeat",
    heartbeat,
    heartbeat === "thread" || heartbeat === "loop",
    '"thread" or "loop"',
  );
  const ca = option(options, "ca");
  checkOption(
    "ca",
    ca,
    ca === undefined || [ca].flat().every((pem) => typeof pem === "string"),
    "the text of a PEM file, or several",
  );
  const timeout = checkMilliseconds("timeout", option(options, "timeout") ?? 5000);
  signalOf(options);
  return { prefix, leaseTime, maxItemBytes, heartbeat, timeout, ...ca === undefined ? {} : { ca } };
}

/** Checks a URL of a server. */
export function checkUrl(url: unknown): string {
  if (url instanceof URL) url = url.href;
  if (typeof url === "string" && isServerUrl(url)) return new URL(url).href;
  // What may be a password isn't printed.
  const shown = typeof url === "string" ? url.replace(/\/\/.*@/s, "//…@") : url;
  throw new TypeError(
    `url is ${describe(shown)}, not the URL of a Redis server. ` +
      'Give one such as "redis://user:password@host:6379", or "rediss:" for TLS; ' +
      "a path is the number of a database, and odd characters of a password are percent-encoded.",
  );
}

function isServerUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol)) return false;
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return false;
  }
  return /^(\/\d*)?$/.test(url.pathname);
}

/** A URL as it may be printed. */
export function publicUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

/**
 * Options of {@linkcode Hub.queue}. They count where the queue is made; where it is there already, those that
 * are given must be its own.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteQueueOptions } from "@multiproc/multiprocessing/redis";
 *
 * const options: RemoteQueueOptions = { maxSize: 1000, expireAfter: 60_000 };
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const queue = await hub.queue<string>("an example with options", options);
 * console.log(queue.maxSize); // 1000
 * await queue.delete();
 * ```
 */
export interface RemoteQueueOptions {
  /** The most items it holds before `put` waits; a whole number from 0 to 2 ** 31 - 1. 0, the default: no bound. */
  maxSize?: number;
  /** After how many ms without any client the server removes the queue, with its items; never by default. */
  expireAfter?: number;
}

/**
 * Options of {@linkcode Hub.joinableQueue}.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteJoinableQueueOptions } from "@multiproc/multiprocessing/redis";
 *
 * const options: RemoteJoinableQueueOptions = { attempts: 5 };
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const queue = await hub.joinableQueue<string>("an example with attempts", options);
 * console.log(queue.attempts); // 5
 * await queue.delete();
 * ```
 */
export interface RemoteJoinableQueueOptions extends RemoteQueueOptions {
  /**
   * How often an item is given out: one that comes back after so many times goes to the queue's `dead` letters. A
   * whole number from 1 to 250; without it an item may come back for ever.
   */
  attempts?: number;
}

/** The properties of a queue that the server keeps; undefined where the caller doesn't care. */
export interface Properties {
  maxSize: number | undefined;
  counted: boolean;
  attempts: number | undefined;
  expireAfter: number | undefined;
}

/** Checks the options of a queue. */
export function checkQueue(
  options: RemoteJoinableQueueOptions | undefined,
  counted: boolean,
): Properties {
  const names = counted ? ["maxSize", "expireAfter", "attempts"] : ["maxSize", "expireAfter"];
  if (options !== undefined) {
    checkNames(
      options,
      names,
      `hub.${counted ? "joinableQueue" : "queue"}("name", { maxSize: 1000 })`,
    );
  }
  const maxSize = option(options, "maxSize");
  if (maxSize !== undefined) checkBounds({ maxSize });
  const attempts = counted ? option(options, "attempts") : undefined;
  if (attempts !== undefined) {
    checkWhole("attempts", attempts, 1, 250, "leave it out for no limit");
  }
  const expireAfter = option(options, "expireAfter");
  if (expireAfter !== undefined) {
    const most = Number.MAX_SAFE_INTEGER;
    checkWhole("expireAfter", expireAfter, 1, most, "milliseconds; leave it out for no limit");
  }
  return { maxSize, counted, attempts, expireAfter };
}

/** Checks the name of a queue or a lock. */
export function checkRemoteName(name: unknown): string {
  checkOption(
    "name",
    name,
    typeof name === "string" && name !== "" && name.isWellFormed(),
    "a string that isn't empty, and has no half of a surrogate pair",
  );
  return name as string;
}
