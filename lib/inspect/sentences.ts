// Parts of sentences.

import { harmless } from "../wait/describe_wait.ts";
import type { Seen } from "./read_all.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypeSlice } = primordials;

/** The most that are told by name. */
const MOST = 3;

/** "a, b and c". */
export function listed(parts: readonly string[]): string {
  if (parts.length <= 1) return parts[0] ?? "";
  const last = parts[parts.length - 1];
  return `${ArrayPrototypeJoin(ArrayPrototypeSlice(parts, 0, parts.length - 1), ", ")} and ${last}`;
}

/** Processes that have ended, and how: `"read" has ended`. */
export function describeProcesses(ended: readonly Seen[]): string {
  const told = ArrayPrototypeMap(
    ArrayPrototypeSlice(ended, ended.length > MOST ? ended.length - MOST : 0),
    ({ process, exitCode }) =>
      `"${harmless(process.name)}" has ended${
        exitCode === undefined || exitCode === 0 ? "" : `, exit code ${exitCode}`
      }`,
  );
  return listed(told);
}
