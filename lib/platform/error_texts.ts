// The texts of the errors that V8 and Deno throw in code without its module around it.
//
//   outside names     "X is not defined" and "Cannot access 'X' before initialization" (V8).
//   imports           of a relative path or a bare name from a data: URL, without and with a deno.json (Deno).

import * as primordials from "./primordials.ts";

const { RegExpPrototypeExec, TypeError } = primordials;

/** The name that a ReferenceError says is not defined. */
export function undefinedNameIn(error: ReferenceError): string | undefined {
  return RegExpPrototypeExec(/^(\S+) is not defined$/, error.message)?.[1];
}

/** The name that a ReferenceError says was used before it had a value. */
export function uninitializedNameIn(error: ReferenceError): string | undefined {
  return RegExpPrototypeExec(/^Cannot access '(\S+)' before initialization$/, error.message)?.[1];
}

const UNRESOLVED = /^invalid URL: relative URL|^(?:Import|Relative import path) "([^"]*)" not /;

/** The specifier, in words, of an import that can't be resolved from a data: URL; undefined for another error. */
export function unresolvedImportIn(error: Error): string | undefined {
  const found = error instanceof TypeError ? RegExpPrototypeExec(UNRESOLVED, error.message) : null;
  if (found === null) return undefined;
  return found[1] === undefined ? "a relative path" : `"${found[1]}"`;
}
