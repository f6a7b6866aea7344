// A module that a target's module imports.

/** Twice as much. */
export function twice(n: number): number {
  return 2 * n;
}
