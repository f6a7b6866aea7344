// The counts of a run, by name. Of names that begin with "longest" the greatest number is kept, of
// all others the sum.

/** Numbers by name. */
export type Numbers = Record<string, number>;

const isGreatest = (name: string) => name.startsWith("longest");

/** Adds to a number, or keeps the greater one. */
export function count(numbers: Numbers, name: string, n = 1): void {
  const old = numbers[name] ?? 0;
  numbers[name] = isGreatest(name) ? Math.max(old, n) : old + n;
}

/** The numbers of several programs as one. */
export function together(all: Iterable<Numbers>): Numbers {
  const sum: Numbers = {};
  for (const numbers of all) {
    for (const [name, n] of Object.entries(numbers)) count(sum, name, n);
  }
  return sum;
}
