// The identity of this isolate among the processes of the program, and of the process that started it. Main,
// and any worker that this library did not start, is a MainProcess with a process table of its own.

import { InvalidStateError } from "../errors.ts";
import { tokenOf } from "../liveness/process_table.ts";
import { adoptBrokeredTable, adoptPlace, ownProcessTable, ownRef } from "../liveness/membership.ts";
import { attend } from "../liveness/recorder.ts";
import {
  adoptSlot,
  enter,
  markState,
  RUNNING,
  SANDBOXED,
  type SlotContent,
} from "../liveness/wait_board.ts";
import { adoptKey } from "../transfer/signature.ts";
import type { Identity } from "../protocol/identity.ts";
import type { ChildPart } from "../protocol/spawn_request.ts";
import { type CurrentProcess, type ParentProcess, Starter, ThisProcess } from "./process_info.ts";
import { adoptParts, bundleParts, isLoadedByChild } from "../target/bundle.ts";
import { adoptChildModule, childModule } from "../target/child_module.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeConcat,
  ArrayPrototypeJoin,
  Date,
  Deno,
  Math,
} = primordials;

let identity: Identity = { name: "MainProcess", pid: Deno.pid, lineage: [], daemon: false };
let parent: ParentProcess | null = null;
let self: CurrentProcess | undefined;
let childrenStarted = 0;
let memoryLimit: number | undefined;
let importing = isLoadedByChild();

/** Takes over the identity that the starter has given. Called once, first of all, in a started process. */
export function becomeChild(child: ChildPart): void {
  ({ identity, memoryLimitMb: memoryLimit } = child);
  adoptChildModule(child.library);
  adoptParts(child.parts);
  if (child.brokerChannel !== undefined) {
    adoptBrokeredTable(child.brokerChannel, child.self, identity.name);
  } else adoptPlace(child.table!, child.self);
  if (child.slot !== undefined) takeSlot(child.slot, child);
  if (child.key !== undefined) adoptKey(child.key);
  parent = new Starter(child.parent, child.starter);
}

/**
 * The same in a process of the operating system, which has a process table of its own. There its parent has an
 * entry that stays: the process ends with its parent.
 */
export function becomeOsProcess(
  start: Pick<ChildPart, "identity" | "memoryLimitMb" | "library" | "parts" | "parent">,
): void {
  ({ identity, memoryLimitMb: memoryLimit } = start);
  adoptChildModule(start.library);
  adoptParts(start.parts);
  parent = new Starter(start.parent, ownProcessTable().registerProcess(start.parent.name));
}

function takeSlot(slot: SlotContent, { brokerChannel, self, grants }: ChildPart): void {
  if (brokerChannel !== undefined) {
    const { name, pid } = identity, startedAt = Date.now(), flags = grants ? SANDBOXED : 0;
    enter(slot, { token: tokenOf(self), name, pid, parent: 0, flags, startedAt });
  }
  adoptSlot(slot);
  markState(RUNNING);
  attend();
}

/** Makes an object of the user's, of a subclass of Process, what currentProcess() returns. */
export function becomeObject(object: CurrentProcess): void {
  self = object;
}

/** The identity of this isolate. */
export function ownIdentity(): Identity {
  return identity;
}

/** The memory limit of a child that is to have this limit: no more than this process has itself. */
export function withinMemoryLimit(memoryLimitMb: number | undefined): number | undefined {
  if (memoryLimit === undefined) return memoryLimitMb;
  return Math.min(memoryLimit, memoryLimitMb ?? Infinity);
}

/** The part of a spawn request that a child gets from this process. */
export function inheritance(): Pick<ChildPart, "starter" | "parent" | "library" | "parts"> {
  return { starter: ownRef(), parent: identity, library: childModule(), parts: bundleParts() };
}

/** The identity of the next child of this process. */
export function nextIdentity(name: string | undefined, daemon: boolean): Identity {
  const lineage = ArrayPrototypeConcat(identity.lineage, [++childrenStarted]);
  return { name: name ?? `Process-${ArrayPrototypeJoin(lineage, ":")}`, pid: 0, lineage, daemon };
}

/**
 * Does `work`, which imports the module of the target. Meanwhile no process may be started: see
 * checkNotImporting().
 */
export async function whileImporting<T>(work: () => Promise<T>): Promise<T> {
  importing = true;
  try {
    return await work();
  } finally {
    importing = false;
  }
}

/** Whether the module of the target is being imported. */
export function isImporting(): boolean {
  return importing;
}

/** Throws where a start would start processes without end, as Python's spawn does. */
export function checkNotImporting(): void {
  if (!importing) return;
  throw new InvalidStateError(
    "A process has just imported the module of its target, and that module starts a process " +
      "as it is imported: each process would start another. " +
      "Put the code that starts processes under `if (import.meta.main)`.",
  );
}

/**
 * The process this code runs in. Python's `multiprocessing.current_process()`, and also tells what this process
 * may do.
 *
 * @example
 * ```ts
 * import { currentProcess } from "@multiproc/multiprocessing";
 *
 * console.log(currentProcess().name); // MainProcess
 * // Unless the program was started with --allow-ffi:
 * console.log(currentProcess().permissions.ffi); // false
 * ```
 */
export function currentProcess(): CurrentProcess {
  return self ??= new ThisProcess(identity);
}

/**
 * The process that started this one; null in the main process. Python's
 * `multiprocessing.parent_process()`. It can be joined, and waited for with {@linkcode wait}: see
 * {@linkcode ParentProcess}.
 *
 * @example
 * ```ts
 * import { parentProcess, Process } from "@multiproc/multiprocessing";
 *
 * export function tell() {
 *   return parentProcess()?.name;
 * }
 *
 * if (import.meta.main) {
 *   const process = new Process({ target: tell });
 *   process.start();
 *   console.log(await process.result()); // MainProcess
 *   console.log(parentProcess()); // null
 * }
 * ```
 */
export function parentProcess(): ParentProcess | null {
  return parent;
}
