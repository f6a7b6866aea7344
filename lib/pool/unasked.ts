// Failures of tasks that the program has not asked for. Each is printed once: when its task is garbage, so that nobody
// can ask any more, when its pool has ended, or at the end of the program.

import { onExit, willRunExitHooks } from "../liveness/exit_hooks.ts";
import * as primordials from "../platform/primordials.ts";

const {
  addEventListener,
  console,
  each,
  FinalizationRegistry,
  FinalizationRegistryPrototypeRegister,
  listOf,
  SafeSet,
} = primordials;

/** A failure that nobody has asked for yet. */
export class Unasked {
  readonly owner: object;
  readonly #make: () => Error;

  /**
   * @param task not referred to from here
   * @param owner see reportUnasked()
   * @param make makes the error, and doesn't refer to the task
   */
  constructor(task: object, owner: object, make: () => Error) {
    this.owner = owner;
    this.#make = make;
    if (!isWatching) watchEnd();
    open.add(this);
    FinalizationRegistryPrototypeRegister(collected, task, this);
  }

  /** The program has asked. */
  forget(): void {
    open.delete(this);
  }

  /** Prints the error, unless that was done, or the program has asked. */
  report(): void {
    if (!open.delete(this)) return;
    console.error("Nobody asked for the result of a task:", this.#make());
  }
}

const open = new SafeSet<Unasked>();
const collected = new FinalizationRegistry<Unasked>((failure) => failure.report());

/** Prints the failures of this owner's tasks, or of all, that the program has not asked for. */
export function reportUnasked(owner?: object): void {
  for (const failure of each(listOf(open))) {
    if (owner === undefined || failure.owner === owner) failure.report();
  }
}

let isWatching = false;

function watchEnd(): void {
  isWatching = true;
  if (willRunExitHooks()) onExit(() => reportUnasked());
  else addEventListener("unload", () => reportUnasked());
}
