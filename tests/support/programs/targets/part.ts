// A module that another one exports as a whole.

const factor = 2;

export function inPart(n: number) {
  return [n * factor, "by reference"];
}
