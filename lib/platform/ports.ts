// Message ports of node:worker_threads: behaviour beyond the documentation that this library relies on.
//
//   closed ports      receiveMessageOnPort of a closed port answers undefined, or throws "expected i32" (Deno
//                     2.9.4, 2.9.5). A port closes when the other end does.
//   close()           The close() of a port from node's MessageChannel starts the other port of the pair if
//                     that is in the same isolate. A started port takes its messages out of reach of
//                     receiveMessageOnPort. The close() of the prototype doesn't start the other port. For a
//                     started port, close() fails where Error.prototype is frozen.

import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import * as primordials from "./primordials.ts";

const {
  ArrayPrototypeSome,
  each,
  Error,
  Object,
  Reflect,
  SymbolPrototypeGetDescription,
  TypeError,
  uncurry,
} = primordials;

/**
 * The next message of a port, without a turn of the event loop; undefined if there is none, or if the port has
 * closed.
 */
export function takeMessage(port: MessagePort): { message: unknown } | undefined {
  try {
    return receiveMessageOnPort(port) as { message: unknown } | undefined;
  } catch (error) {
    if (isThrownForClosedPort(error)) return undefined;
    throw error;
  }
}

/**
 * The message of the error that this Deno throws for a closed port; null where it throws none. Found at the
 * first error.
 */
let closedPortError: string | null | undefined;

function isThrownForClosedPort(error: unknown): boolean {
  closedPortError ??= findClosedPortError();
  return error instanceof TypeError && error.message === closedPortError;
}

function findClosedPortError(): string | null {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  try {
    receiveMessageOnPort(port1);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Closes a port without starting the other port of the pair. */
export const closeQuietly = uncurry<unknown, [], void>(globalThis.MessagePort.prototype.close);

/**
 * Closes a port that has been started and is no longer used. Where Error.prototype is frozen, close() of such a
 * port ends the program (Deno 2.9.6), because Deno can't name the error by which it stops listening. There the
 * port is left to close when its other end does.
 */
export function closeStarted(port: MessagePort): void {
  if (Object.getOwnPropertyDescriptor(Error.prototype, "name")?.writable !== false) port.close();
}

const post = uncurry<unknown, [unknown, object?], void>(
  globalThis.MessagePort.prototype.postMessage,
);

/** Posts a message, whatever the port's methods have become. */
export function postMessage(
  port: MessagePort,
  message: unknown,
  transfer: readonly object[] = [],
): void {
  // Deno iterates the list.
  post(port, message, { __proto__: null, transfer: each(transfer) });
}

/** Whether a port has begun to receive messages by events. */
export function isStarted(port: object): boolean {
  return ArrayPrototypeSome(Object.getOwnPropertySymbols(port), (symbol) => {
    return SymbolPrototypeGetDescription(symbol) === "enabled" &&
      Reflect.get(port, symbol) === true;
  });
}
