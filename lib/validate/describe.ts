// The wording of error messages: a value of the wrong type, and the end of a process.

import * as primordials from "../platform/primordials.ts";

const { Array, JSON } = primordials;

/** A value in words: "null", "an array", "a number", `a string, "text"`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "string") return `a string, ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

/** The end of a process in words, by its exit code: "exited with code 3", "was killed". */
export function howItEnded(exitCode: number): string {
  if (exitCode === -15) return "was terminated";
  if (exitCode === -9) return "was killed";
  // Only a process of the operating system ends by another signal.
  return exitCode < 0 ? `was ended by signal ${-exitCode}` : `exited with code ${exitCode}`;
}
