// Signatures of text that is run as code. A process only runs text that comes from a process with the same
// rights: otherwise a process with fewer rights, in a sandbox perhaps, could have its code run with more.
//
// Processes with the same rights share a secret key. One of them signs a text (HMAC, RFC 2104), another verifies
// the signature. Text from a process's own starter needs no signature: the starter could do all that the text
// does by itself.

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

/** Called once in a sealed process: its signatures are valid nowhere, and node:crypto isn't loaded there. */
export function forgetKey(): void {
  isKeyless = true;
  perIsolate.hide();
}

/** The signature of a text. */
export function sign(text: string): string {
  if (isKeyless) return crypto.randomUUID();
  // node:crypto is loaded here because loading takes 12 ms, and few processes need it.
  const { createHmac } = process.getBuiltinModule("node:crypto");
  return createHmac("sha256", ownKey()).update(text).digest("hex");
}

/** Whether a text was signed by a process with the rights of this one. */
export function verify(text: string, mark: unknown): boolean {
  return mark === sign(text);
}

let isTrusted = false;

/** Does `work`, which unpacks a message from the starter of this process. */
export function fromStarter<T>(work: () => T): T {
  isTrusted = true;
  try {
    return work();
  } finally {
    isTrusted = false;
  }
}

/** Whether the message that is being unpacked was sent by the starter of this process. */
export function isFromStarter(): boolean {
  return isTrusted;
}
