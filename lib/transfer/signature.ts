// Which text may be run as code here: text that comes from a process with the same rights. A process
// with other rights, in a sandbox perhaps, could have its own code run with ours otherwise.
//
// Processes that share their rights share a key, which nobody else is told; text that one of them seals
// (HMAC, RFC 2104) another can check. What a process is given by its starter needs no seal: the starter
// could do all of that itself.

import process from "node:process";
import { PerIsolate } from "../liveness/per_isolate.ts";
import * as primordials from "../platform/primordials.ts";

const { crypto, Uint8Array } = primordials;

const KEY_BYTES = 32;

const perIsolate = new PerIsolate<Uint8Array>("key");

/** The key of this process and of those that inherit from it. */
export function ownKey(): Uint8Array {
  return perIsolate.getOr(() => crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

/** Called once, first of all, in a process that inherits its rights. */
export function adoptKey(key: Uint8Array): void {
  perIsolate.set(key);
}

let isKeyless = false;

/** Called once in a sealed process: what it seals holds nowhere, and node:crypto isn't loaded there. */
export function forgetKey(): void {
  isKeyless = true;
  perIsolate.hide();
}

/** The seal of a text. */
export function sign(text: string): string {
  if (isKeyless) return crypto.randomUUID();
  // Loading it takes 12 ms, and few need it.
  const { createHmac } = process.getBuiltinModule("node:crypto");
  return createHmac("sha256", ownKey()).update(text).digest("hex");
}

/** Whether a text was sealed by a process with the rights of this one. */
export function verify(text: string, mark: unknown): boolean {
  return mark === sign(text);
}

let isTrusted = false;

/** Does `work`, which unpacks what the starter of this process has sent. */
export function fromStarter<T>(work: () => T): T {
  isTrusted = true;
  try {
    return work();
  } finally {
    isTrusted = false;
  }
}

/** Whether what is being unpacked was sent by the starter of this process. */
export function isFromStarter(): boolean {
  return isTrusted;
}
