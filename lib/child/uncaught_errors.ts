// Uncaught errors in a started process, in a timer or an abandoned promise: they end the process, unless the
// target listens for such errors itself, as it may in main: by events of the global scope, of which it prevents
// the default, or by those of node's process. Which errors count and in which order is as in the main isolate
// of Deno 2.9.6.

import process from "node:process";
import { isOfChannel } from "../wait/broadcast.ts";
import * as primordials from "../platform/primordials.ts";

const {
  addEventListener,
  Deno,
  Error,
  EventPrototypePreventDefault,
  Object,
  queueMicrotask,
  RegExpPrototypeTest,
  String,
} = primordials;

/** node's own way of calling the listeners for uncaught errors: true if one of them has handled the error. */
interface Asking {
  _fatalException?(error: unknown, fromPromise?: boolean): boolean;
}
const { inspect } = Deno;
const node: typeof process & Asking = process;

/**
 * From now on uncaught errors are reported. The listeners of the target are called after these, so whether they
 * prevented the default is known only once all listeners have had the event.
 */
export function watchForUncaught(uncaught: (error: unknown) => void): void {
  const look = (event: Event, isHandled: () => boolean, error: unknown) => {
    let prevented = event.defaultPrevented;
    EventPrototypePreventDefault(event);
    event.preventDefault = () => prevented = true;
    queueMicrotask(() => {
      if (prevented) return;
      try {
        if (!isHandled()) uncaught(error);
      } catch (thrownByListener) {
        uncaught(thrownByListener);
      }
    });
  };
  // node's "uncaughtException" is itself raised by a listener of this event, and so needs no extra call here.
  addEventListener("error", (event) => look(event, () => false, thrownAt(event)));
  addEventListener("unhandledrejection", (event) => {
    if (isOfChannel(event.reason)) return;
    look(event, () => isHandledByNode(event), event.reason);
  });
}

function thrownAt({ error, message }: ErrorEvent): unknown {
  return error ?? (RegExpPrototypeTest(/^Uncaught (null|undefined)$/, message) ? error : message);
}

/**
 * Calls node's listeners. Deno calls them last, and only where the default wasn't prevented; look() has
 * prevented it.
 */
function isHandledByNode({ reason, promise }: PromiseRejectionEvent): boolean {
  if (node.emit("unhandledRejection", reason, promise)) return true;
  return node._fatalException?.(asError(reason), true) ?? false;
}

/** The error that listeners for uncaught errors get for a rejection whose reason isn't an error. */
function asError(reason: unknown): unknown {
  if (reason instanceof Error) return reason;
  if (
    node.listenerCount("uncaughtException") + node.listenerCount("uncaughtExceptionMonitor") === 0
  ) {
    return reason;
  }
  const text = typeof reason === "object" ? inspect(reason) : String(reason);
  const error = new Error(
    "This error originated either by throwing inside of an async function without a catch block, or by " +
      `rejecting a promise which was not handled with .catch(). The promise rejected with the reason "${text}".`,
  );
  Object.defineProperty(error, "name", { value: "UnhandledPromiseRejection", configurable: true });
  return Object.assign(error, { code: "ERR_UNHANDLED_REJECTION", reason });
}
