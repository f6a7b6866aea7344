// Targets that tell which copies of this package a child has.

import * as local from "../../../local.ts";
import { currentProcess, Process, Queue, QueueEmpty } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** What a process sees of this package. */
export interface Seen {
  /** The name of the process. */
  name: string;
  /** Whether what has arrived is of the class that is imported here. */
  isQueue: boolean;
  /** Whether mod.ts, imported once more, is the same module. */
  isSame: boolean;
  /** Whether local.ts throws the errors of mod.ts. */
  sharesErrors: boolean;
  /** The names that mod.ts exports, and those of local.ts. */
  exports: string[];
  localExports: string[];
  /** A part of the URLs of this package's files that are on the stack of an error of it. */
  files: string[];
}

/** What this process sees. */
export async function look(queue: unknown): Promise<Seen> {
  const again = await import("../../../mod.ts");
  const empty = new local.Queue();
  let sharesErrors = false;
  try {
    empty.getNowait();
  } catch (error) {
    sharesErrors = error instanceof QueueEmpty;
  }
  let stack = "";
  try {
    new Queue().getNowait();
  } catch (error) {
    stack = (error as Error).stack ?? "";
  }
  return {
    name: currentProcess().name,
    isQueue: queue instanceof Queue,
    isSame: again.Process === Process && again.Queue === Queue,
    sharesErrors,
    exports: Object.keys(again).sort(),
    localExports: Object.keys(local).sort(),
    files: stack.match(/\/lib\/\w+\/\w+\.ts/g) ?? [],
  };
}

/** What a child of this process sees, by reference. */
export async function lookInChild(queue: unknown): Promise<Seen> {
  const process = new Process({ target: look, args: [queue], by: "reference" });
  process.start();
  return await process.result();
}
