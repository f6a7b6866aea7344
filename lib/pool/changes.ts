// Waits for a change in a pool.

import { keepAlive, letExit } from "../wait/broadcast.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  each,
  listOf,
  removeAbortListener,
  SafeSet,
  throwIfAborted,
} = primordials;

/** The waits for a change. */
export class Changes {
  /** Callbacks of until(), called when something changes. */
  readonly #watchers = new SafeSet<() => void>();

  /** Resolves when isSo() is true. */
  async until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    keepAlive();
    try {
      while (!isSo()) {
        if (signal !== undefined) throwIfAborted(signal);
        await new Promise<void>((resolve, reject) => {
          const aborted = () => {
            removeAbortListener(signal!, aborted);
            this.#watchers.delete(look);
            reject(abortReason(signal!));
          };
          const look = () => {
            this.#watchers.delete(look);
            if (signal !== undefined) removeAbortListener(signal, aborted);
            resolve();
          };
          this.#watchers.add(look);
          if (signal !== undefined) addAbortListener(signal, aborted);
        });
      }
    } finally {
      letExit();
    }
  }

  /** Looks at every wait: something has changed. */
  changed(): void {
    if (this.#watchers.size === 0) return;
    for (const look of each(listOf(this.#watchers))) look();
  }
}
