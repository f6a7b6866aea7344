// Pipe: makes two connected ends.

import { MessageChannel } from "node:worker_threads";
import { describe } from "../validate/describe.ts";
import { checkNames } from "../validate/options.ts";
import { checkBounds } from "../validate/bounds.ts";
import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import { connect, type Connection } from "./connection.ts";
import { newShares } from "./endpoint.ts";
import * as primordials from "../platform/primordials.ts";

const { TypeError } = primordials;

/**
 * Options of a new {@linkcode Pipe}.
 *
 * @example
 * ```ts
 * import { Pipe, type PipeOptions, TimeoutError } from "@multiproc/multiprocessing";
 *
 * const options: PipeOptions = { duplex: false, maxSize: 1 };
 * const [receiver, sender] = Pipe<string>(options);
 * await sender.send("one");
 * await sender.send("two", { timeout: 10 })
 *   .catch((error) => console.log(error instanceof TimeoutError)); // true
 * console.log(await receiver.recv()); // one
 * ```
 */
export interface PipeOptions {
  /** Whether both ends send and receive. Default true; false: the first receives, the second sends. */
  duplex?: boolean;
  /**
   * The most messages that may be on their way in one direction before `send` waits; a whole
   * number from 0 to 2 ** 31 - 1. 0, the default: no bound.
   */
  maxSize?: number;
  /**
   * The most bytes that messages on their way in one direction take in shared memory before `send`
   * waits; a whole number from 64 to 2 ** 31 - 16. Default 2 ** 30 (1 GiB). Memory is taken as it
   * is needed and given back as messages are received. What is transferred doesn't count.
   */
  maxBytes?: number;
}

/**
 * Makes two connected ends: a message sent on one is received on the other. Python's `multiprocessing.Pipe`.
 * Each end is used by one process at a time; give one of them to a process in its `args`.
 *
 * @param options `duplex: false` makes a one-way pipe, of which the first end only receives and the
 *   second only sends
 * @throws {RangeError} if `maxSize` or `maxBytes` is not a whole number in its range
 * @throws {TypeError} if an option has the wrong type
 *
 * @example
 * ```ts
 * import { Pipe } from "@multiproc/multiprocessing";
 *
 * const [receiver, sender] = Pipe<string>({ duplex: false });
 * await sender.send("hello");
 * console.log(await receiver.recv()); // hello
 * ```
 *
 * @typeParam R the type of the messages that the first end receives and the second sends
 * @typeParam S the type of the messages that the first end sends and the second receives
 */
export function Pipe<R = unknown, S = R>(
  options: PipeOptions = {},
): [Connection<R, S>, Connection<S, R>] {
  options = checkNames(options, ["duplex", "maxSize", "maxBytes"], "Pipe({ duplex: false })");
  const { duplex = true } = options;
  if (typeof duplex !== "boolean") {
    throw new TypeError(`duplex is ${describe(duplex)}. Give true or false.`);
  }
  const { maxSize, maxBytes } = checkBounds(options);
  const toFirst = newShares(maxSize, maxBytes);
  const toSecond = duplex ? newShares(maxSize, maxBytes) : undefined;
  const processTable = ownProcessTable(), owner = ownRef();
  const first = processTable.register(owner), second = processTable.register(owner);
  const { port1, port2 } = new MessageChannel();
  const common = { program: processTable.id, number: 0 };
  return [
    connect({
      ...common,
      self: first,
      peer: second,
      port: port1,
      incoming: toFirst,
      outgoing: toSecond,
    }),
    connect({
      ...common,
      self: second,
      peer: first,
      port: port2,
      incoming: toSecond,
      outgoing: toFirst,
    }),
  ];
}
