// A cache of facts about functions. A fact holds as long as the function's module exists. So that a program
// that makes functions without end doesn't fill the memory, the cache is cleared when it is full.

import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** How many answers are kept. */
const KEPT = 256;

/** Answers by their keys. */
export class Memo<T> {
  readonly #answers = new SafeMap<string, T>();

  /** The cached answer for this key, or that of `ask`. */
  get(key: string, ask: () => T): T {
    const known = this.#answers.get(key);
    if (known !== undefined || this.#answers.has(key)) return known as T;
    if (this.#answers.size >= KEPT) this.#answers.clear();
    const answer = ask();
    this.#answers.set(key, answer);
    return answer;
  }
}
