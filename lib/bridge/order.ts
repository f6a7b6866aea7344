// What a keeper is told of the process of the operating system that it starts, and what it tells that process.

import type { BundleParts } from "../protocol/bundle_parts.ts";
import type { Grants, Sealed } from "../protocol/grants.ts";
import type { Identity } from "../protocol/identity.ts";
import type { Travel } from "../protocol/travel.ts";
import type { SourceText } from "../target/source.ts";

/** The program that a keeper starts, and how the process is kept. */
export interface Order {
  /** The path of the program, its arguments, and its environment as "NAME=value". */
  file: string;
  args: readonly string[];
  env: readonly string[];
  /** Whether a shell starts the process, which then has all its file descriptors (see command.ts). */
  hasShell: boolean;
  /** The bytes of a {@linkcode Start}. */
  start: Uint8Array;
  /** The URLs of this package's text, if the process gets the text from the keeper. */
  texts: BundleParts | undefined;
  /** The memory for the outcome of the target. */
  result: SharedArrayBuffer;
  /** In ms from when the modules are loaded; Infinity for none. */
  timeLimit: number;
  hasMemoryLimit: boolean;
}

/** What the process is told before it runs any code of the user's. */
export interface Start {
  identity: Identity;
  parent: Identity;
  travel: Travel;
  /** The target, if it travels by source. */
  source: SourceText | undefined;
  /** The bytes of the arguments, and the classes of the objects that were handed over in them. */
  args: Uint8Array;
  kinds: readonly string[];
  grants: Grants;
  sealed: Sealed | undefined;
  memoryLimitMb: number | undefined;
  maxResultBytes: number;
  /** The URL of this package's first module in a child, for processes that the process starts. */
  library: string;
  /** The URLs of this package's text; empty if the text comes from the keeper. */
  parts: BundleParts;
}
