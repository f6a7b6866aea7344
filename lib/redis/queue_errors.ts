// The errors of queues in a server.

import { QueueEmpty, QueueFull, QueueShutDown, TimeoutError } from "./core.ts";
import { LeaseLostError } from "./errors.ts";
import { publicUrl } from "./options.ts";

/** Nothing has come. */
export function emptyError(): QueueEmpty {
  return new QueueEmpty("The queue is empty. Wait longer, or put an item.");
}

/** There was no room. */
export function fullError(maxSize: number, put: number, total: number, isMany: boolean): QueueFull {
  const progress = isMany ? ` ${put} of ${total} items were put.` : "";
  return new QueueFull(
    `The queue is full: its maxSize is ${maxSize}.${progress} Wait longer, or get items out of it.`,
    put,
  );
}

/** The queue was shut down. */
export function shutDownError(state: string): QueueShutDown {
  return new QueueShutDown(`The queue was shut down and ${state}. Make a new queue.`);
}

/** The error of whoever reports an item that is no longer its own. */
export function leaseLostError(name: string): LeaseLostError {
  return new LeaseLostError(
    `The lease of an item of the queue "${name}" had ended before it was done, and another consumer gets the ` +
      "item. Connect with a longer leaseTime if that happens without a broken connection.",
  );
}

/** The server has not answered in time. */
export function unanswered(url: string): TimeoutError {
  return new TimeoutError(
    `The server at ${publicUrl(url)} doesn't answer. Try again, or look after the server.`,
  );
}
