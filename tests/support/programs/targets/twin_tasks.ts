// Functions with the text and the names of those in twins.ts.

const factor = 10;

export function work(n: number) {
  return n * factor;
}

const scaled = (n: number) => n * factor;

export const jobs = { scaled };
