// Modules that were loaded together with a process that can't import any by itself.

import * as primordials from "../platform/primordials.ts";

const { each, Object, SafeMap } = primordials;

type Namespace = Record<string, unknown>;

const modules = new SafeMap<string, Namespace>();

/** Keeps these modules, by their URLs. */
export function preload(loaded: Record<string, Namespace>): void {
  for (const { 0: url, 1: namespace } of each(Object.entries(loaded))) modules.set(url, namespace);
}

/** The preloaded module with this URL. */
export function preloaded(url: string): Namespace | undefined {
  return modules.get(url);
}
