// How much a test does: more in the full run, which has all permissions, than in plain `deno test`, which has
// none and is to be short.

import { granted } from "./programs.ts";

/** What holds in the full run, and what in the short one. */
export function inFull<T>(full: T, short: T): T {
  return granted ? full : short;
}
