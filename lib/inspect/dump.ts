// installDump(): Ctrl-\, or Ctrl-C twice, prints what inspect() shows.

import { InvalidStateError } from "../errors.ts";
import { confinedBoards, onConfinedBoard } from "../liveness/wait_board.ts";
import { Pipe } from "../pipe/pipe.ts";
import { parentProcess } from "../process/current.ts";
import { Process } from "../process/process.ts";
import { registerOwnTarget } from "../target/own_targets.ts";
import { checkNames } from "../validate/options.ts";
import { describe } from "../validate/describe.ts";
import { type ConfinedBoard, type DumpSignal, listenForDump } from "./listen.ts";
import * as primordials from "../platform/primordials.ts";

const { Array, ArrayPrototypeIncludes, each, PromisePrototypeThen, TypeError } = primordials;

registerOwnTarget(listenForDump, { path: "../inspect/listen.ts", name: "listenForDump" });

const SIGNALS: readonly DumpSignal[] = ["SIGQUIT", "SIGINT"];

/**
 * The options of {@linkcode installDump}.
 *
 * @example
 * ```ts
 * import { type DumpOptions, installDump } from "@multiproc/multiprocessing";
 *
 * // The program has a listener for SIGINT itself.
 * const options: DumpOptions = { signals: ["SIGQUIT"] };
 * await using dump = installDump(options);
 * await dump.ready;
 * ```
 */
export interface DumpOptions {
  /** The signals that make a dump. Default: both. */
  signals?: readonly ("SIGQUIT" | "SIGINT")[];
}

/**
 * What {@linkcode installDump} returns.
 *
 * @example
 * ```ts
 * import { type Dump, installDump } from "@multiproc/multiprocessing";
 *
 * const dump: Dump = installDump();
 * await dump.ready; // from now on the signals are heard
 * await dump[Symbol.asyncDispose]();
 * ```
 */
export interface Dump extends AsyncDisposable {
  /** Resolves when the signals are heard; rejects with an EOFError if the dump is disposed of before. */
  readonly ready: Promise<void>;
  /** Ends it: the signals do what they did before. */
  [Symbol.asyncDispose](): Promise<void>;
}

let inspector: Process | undefined;

/**
 * From now on SIGQUIT (Ctrl-\ on a terminal), or SIGINT (Ctrl-C) twice within a second, prints what
 * {@linkcode inspect} shows, on stderr; then the signal does its work, and ends the program. A single Ctrl-C does its
 * work after that second. It needs no permission, and works while main is blocked or computes: a process of this
 * library hears the signals. Like faulthandler.register() in Python.
 *
 * @throws {InvalidStateError} in a process that was started: signals belong to the main process; or if it was
 *   installed before
 * @throws {TypeError} if there are other signals
 *
 * @example
 * ```ts
 * import { installDump } from "@multiproc/multiprocessing";
 *
 * await using dump = installDump();
 * await dump.ready;
 * ```
 */
export function installDump(options: DumpOptions = {}): Dump {
  const { signals = SIGNALS } = checkNames(
    options,
    ["signals"],
    'installDump({ signals: ["SIGQUIT"] })',
  );
  const areRight = Array.isArray(signals) && signals.length > 0;
  for (const signal of each(areRight ? signals : ["none"])) {
    if (ArrayPrototypeIncludes<unknown>(SIGNALS, signal)) continue;
    throw new TypeError(
      `signals is ${describe(signals)}, not a list of signals. Give "SIGQUIT", "SIGINT" or both.`,
    );
  }
  if (parentProcess() !== null) {
    throw new InvalidStateError(
      "installDump() was called in a process that was started. Signals belong to the main process: call it there.",
    );
  }
  if (inspector?.isAlive()) {
    throw new InvalidStateError("installDump() was called before. Dispose of the first one.");
  }
  const [here, there] = Pipe<ConfinedBoard>();
  const process = new Process({
    target: listenForDump,
    args: [there, signals],
    name: "inspector",
    daemon: true,
  });
  process.start();
  inspector = process as unknown as Process;
  const tell = (token: number, board: SharedArrayBuffer) => {
    if (process.isAlive()) here.sendNowait({ token, board });
  };
  for (const { 0: token, 1: board } of confinedBoards) tell(token, board);
  const listenNoMore = onConfinedBoard(tell);
  const isReady = ready(here);
  // Where the dump is disposed of before, nothing may have taken `ready` that handles the rejection.
  PromisePrototypeThen(isReady, undefined, () => {});
  return {
    ready: isReady,
    async [Symbol.asyncDispose]() {
      listenNoMore();
      process.terminate();
      await process.join();
    },
  };
}

async function ready(here: { recv(): Promise<unknown> }): Promise<void> {
  await here.recv();
}
