// The methods that a Condition needs of its lock: to release the lock fully while the condition waits, to
// reacquire it as often as before, and to learn whether its holder died meanwhile. Lock and RLock have
// methods of these names.

/** Releases a lock fully, however often this process holds it; returns how often that was. */
export const releaseAll: unique symbol = Symbol("multiprocessing.releaseAll");

/** The operation that acquires the lock as often again. */
export const reacquiring: unique symbol = Symbol("multiprocessing.reacquiring");

/** Throws if this process doesn't hold the lock; the message names the call and the object it was made on. */
export const checkHeld: unique symbol = Symbol("multiprocessing.checkHeld");

/**
 * Frees the lock of a dead holder and throws an AbandonedLockError, unless another process has done so;
 * returns how many dead holders there were.
 */
export const reportDeath: unique symbol = Symbol("multiprocessing.reportDeath");
