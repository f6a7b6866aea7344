// The values by which the kernel and the transformed code communicate.

/** The answer of an operation before which the process has to stop: then `yield` gives the result. */
export const STOP: unique symbol = Symbol("stop");

/** Thrown through a process that is ended: no `catch` of the code under test sees it for long. */
class Kill {
  readonly message = "This process was ended by the explorer.";
}

export const KILL: Kill = new Kill();

/** Whether an error is the end of the process. */
export function isKill(error: unknown): boolean {
  return error === KILL;
}

/** Something that the explorer can't treat, or a fault of its own: never a fault of the code under test. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}
