// The modules that were loaded with a process that can't import any by itself.

import * as primordials from "../platform/primordials.ts";

const { Object } = primordials;

type Namespace = Record<string, unknown>;

const modules = new Map<string, Namespace>();

/** Keeps them, by their URLs. */
export function preload(loaded: Record<string, Namespace>): void {
  for (const [url, namespace] of Object.entries(loaded)) modules.set(url, namespace);
}

/** One of them. */
export function preloaded(url: string): Namespace | undefined {
  return modules.get(url);
}
