// A module that whole.ts exports as a whole.

const factor = 2;

/** Not in the function itself, where a bundler would put the number. */
function timesFactor(n: number): [number, string] {
  return [n * factor, "by reference"];
}

export function inPart(n: number) {
  return timesFactor(n);
}
