// Reproducible random numbers: a test that uses them prints its seed when it fails.

/** A generator of numbers in [0, 1) from a seed (mulberry32, by Tommy Ettinger). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs `body` with a random generator for each seed; a failure says which seed to repeat. */
export async function withSeeds(
  seeds: Iterable<number>,
  body: (random: () => number, seed: number) => void | Promise<void>,
): Promise<void> {
  for (const seed of seeds) {
    try {
      await body(randomFrom(seed), seed);
    } catch (error) {
      throw new Error(`With seed ${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}

/** A whole number from `least` to `most`, both included. */
export function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}
