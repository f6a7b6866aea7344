// The processes that this process has started and that may be alive.

import * as primordials from "../platform/primordials.ts";

const { listOf, SafeSet } = primordials;

/** The part of a process that is used here. */
interface Child {
  isAlive(): boolean;
}

const children = new SafeSet<Child>();

/** Adds a process that was started here. */
export function addChild(child: Child): void {
  children.add(child);
}

/** Removes a process that addChild() has added. */
export function removeChild(child: Child): void {
  children.delete(child);
}

/** The children that are alive. */
export function livingChildren(): Child[] {
  for (const child of children) if (!child.isAlive()) children.delete(child);
  return listOf(children);
}
