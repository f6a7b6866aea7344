// The memory limit, as seen inside the process. When the heap of a limited thread is full, Deno ends the
// thread, but not where the code ran after an await (platform/threads.ts). A heap limit that has grown shows
// that this has happened.
//
// V8 also knows the memory of buffers, but sets no limit to it. Buffers may grow to SLACK_MB beyond the limit,
// because the sum includes unreachable buffers: V8 collects them once they have grown by about 64 MB.
//
// V8's own limit of a sealed process isn't less than SAFE_HEAP_MB, because with less one allocation could end the
// program. A smaller limit is kept here: after each full collection, once the code gives up its turn.

import { liveObjects, memoryUse } from "../platform/threads.ts";
import type { Growing } from "../shm/growth.ts";
import * as primordials from "../platform/primordials.ts";

const { clearInterval, Deno, each, listOf, SafeSet, setInterval } = primordials;

/** From one check to the next, in ms. */
const LOOK_MS = 50;
const SLACK_MB = 64;
/** How much more than the limit a collection may leave: objects that are too young to be collected. */
const YOUNG_MB = 16;

const MB = 2 ** 20;

/** Ends a process that exceeds its memory limit. */
export class MemoryWatch {
  readonly #exceeded: () => void;
  readonly #heapLimit = memoryUse().heapLimit;
  #bufferLimit = Infinity;
  #objectLimit = Infinity;
  /** Bytes that V8 doesn't count: live shared memory, Blobs, and objects of native code. */
  #uncounted = 0;
  /** The queues and pipes that this process has filled. */
  readonly #growing = new SafeSet<Growing>();

  /** @param exceeded called once the process has more memory than it may */
  constructor(exceeded: () => void) {
    this.#exceeded = exceeded;
    const timer = setInterval(() => {
      if (this.check(0) || this.#checkObjects()) clearInterval(timer);
    }, LOOK_MS);
    Deno.unrefTimer(timer as unknown as number);
  }

  /** From now on buffers count towards the limit. */
  limitBuffers(memoryLimitMb: number): void {
    this.#bufferLimit = (memoryLimitMb + SLACK_MB) * MB;
  }

  /** From now on objects count towards a limit that may be less than V8's own. */
  limitObjects(memoryLimitMb: number): void {
    this.#objectLimit = (memoryLimitMb + YOUNG_MB) * MB;
    liveObjects();
  }

  #checkObjects(): boolean {
    if (this.#objectLimit === Infinity || liveObjects() <= this.#objectLimit) return false;
    this.#exceeded();
    return true;
  }

  /** Counts bytes that V8 doesn't count; a negative number subtracts bytes that were released. */
  add(bytes: number): void {
    this.#uncounted += bytes;
  }

  /**
   * Whether the process has more memory than it may, or would have with `more` bytes added. If so, the process
   * is ended.
   */
  check(more: number): boolean {
    const { heapLimit, buffers } = memoryUse();
    const isWithin = heapLimit === this.#heapLimit &&
      buffers + this.#uncounted + this.#heldBytes() + more <= this.#bufferLimit;
    if (isWithin) return false;
    this.#exceeded();
    return true;
  }

  /** Counts a queue or a pipe that is about to take more bytes, as long as it holds any. */
  grows(one: Growing, more: number): void {
    this.#growing.add(one);
    this.check(more);
  }

  #heldBytes(): number {
    if (this.#growing.size === 0) return 0;
    let sum = 0;
    for (const one of each(listOf(this.#growing))) {
      const held = one.heldBytes();
      if (held > 0) sum += held;
      else this.#growing.delete(one);
    }
    return sum;
  }
}
