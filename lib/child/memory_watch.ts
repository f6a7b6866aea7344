// The memory limit, seen from inside. When the heap of a limited thread is full, Deno ends the thread; but
// not where the code ran after an await (platform/threads.ts). The heap's limit, which has grown, tells.
//
// What buffers take V8 knows, too, but sets no limit to. They are let grow by SLACK_MB beyond the limit, because the
// sum has those in it that nothing refers to any more: V8 collects them once they have grown by about 64 MB.

import { memoryUse } from "../platform/threads.ts";

import * as primordials from "../platform/primordials.ts";

const { clearInterval, Deno, setInterval } = primordials;

/** How often it is looked at, in ms. */
const LOOK_MS = 50;
const SLACK_MB = 64;

const MB = 2 ** 20;

/** Sees to it that a process keeps within its memory. */
export class MemoryWatch {
  readonly #exceeded: () => void;
  readonly #heapLimit = memoryUse().heapLimit;
  #bufferLimit = Infinity;
  /** What V8 doesn't count: shared memory and Blobs that are alive. */
  #uncounted = 0;

  /** @param exceeded called once it has more than it may */
  constructor(exceeded: () => void) {
    this.#exceeded = exceeded;
    const timer = setInterval(() => {
      if (this.check(0)) clearInterval(timer);
    }, LOOK_MS);
    Deno.unrefTimer(timer as unknown as number);
  }

  /** From now on buffers count. */
  limitBuffers(memoryLimitMb: number): void {
    this.#bufferLimit = (memoryLimitMb + SLACK_MB) * MB;
  }

  /** Counts what V8 doesn't; a negative number what isn't there any more. */
  add(bytes: number): void {
    this.#uncounted += bytes;
  }

  /** Whether it has more than it may, or would have with so many bytes more; then it is ended. */
  check(more: number): boolean {
    const { heapLimit, buffers } = memoryUse();
    const isWithin = heapLimit === this.#heapLimit &&
      buffers + this.#uncounted + more <= this.#bufferLimit;
    if (isWithin) return false;
    this.#exceeded();
    return true;
  }
}
