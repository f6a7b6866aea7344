// The length of a test: longer in the full run, which has all permissions, than in plain `deno test`, which has
// none and should be short.

import { granted } from "./programs.ts";

/** What holds in the full run, and what in the short one. */
export function inFull<T>(full: T, short: T): T {
  return granted ? full : short;
}

/** A test of the full run: one of its kind runs in plain `deno test`. */
export function testInFull(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: granted ? name : `${name} (in the full run)`, ignore: !granted, fn });
}
