// The user's recursion can have filled the stack, and then any call throws. What must not be left half done
// looks beforehand whether there is room.

/** Throws a RangeError if there is no room on the stack for so many calls, one in the other. */
export function checkStack(calls: number): number {
  return calls === 0 ? 0 : 1 + checkStack(calls - 1);
}
