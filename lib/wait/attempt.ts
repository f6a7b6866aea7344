// The answer of an attempt. A file of its own: what waits without shared memory knows it, too.

/** The answer of an attempt that must wait. */
export const WAIT: unique symbol = Symbol("wait");
