// One direction of a pipe as the subject of waits: for inspect().

import type { ProcessTable, Ref } from "../liveness/process_table.ts";
import { SPSC_QUEUE_WORDS } from "../shm/spsc_queue.ts";
import { CONNECTION, numberIn, type Subject } from "../wait/subject.ts";

/** A word of the queue's header that has no other use: its number. */
const NUMBER = SPSC_QUEUE_WORDS - 1;

/** One direction of a pipe. */
export class PipeSubject implements Subject {
  readonly #queue: { readonly header: Int32Array; readonly size: number };
  readonly #processTable: ProcessTable;
  readonly #peer: Ref;
  isInternal = false;

  constructor(
    queue: { readonly header: Int32Array; readonly size: number },
    processTable: ProcessTable,
    peer: Ref,
  ) {
    this.#queue = queue;
    this.#processTable = processTable;
    this.#peer = peer;
  }

  get kind(): number {
    return CONNECTION;
  }

  get number(): number {
    return numberIn(this.#queue.header, NUMBER, CONNECTION);
  }

  get amount(): number {
    return this.#queue.size;
  }

  /** The token of the process that has the other end; 0 where that isn't known. */
  get holderToken(): number {
    const owner = this.#processTable.ownerOf(this.#peer);
    return (owner.index & 1) === 0 ? this.#processTable.token(owner) : 0;
  }
}
