// The user's recursion can have filled the stack, and then any call throws. Work that must not be left half done
// checks beforehand that there is room on the stack.

/** Throws a RangeError if there is no room on the stack for this many nested calls. */
export function checkStack(calls: number): number {
  return calls === 0 ? 0 : 1 + checkStack(calls - 1);
}
