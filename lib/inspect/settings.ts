// What this library does about deadlocks: settings of the whole program, in shared memory.

import { ownProcessTable } from "../liveness/membership.ts";
import {
  AWAITED_POLICY,
  BLOCKED_POLICY,
  IDLE_POLICY,
  ownSlot,
  programWords,
} from "../liveness/wait_board.ts";
import { checkNames, checkOption } from "../validate/options.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeIncludes,
  ArrayPrototypeIndexOf,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  Atomics,
} = primordials;

/**
 * The options of {@linkcode detectDeadlocks}.
 *
 * @example
 * ```ts
 * import { type DeadlockOptions, detectDeadlocks } from "@multiproc/multiprocessing";
 *
 * const strict: DeadlockOptions = { awaited: "error" };
 * detectDeadlocks(strict);
 * ```
 */
export interface DeadlockOptions {
  /**
   * What happens when blocked threads wait, each for a lock that the next one holds: the wait that began last ends
   * with a {@linkcode DeadlockError}, or nothing. Default: "error".
   */
  blocked?: "error" | "off";
  /**
   * What happens when such waits are awaited, so that other tasks may still release the locks, and nothing has
   * changed for some seconds: one warning on stderr, an error as above, or nothing. Default: "warning".
   */
  awaited?: "warning" | "error" | "off";
  /**
   * What happens when every process of the program waits, without a timeout or a signal, no timer, server, connection,
   * subprocess or listener for signals is known that may wake it, and nothing has moved for ten seconds: one paragraph
   * on stderr, or nothing. Default: "warning".
   */
  idle?: "warning" | "off";
}

/** The values of each option, the default first: their indices are the words. */
const VALUES: Record<keyof DeadlockOptions, readonly string[]> = {
  blocked: ["error", "off"],
  awaited: ["warning", "error", "off"],
  idle: ["warning", "off"],
};
const WORDS: Record<keyof DeadlockOptions, number> = {
  blocked: BLOCKED_POLICY,
  awaited: AWAITED_POLICY,
  idle: IDLE_POLICY,
};

/**
 * Sets what happens in the whole program when processes wait for each other. Options that aren't given stay as they
 * are. In a process with permissions of its own it does nothing. See {@linkcode inspect} for what is known of waits.
 *
 * @throws {TypeError} if an option has another value
 *
 * @example
 * ```ts
 * import { detectDeadlocks } from "@multiproc/multiprocessing";
 *
 * // A program that waits for a file to be changed: it is meant to.
 * detectDeadlocks({ idle: "off" });
 * ```
 */
export function detectDeadlocks(options: DeadlockOptions): void {
  const names = ["blocked", "awaited", "idle"] as const;
  const given = checkNames(options, names, 'detectDeadlocks({ awaited: "error" })');
  for (let i = 0; i < names.length; i++) {
    const value = given[names[i]], values = VALUES[names[i]];
    if (value === undefined) continue;
    const expected = ArrayPrototypeJoin(ArrayPrototypeMap(values, (it) => `"${it}"`), " or ");
    checkOption(names[i], value, ArrayPrototypeIncludes(values, value), expected);
  }
  ownProcessTable();
  const own = ownSlot();
  if (own === undefined || !own.board.growable) return;
  for (let i = 0; i < names.length; i++) {
    const value = given[names[i]];
    if (value === undefined) continue;
    const index = ArrayPrototypeIndexOf(VALUES[names[i]], value);
    Atomics.store(programWords(own.board), WORDS[names[i]], index);
  }
}
