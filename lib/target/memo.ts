// What was found out about a function holds as long as its module does. So that a program that makes
// functions without end doesn't fill the memory with it, all of it is forgotten now and then.

import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** So many answers are kept. */
const KEPT = 256;

/** Answers, by what was asked. */
export class Memo<T> {
  readonly #answers = new SafeMap<string, T>();

  /** The answer of `ask`, or the one it gave before. */
  get(key: string, ask: () => T): T {
    const known = this.#answers.get(key);
    if (known !== undefined || this.#answers.has(key)) return known as T;
    if (this.#answers.size >= KEPT) this.#answers.clear();
    const answer = ask();
    this.#answers.set(key, answer);
    return answer;
  }
}
