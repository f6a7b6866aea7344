// The processes that this process has started and that may be alive.

import * as primordials from "../platform/primordials.ts";

const { listOf, SafeSet } = primordials;

/** A process, as far as it matters here. */
interface Child {
  isAlive(): boolean;
}

const children = new SafeSet<Child>();

/** Keeps account of a process that was started here. */
export function addChild(child: Child): void {
  children.add(child);
}

/** Ends what addChild() began. */
export function removeChild(child: Child): void {
  children.delete(child);
}

/** Those that are alive. */
export function livingChildren(): Child[] {
  for (const child of children) if (!child.isAlive()) children.delete(child);
  return listOf(children);
}
