// The module that a child runs first: where it is, and whether a bundle holds it together with the program.

import { isBundled, isInlined } from "./bundle.ts";
import * as primordials from "../platform/primordials.ts";

const { RegExpPrototypeTest, URL } = primordials;

let library = isBundled || isInlined ? "" : new URL("../child/boot.ts", import.meta.url).href;

/**
 * Says where it is: what a started process is told by its starter, or which module a bundler has put this
 * package into.
 */
export function adoptChildModule(url: string): void {
  library = url;
}

/** Where the module is that a child by reference runs first, or the bundle that holds it. */
export function childModule(): string {
  return library;
}

/** Whether a bundle holds it, together with the program. */
export function isChildModuleInBundle(): boolean {
  return !RegExpPrototypeTest(/\/child\/boot\.[cm]?[jt]s$/, library);
}
