// Pipe ends in workers that this library did not start: made with `new Worker`, or node's. They get an end in
// a message, with the process table it is in and an entry of their own there. No host of this library runs
// them, so their death is learnt from a port whose other end they hold for life.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { describe } from "../validate/describe.ts";
import { InvalidStateError } from "../errors.ts";
import type { Serialized } from "../transfer/transferable.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { placeIn, takePlace } from "../liveness/membership.ts";
import type { Ref } from "../liveness/process_table.ts";
import { recheckEverywhere } from "../wait/eventcount.ts";
import type { EndpointContent } from "./endpoint.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeConcat, ArrayPrototypePush, ToObject, TypeError } = primordials;

/**
 * An end of a pipe on its way to a worker that this library did not start: {@linkcode Connection.toMessage}
 * makes it, and {@linkcode Connection.fromMessage} takes it. Its content is private to these two.
 *
 * @example
 * ```ts
 * import type { Connection, ConnectionMessage } from "@multiproc/multiprocessing";
 *
 * interface Task {
 *   url: string;
 *   results: ConnectionMessage;
 * }
 *
 * export function assign(worker: Worker, url: string, connection: Connection<string>) {
 *   const [results, transfer] = connection.toMessage();
 *   const task: Task = { url, results };
 *   worker.postMessage(task, transfer);
 * }
 * ```
 */
export interface ConnectionMessage {
  /** Marks the message as an end of a pipe. */
  readonly "@multiproc/multiprocessing": "Connection";
}

/** The content of the message. */
interface Contents extends ConnectionMessage {
  content: EndpointContent;
  processTable: SharedArrayBuffer;
  /** The worker's entry in the process table. */
  self: Ref;
  life: MessagePort;
}

/** The message in which an end goes to a worker, and the objects that have to be transferred with it. */
export function messageOf(
  { content, ports = [] }: Serialized,
  moved: (owner: Ref, how: string) => void,
): [ConnectionMessage, Transferable[]] {
  const place = placeIn((content as EndpointContent).program)!;
  const { processTable } = place, { shares } = processTable;
  if (shares === undefined) {
    throw new InvalidStateError(
      "A process with permissions of its own makes no messages of connections: it starts no workers. " +
        "Send the connection through a pipe.",
    );
  }
  // This isolate, which may have made the worker, owns its entry: the worker lives no longer than this
  // isolate.
  const worker = processTable.registerProcess("a worker", place.self);
  const { port1, port2 } = new MessageChannel();
  port1.on("close", () => {
    processTable.reap(worker);
    recheckEverywhere();
  });
  // A port that isn't started doesn't hear of the end of the other port.
  port1.unref();
  port1.start();
  withoutKill(() => moved(worker, "put into a message"));
  const message: Contents = {
    "@multiproc/multiprocessing": "Connection",
    content: content as EndpointContent,
    processTable: shares,
    self: worker,
    life: port2,
  };
  return [message, ArrayPrototypeConcat<unknown>(ports, [port2]) as Transferable[]];
}

/** The ports this worker holds for life. */
const lives: MessagePort[] = [];

/** The content of an end that has arrived in a message. */
export function contentOf(message: unknown): EndpointContent {
  const { content, self, life, processTable: shares } = ToObject(message) as Partial<Contents>;
  if (
    content === undefined || self === undefined || life === undefined || shares === undefined
  ) {
    throw new TypeError(
      `The message is ${describe(message)} that no connection was put into. ` +
        "Give what connection.toMessage() has made, as the worker receives it.",
    );
  }
  // A message makes one connection.
  delete (message as Partial<Contents>).life;
  const { processTable, self: place } = takePlace(shares, self);
  if (place.index === self.index) ArrayPrototypePush(lives, life);
  else {
    // The entry in the message was made while this worker was unknown; the worker has an entry already, which
    // gets the end.
    withoutKill(() => processTable.reparent(content.self, place));
    life.close();
  }
  return content;
}
