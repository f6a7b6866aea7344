// Joining: the calls in this process that wait until all items are done.

import type { Host } from "./host.ts";
import { unanswered } from "./queue_errors.ts";
import { Waiter, type Ward } from "./waiter.ts";

/** Waits until all is done. */
class Joiner extends Waiter<boolean, Joiner> {
  isAsked = false;
}

/** The waits until all is done. */
export class Joins {
  readonly #host: Host;
  readonly #joiners: Joiner[] = [];
  #isJoining = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether no call waits. */
  get isIdle(): boolean {
    return this.#joiners.length === 0;
  }

  /** It can't go on. */
  fail(error: unknown): void {
    for (const joiner of this.#joiners.splice(0)) joiner.reject(error);
  }

  readonly #ward: Ward<Joiner> = {
    isKnownToWait: (joiner) => joiner.isAsked || !this.#host.wires.isConnected,
    timedOut: (joiner) => this.#leave(joiner, () => joiner.resolve(false)),
    unanswered: (joiner) =>
      this.#leave(
        joiner,
        () => joiner.reject(joiner.reason?.value ?? unanswered(this.#host.wires.url)),
      ),
    aborted: (joiner) => {
      this.#leave(joiner, () => joiner.reject(joiner.reason!.value));
      return true;
    },
  };

  join(timeout: number, signal?: AbortSignal): Promise<boolean> {
    this.#host.check();
    const joiner = new Joiner(this.#ward, timeout, signal);
    this.#joiners.push(joiner);
    if (!this.#host.isOpen) this.#host.opened.then(() => this.pump(), () => {});
    else this.pump();
    return joiner.promise;
  }

  get waiting(): number {
    return this.#joiners.filter(({ isWaiting }) => isWaiting).length;
  }

  #leave(joiner: Joiner, settle: () => void): void {
    const at = this.#joiners.indexOf(joiner);
    if (at >= 0) this.#joiners.splice(at, 1);
    settle();
    this.#host.unwatch();
  }

  /** Asks the server whether all is done. */
  pump(): void {
    if (this.#isJoining || this.#joiners.length === 0 || !this.#host.isOpen) return;
    this.#isJoining = true;
    const asked = this.#joiners.slice(), messages = this.#host.messages;
    const isWaiting = asked.some(({ isLast }) => !isLast);
    this.#host.call("join", () => [isWaiting ? "1" : "0"]).then((answer) => {
      for (const joiner of asked) {
        if (joiner.isOver) continue;
        joiner.isAsked = messages === this.#host.messages;
        if (answer === 1) this.#leave(joiner, () => joiner.resolve(true));
        else if (joiner.isLast) this.#leave(joiner, () => joiner.resolve(false));
      }
      if (this.#joiners.length > 0) this.#host.watch();
    }, (error) => {
      for (const joiner of this.#joiners.splice(0)) joiner.reject(error);
    }).finally(() => {
      this.#isJoining = false;
      if (
        !this.#host.hasFailed &&
        this.#joiners.some(({ isAsked, isLast }) => !isAsked || isLast)
      ) {
        this.pump();
      }
      this.#host.unwatch();
    });
  }
}
