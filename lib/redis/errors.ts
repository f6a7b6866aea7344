// The errors of this room that no other room has.

import { InvalidStateError, nameClass } from "./core.ts";

/**
 * Thrown by {@linkcode Lease.done} when the item is no longer this client's: its lease had ended, because the
 * client was cut off from the server, or didn't get a turn, for longer than the hub's `leaseTime`. The item
 * went back to the queue, and another consumer gets it, or has got it.
 *
 * @example
 * ```ts ignore
 * import { connect, LeaseLostError } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const jobs = await hub.joinableQueue<string>("jobs of an example");
 * await jobs.put("a job");
 * for await (const lease of jobs.leases()) {
 *   try {
 *     await lease.done();
 *   } catch (error) {
 *     if (!(error instanceof LeaseLostError)) throw error;
 *     console.log("undo what was done: another one does it again");
 *   }
 *   await jobs.shutdown();
 * }
 * await jobs.delete();
 * ```
 */
export class LeaseLostError extends InvalidStateError {
  static {
    nameClass(this, "LeaseLostError");
  }
}

/** A connection that has ended, or a server that can't answer yet: the call is made again. */
export class Interrupted extends Error {}
