// The module that a child runs first: its URL, and whether a bundle holds it together with the program.

import { isBundled, isInlined } from "./bundle.ts";
import * as primordials from "../platform/primordials.ts";

const { RegExpPrototypeTest, URL } = primordials;

let library = isBundled || isInlined ? "" : new URL("../child/boot.ts", import.meta.url).href;

/**
 * Sets the module's URL: in a started process to the one that its starter has given, in a bundle to the module
 * that the bundler has made.
 */
export function adoptChildModule(url: string): void {
  library = url;
}

/** The URL of the module that a child by reference runs first, or of the bundle that holds it. */
export function childModule(): string {
  return library;
}

/** Whether a bundle holds the module, together with the program. */
export function isChildModuleInBundle(): boolean {
  return !RegExpPrototypeTest(/\/child\/boot\.[cm]?[jt]s$/, library);
}
