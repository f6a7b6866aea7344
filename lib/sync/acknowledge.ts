// A process that finds a holder dead throws AbandonedLockError, and until its code has had that error
// the shared memory says that it was told and hasn't acknowledged it. If it dies before, the next
// process is told instead. (After pthread's robust mutexes, where EOWNERDEAD comes again until
// pthread_mutex_consistent(); here the code that was told need not call anything.)
//
// An error has reached the code that awaits it after a few microtasks, and the code of a process that
// ends by itself has had every error that was thrown in it.

import { onExit } from "../liveness/exit_hooks.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeSet } = primordials;

/** Promises that an error passes through at most between the attempt that throws it and the caller. */
const PROMISES = 10;

/** What this process has been told and not acknowledged. */
const pending = new SafeSet<() => void>();

onExit(() => {
  for (const acknowledge of pending) acknowledge();
});

/** Calls `acknowledge` once the code of this process has had the error that is being thrown. */
export async function acknowledgeSoon(acknowledge: () => void): Promise<void> {
  pending.add(acknowledge);
  for (let i = 0; i < PROMISES; i++) await null;
  pending.delete(acknowledge);
  try {
    acknowledge();
  } catch {
    // This process is being ended, or the shared memory is damaged.
  }
}
