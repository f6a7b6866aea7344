// What a Condition asks of its lock: to release it wholly while it waits, to have it again as it was,
// and to be told if its holder died meanwhile. Lock and RLock have methods of these names.

/** Releases a lock that this process holds, however often it does; returns how often that was. */
export const releaseAll: unique symbol = Symbol("multiprocessing.releaseAll");

/** Acquires it as often: an operation. */
export const reacquiring: unique symbol = Symbol("multiprocessing.reacquiring");

/** Throws if this process doesn't hold it, naming the call and what it was made on. */
export const checkHeld: unique symbol = Symbol("multiprocessing.checkHeld");

/**
 * Frees it of a holder that has died, and throws that, unless another has done so; returns how often that
 * has been done.
 */
export const reportDeath: unique symbol = Symbol("multiprocessing.reportDeath");
