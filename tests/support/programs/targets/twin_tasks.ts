// Functions with the same text and the same names as those in twins.ts.

const factor = 10;

export function work(n: number) {
  return n * factor;
}

const scaled = (n: number) => n * factor;

export const jobs = { scaled };
