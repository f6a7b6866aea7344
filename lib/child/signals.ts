// Signals that end a program belong to the program. A listener in one of its processes would take Ctrl-C from
// all of them, since Deno has one list of listeners for all isolates, and then only SIGKILL would end the
// program (Deno 2.9.6). So started processes don't listen to these signals. Main may, and tells the processes
// by an Event or a queue.

import { EventEmitter } from "node:events";
import process from "node:process";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeIncludes, Deno, each, Object, Reflect } = primordials;

/** The signals by which people, terminals and supervisors end a program. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK"];

// deno-lint-ignore no-explicit-any
type Methods = Record<string, any>;

/** Called once in a started process, before any code of the user's runs. */
export function leaveSignalsToMain(): void {
  const deno: Methods = globalThis.Deno;
  const { addSignalListener: listen } = deno;
  // A sealed process has no signals at all.
  if (
    typeof listen === "function" &&
    Object.getOwnPropertyDescriptor(deno, "addSignalListener")!.writable
  ) {
    deno.addSignalListener = (signal: unknown, handler: unknown) => {
      if (isEnding(signal)) throw refused(signal);
      return Reflect.apply(listen, deno, [signal, handler]);
    };
  }
  // As in a worker thread of Node, such a listener is accepted and never called: packages add such listeners unasked.
  const methods: Methods = process, emitter: Methods = EventEmitter.prototype;
  for (const name of each(["on", "addListener", "prependListener"])) {
    const original = methods[name], plain = emitter[name];
    methods[name] = function (this: unknown, ...args: unknown[]) {
      return Reflect.apply(isEnding(args[0]) ? plain : original, this, args);
    };
  }
}

function isEnding(signal: unknown): signal is string {
  return ArrayPrototypeIncludes<unknown>(ENDING, signal);
}

function refused(signal: string): Error {
  return new Deno.errors.NotSupported(
    `${signal} can't be listened to in a process that was started: a listener here would keep the signal from ` +
      "ending the program. Listen in the main process, and tell this one by an Event or a queue.",
  );
}
