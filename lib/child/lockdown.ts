// What a process with permissions of its own is denied beyond what Deno denies it: APIs that Deno 2.9.6 guards
// with no permission, and APIs that reach other isolates anyway. The lockdown is done once, before any code of
// the user's runs, and in the only realm there is: a worker would have functions of its own, so only this
// library makes workers. The lockdown is a second line of defence; the first is Deno.
//
//   workers            would not be ended with the process, nor kept within its limits
//   Web Locks          are the program's: a thread whose lock was stolen can't be stopped
//   open descriptors   node:net takes any number: the sockets and pipes of the program
//   signals            are the program's: hostile code could send them, or keep them from the program
//   prompts            Deno.permissions.request would ask the person at the terminal
//   object URLs        are the program's: hostile code could revoke those by which others load this package
//
// A process that may run any program could do as much by other means. There, signals and descriptors, which
// node:child_process needs, are left as they are.

import process from "node:process";
import { locks } from "../platform/interruption.ts";
import { deny, guardWorkers } from "../host/workers/worker_guard.ts";
import * as primordials from "../platform/primordials.ts";

const { Object, Reflect } = primordials;

type Methods = Record<string, unknown>;

/**
 * Denies all of this to the process; `mayRunAll` says whether it may run any program. A sealed process has no
 * object URLs.
 */
export function lockDown(mayRunAll: boolean, isSealed: boolean): void {
  guardWorkers();
  denyMethods(Object.getPrototypeOf(locks), "Web Locks", ["request", "query"]);
  neverAsk();
  if (!isSealed) keepForeignUrls();
  if (mayRunAll) return;
  for (const { prototype } of handleClasses()) denyMethods(prototype, "File descriptors", ["open"]);
  if (!isSealed) denyMethods(globalThis.Deno, "Signals", ["kill", "addSignalListener"]);
  denyMethods(process, "Signals", ["_kill", "abort"]);
}

/** The classes behind the sockets and pipes of node:net and node:dgram. */
function handleClasses(): { prototype: Methods }[] {
  const binding: (name: string) => Record<string, { prototype: Methods }> = Reflect.get(
    process,
    "binding",
  );
  return [binding("pipe_wrap").Pipe, binding("tcp_wrap").TCP, binding("udp_wrap").UDP];
}

function denyMethods(object: Methods | object, what: string, names: readonly string[]): void {
  for (const name of names) {
    if (name in object) replace(object, name, () => deny(what));
  }
}

/** Has a confined process that requests a permission get the state, without a prompt. */
function neverAsk(): void {
  const methods: Methods = Object.getPrototypeOf(globalThis.Deno.permissions);
  replace(methods, "request", methods.query);
  replace(methods, "requestSync", methods.querySync);
}

/** Lets a process revoke only its own object URLs. These functions call nothing that the user's code can replace. */
function keepForeignUrls(): void {
  const { createObjectURL, revokeObjectURL } = globalThis.URL;
  const own: Record<string, boolean> = Object.create(null);
  replace(globalThis.URL, "createObjectURL", (blob: Blob) => {
    const url = createObjectURL(blob);
    own[url] = true;
    return url;
  });
  replace(globalThis.URL, "revokeObjectURL", (url: string) => {
    const text = `${url}`;
    if (own[text] !== true) return;
    delete own[text];
    revokeObjectURL(text);
  });
}

/** Replaces a property so that it can't be changed again. */
function replace(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: false, configurable: false });
}
