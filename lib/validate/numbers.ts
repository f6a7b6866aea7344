// The one check of numbers that users give. A value that isn't a number leads to a TypeError, a number that can't
// be used to a RangeError, and both messages end with what to give instead.

import { describe } from "./describe.ts";
import * as primordials from "../platform/primordials.ts";

const { Number, RangeError, TypeError } = primordials;

/**
 * Checks a number.
 *
 * @param what the name by which the user knows the number
 * @param wanted a sentence that says what to give
 * @param because the middle of a RangeError's message, after the number: ", and the length is 3"
 * @throws {TypeError} if the value is not a number
 * @throws {RangeError} if `isRight` is false of it
 */
export function checkNumber(
  what: string,
  value: unknown,
  isRight: (value: number) => boolean,
  wanted: string,
  because = "",
): number {
  if (typeof value !== "number") {
    throw new TypeError(`${what} is ${describe(value)}, not a number. ${wanted}`);
  }
  if (!isRight(value)) throw new RangeError(`${what} is ${value}${because}. ${wanted}`);
  return value;
}

/** Checks a whole number in a range; the hint says what some of the numbers mean. */
export function checkWhole(
  what: string,
  value: unknown,
  least: number,
  most: number,
  hint: string,
): number {
  return checkNumber(
    what,
    value,
    (n) => isWhole(n, least, most),
    `Give a whole number from ${least} to ${most}; ${hint}.`,
  );
}

/** Checks a whole number from `least` up; Infinity passes only with `mayBeEndless`. */
export function checkCount(
  what: string,
  value: unknown,
  least: number,
  mayBeEndless = false,
): number {
  return checkNumber(
    what,
    value,
    (n) => isWhole(n, least, Infinity) || mayBeEndless && n === Infinity,
    `Give a whole number from ${least} up.`,
  );
}

/** Whether a number is whole and from `least` to `most`. */
export function isWhole(n: number, least: number, most: number): boolean {
  return Number.isInteger(n) && n >= least && n <= most;
}

/** Checks a limit, a number above 0, and returns it; undefined where no limit is given. */
export function checkLimit(what: string, value: unknown, unit: string): number | undefined {
  if (value === undefined) return undefined;
  return checkNumber(
    what,
    value,
    (n) => n > 0,
    `Give a number of ${unit} above 0, or leave it out.`,
  );
}

const isNotNegative = (n: number) => n >= 0;

/** Checks a time: a number of milliseconds from 0 up, Infinity included. */
export function checkMilliseconds(what: string, value: unknown): number {
  // This test keeps the check cheap for waits that are given a timeout each time.
  if (typeof value === "number" && value >= 0) return value;
  const wanted = "Give milliseconds from 0 up; Infinity has no end.";
  return checkNumber(what, value, isNotNegative, wanted);
}

/** Checks a number of bytes from 0 up, Infinity included. */
export function checkBytes(what: string, value: unknown): number {
  return checkNumber(what, value, isNotNegative, "Give a number of bytes from 0 up.");
}
