// What a worker has to tell: answers to callers, dead letters, and which tasks are over. One call of the script is
// under way at a time, with all that has come up meanwhile, so that answers stay in order.

import { describeFailure } from "../core.ts";
import type { Buffer } from "node:buffer";
import { encodeEntry } from "../entry.ts";
import type { Store } from "../store.ts";
import { type Answer, FAILED, RETURNED, SENT } from "./messages.ts";

/** The most answers in one item, and the most items and tags in one call. */
const MAX_ANSWERS = 64, MAX_PARTS = 500;
/** After how many ms what the server has refused is told again, and for how long a worker that ends tries that. */
const AGAIN_MS = 500, LAST_TRIES_MS = 5000;

/** The queue of a caller. */
export interface Address {
  caller: string;
  queueId: string;
}

interface Group extends Address {
  answers: Answer[];
}

/** Tells the callers. */
export class Reports {
  readonly #tasks: Store;
  readonly #worker: string;
  #groups: Group[] = [];
  #over: number[] = [];
  #dead: Buffer[] = [];
  #calls = 0;
  #flushing: Promise<void> | undefined;
  /** Until when what is refused is told again; for ever, until the worker ends. */
  #end = Infinity;

  constructor(tasks: Store, worker: string) {
    this.#tasks = tasks;
    this.#worker = worker;
  }

  /** Tells a caller. */
  tell({ caller, queueId }: Address, answer: Answer): void {
    // The last group of that caller: its answers stay in order.
    const last = this.#groups.findLast((group) =>
      group.caller === caller && group.queueId === queueId
    );
    if (last !== undefined && last.answers.length < MAX_ANSWERS) last.answers.push(answer);
    else this.#groups.push({ caller, queueId, answers: [answer] });
    this.#soon();
  }

  /** A task is over, once all that was told before has arrived. */
  over(tag: number): void {
    this.#tasks.takes.letGo(tag);
    this.#over.push(tag);
    this.#soon();
  }

  /** Keeps a letter among the dead ones. */
  bury(letter: unknown): void {
    try {
      this.#dead.push(encodeEntry(letter, "letter", this.#tasks.wires.options.maxItemBytes));
      this.#soon();
    } catch { // it is told to its caller all the same
    }
  }

  #soon(): void {
    if (this.#flushing !== undefined) return;
    this.#flushing = Promise.resolve().then(() => this.#flush()).catch(() => {
      // The server has lost the pool: the worker is told where it takes tasks.
    }).finally(() => {
      this.#flushing = undefined;
      if (this.#hasSome) this.#soon();
    });
  }

  get #hasSome(): boolean {
    return this.#groups.length + this.#over.length + this.#dead.length > 0;
  }

  /** Waits until all that was told has arrived. */
  async arrived(): Promise<void> {
    this.#end = Math.min(this.#end, performance.now() + LAST_TRIES_MS);
    while (this.#flushing !== undefined) await this.#flushing;
  }

  async #flush(): Promise<void> {
    const groups = this.#groups.splice(0, MAX_PARTS);
    const isAll = this.#groups.length === 0;
    const dead = this.#dead.splice(0, MAX_PARTS);
    // A task isn't over before its last answer has been told.
    const tags = isAll ? this.#over.splice(0, MAX_PARTS) : [];
    const parts: (string | Buffer)[] = [];
    let count = 0;
    for (const { caller, queueId, answers } of groups) {
      for (const entry of this.#encode(answers)) {
        parts.push(caller, queueId, entry);
        count++;
      }
    }
    const args = [
      ...[String(++this.#calls), String(count), ...parts, String(dead.length), ...dead],
      ...tags.map(String),
    ];
    try {
      await this.#tasks.call("report", () => args);
    } catch (error) {
      if (this.#tasks.hasFailed || performance.now() > this.#end) throw error;
      // A caller drops the outcomes that it has already.
      this.#groups = groups.concat(this.#groups);
      this.#dead = dead.concat(this.#dead);
      this.#over = tags.concat(this.#over);
      return await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    this.#tasks.takes.forget(tags);
  }

  #encode(answers: Answer[]): Buffer[] {
    const most = this.#tasks.wires.options.maxItemBytes;
    try {
      return [encodeEntry(answers, "answers", most)];
    } catch {
      // One of them can't cross, or they are too large together.
      return answers.flatMap((answer) => this.#encodeOne(answer, most));
    }
  }

  #encodeOne(answer: Answer, most: number): Buffer[] {
    try {
      return [encodeEntry([answer], "answer", most)];
    } catch (error) {
      if (answer[0] === SENT) {
        console.error("A value that a task has sent can't cross to its caller:", error);
        return [];
      }
      const [, number, index] = answer as Answer & { 2: number };
      const cause = answer[0] === RETURNED ? ofResult(error) : withoutCause(answer[4]);
      const failure = answer[0] === FAILED ? answer[3] : {
        ...{ how: "threw" as const, exitCode: 1, limit: undefined },
        ...{ worker: this.#worker, attempts: 1 },
      };
      const instead: Answer = [FAILED, number, index, failure, describeFailure(cause, false)];
      return [encodeEntry([instead], "answer", Infinity)];
    }
  }
}

/** An error about a place in an answer as one about a place in the result. */
function ofResult(error: unknown): unknown {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return error;
  const message = error.message.replace(/^answer(?:\[0\]\[3\])?/, "result");
  return error instanceof TypeError ? new TypeError(message) : new RangeError(message);
}

/** What is told of an error that is too large to cross. */
function withoutCause(failure: unknown): Error {
  const { objects } = failure as { objects: { name?: string; message?: string }[] };
  const [first] = objects;
  return new Error(
    `${first?.name ?? "Error"}: ${String(first?.message ?? "").slice(0, 1000)} ` +
      "(the whole error is larger than the hub's maxItemBytes)",
  );
}
