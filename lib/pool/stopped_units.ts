// The units of a worker that were stopped while others ran beside them: they still run, until their signal has ended
// them, and they have their slots meanwhile.

import * as primordials from "../platform/primordials.ts";

const { clearTimeout, Deno, SafeMap, setTimeout } = primordials;

/** The time that a task may take to end after its signal while others run beside it, in ms. */
const AFTER_SIGNAL_MS = 1000;

interface Stopped {
  timer: ReturnType<typeof setTimeout>;
  /** Whether its signal was aborted in the worker, so that the thread isn't blocked. */
  wasTold: boolean;
}

/** The stopped units that still run, by slot. */
export class StoppedUnits {
  readonly #units = new SafeMap<number, Stopped>();
  readonly #outlived: (wasTold: boolean) => void;

  /** @param outlived called when a unit has not ended soon after its signal */
  constructor(outlived: (wasTold: boolean) => void) {
    this.#outlived = outlived;
  }

  get size(): number {
    return this.#units.size;
  }

  has(slot: number): boolean {
    return this.#units.size > 0 && this.#units.has(slot);
  }

  /** A unit was stopped. */
  add(slot: number): void {
    const timer = setTimeout(() => this.#outlived(unit.wasTold), AFTER_SIGNAL_MS);
    Deno.unrefTimer(timer as unknown as number);
    const unit = { timer, wasTold: false };
    this.#units.set(slot, unit);
  }

  /** The signal of a unit was aborted in the worker. */
  told(slot: number): void {
    const unit = this.#units.get(slot);
    if (unit !== undefined) unit.wasTold = true;
  }

  /** A unit has ended by itself; false if it wasn't stopped. */
  delete(slot: number): boolean {
    const unit = this.#units.get(slot);
    if (unit === undefined) return false;
    clearTimeout(unit.timer);
    return this.#units.delete(slot);
  }

  /** The worker has ended. */
  stopTimers(): void {
    for (const { timer } of this.#units.values()) clearTimeout(timer);
  }
}
