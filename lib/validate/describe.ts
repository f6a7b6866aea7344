// How messages name a value that is not what it should be.

import * as primordials from "../platform/primordials.ts";

const { Array, JSON } = primordials;

/** A value in words: "null", "an array", "a number", `a string, "text"`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "string") return `a string, ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

/** How a process ended, by its exit code: "exited with code 3", "was killed". */
export function howItEnded(exitCode: number): string {
  if (exitCode === -15) return "was terminated";
  if (exitCode === -9) return "was killed";
  return `exited with code ${exitCode}`;
}
