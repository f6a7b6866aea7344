// A process that finds a holder dead throws AbandonedLockError. Until the calling code has received that
// error, the shared memory says that the process was told of the death and hasn't acknowledged it; if the
// process dies before that, the next process is told instead. (As with POSIX robust mutexes, where EOWNERDEAD
// comes again until pthread_mutex_consistent(); here the code that was told need not call anything.)
//
// An error reaches the code that awaits it after a few microtasks. The code of a process that ends by itself
// has received every error that was thrown in it.

import { onExit } from "../liveness/exit_hooks.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeSet } = primordials;

/** The most promises that an error passes through between the attempt that throws it and the caller. */
const PROMISES = 10;

/** The acknowledgements this process still owes, of deaths it was told of. */
const pending = new SafeSet<() => void>();

onExit(() => {
  for (const acknowledge of pending) acknowledge();
});

/** Calls `acknowledge` once the code of this process has received the error that is being thrown. */
export async function acknowledgeSoon(acknowledge: () => void): Promise<void> {
  pending.add(acknowledge);
  for (let i = 0; i < PROMISES; i++) await null;
  pending.delete(acknowledge);
  try {
    acknowledge();
  } catch {
    // This process is being ended, or the shared memory is corrupted.
  }
}
