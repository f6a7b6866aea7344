// Checks the failure that a process with permissions of its own has sent, before a value is made of it: the
// process may be hostile, and all lists that are walked must together be no longer than the bytes it has sent.

import type { Failure } from "./remote_error.ts";
import * as primordials from "../platform/primordials.ts";

const { Array, each, TypeError } = primordials;

/**
 * Returns the value, if it is the description of a failure.
 *
 * @param most the largest total number of its parts: each part has taken at least one byte
 * @throws {TypeError} if it isn't
 */
export function checkedFailure(value: unknown, most: number): Failure {
  let left = most;
  const list = (of: unknown, what: string): unknown[] => {
    if (!Array.isArray(of)) throw new TypeError(`${what} of what was thrown isn't a list.`);
    left -= of.length;
    if (left < 0) throw new TypeError(`${what} of what was thrown has more parts than were sent.`);
    return of;
  };
  const { objects } = record(value);
  for (const described of each(list(objects, "The description"))) {
    const { is, properties, hidden, items, length, name, message, stack, words } = record(
      described,
    );
    switch (is) {
      case "error":
        list(properties, "A part");
        list(hidden, "A part");
        for (const text of each([name, message, stack ?? ""])) checkText(text);
        break;
      case "object":
        list(properties, "A part");
        break;
      case "array":
        list(properties, "A part");
        list(items, "A part");
        if (typeof length !== "number" || !(length <= 2 ** 32 - 1)) throw noPart();
        break;
      case "map":
      case "set":
        list(items, "A part");
        break;
      case "leaf":
        break;
      case "words":
        checkText(words);
        break;
      default:
        throw noPart();
    }
  }
  return value as Failure;
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw noPart();
}

function checkText(value: unknown): void {
  if (typeof value !== "string") throw noPart();
}

function noPart(): TypeError {
  return new TypeError("What was thrown has a part that is none.");
}
