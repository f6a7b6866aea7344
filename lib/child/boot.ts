// The code of this package that runs in a started process, from its first step to its last. The main module of
// the process is a data: URL that imports this file, or the package's text, and calls boot().

// Imported before the realm is sealed: sealing removes some of the features that this module looks for.
import "../platform/requirements.ts";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { InvalidStateError } from "../errors.ts";
import { type Message, receivePosted, unpackMessage } from "../transfer/message.ts";
import { adoptControl, ownControl, READINESS } from "../liveness/control_block.ts";
import { isKilled, stopIfKilled, unwindWhenKilled } from "../liveness/critical_section.ts";
import { READY } from "../liveness/event_rings.ts";
import { recorder } from "../liveness/recorder.ts";
import { knowsAll } from "../transfer/transferable.ts";
import { setMayEndAnywhere } from "../liveness/mutex.ts";
import { fromStarter } from "../transfer/signature.ts";
import { makeArraysByFunction } from "../platform/interruptible_arrays.ts";
import { lookAfterPrinting } from "../platform/interruptible_console.ts";
import { becomeInterruptible } from "../platform/interruption.ts";
import { activeChildren } from "../process/active_children.ts";
import { becomeChild, becomeObject, ownIdentity, whileImporting } from "../process/current.ts";
import { adoptChildModule, childModule } from "../target/child_module.ts";
import { explain } from "../target/source_errors.ts";
import { describeFailure, type Failure } from "../transfer/remote_error.ts";
import { useHost } from "../protocol/host_port.ts";
import { emitBeforeExit, expectToLeave, leave, runOutOfMemory } from "./exit.ts";
import { MemoryWatch } from "./memory_watch.ts";
import type { Identity } from "../protocol/identity.ts";
import { type SpareData, type SpareMessage, SpareState } from "../protocol/spare.ts";
import type { ChildPart, WorkerData } from "../protocol/spawn_request.ts";
import type { Travel } from "../protocol/travel.ts";
import { leaveOwnWords, useCrashReport } from "../protocol/crash_report.ts";
import { announceReady } from "../protocol/ready.ts";
import { type Reply, replyTo } from "../protocol/outcome.ts";
import { writeTo } from "../protocol/result_buffer.ts";
import { type Process, revive } from "../process/process.ts";
import { preload } from "../target/preloaded.ts";
import { beat } from "../protocol/heartbeat.ts";
import { printFailure } from "../transfer/recreate_error.ts";
import { confine } from "./confine.ts";
import { boundCalls } from "./bounded_calls.ts";
import { boundStacks } from "./bounded_stacks.ts";
import { countBuffers } from "./counted_buffers.ts";
import { defineModules } from "../platform/module_source.ts";
import { isOwn, knowFiles } from "../target/callers.ts";
import { prefixOutput } from "./prefixed_output.ts";
import { closeImports, keepDeno } from "./sealed_realm.ts";
import { type LoadModule, resolveReference } from "../target/reference.ts";
import { entryPoints, isBundled, wholeUrl } from "../target/bundle.ts";
import { leaveSignalsToMain } from "./signals.ts";
import { becomeSource, compileSource, type SourceText } from "../target/source.ts";
import { withinProcess } from "../telemetry/spans.ts";
import { watchForUncaught } from "./uncaught_errors.ts";
import * as primordials from "../platform/primordials.ts";

const {
  addEventListener,
  clearTimeout,
  console,
  Deno,
  each,
  Object,
  Promise,
  PromisePrototypeThen,
  Reflect,
  setImmediate,
  setTimeout,
  URL,
} = primordials;

/** A target, once found. */
type Code = (...args: unknown[]) => unknown;

/** The exports of a module. */
type Exports = Record<string, unknown>;

/** Finds the target of this process. */
export type Find = (travel: Travel) => unknown;

/** The data of this process, in a thread. A web Worker gets it as its first message. */
const threadData = workerData as WorkerData | null | undefined;

/**
 * Called by the main module of a child by source. The main module then finishes evaluating before the target
 * runs: a worker killed while its main module is still evaluating leaks what it had loaded
 * (platform/threads.ts).
 *
 * @param source makes the target, or is its text
 * @param exports the exports of this package, for a text
 */
export function boot(source: (() => unknown) | SourceText, exports: Exports = {}): void {
  begin((travel) => {
    const code = typeof source === "function" ? source() : compileSource(source, exports);
    if (travel.by === "source") becomeSource(code as Code, travel.scope);
    return code;
  });
}

/**
 * As bootModule(), in a child that a sealed process starts. The target's module is loaded only once the child
 * is sealed.
 */
export function bootSealed(): void {
  begin((travel) => {
    modulesAreThere();
    return resolve(travel, (module) => import(module));
  });
}

/**
 * As boot(), in a child by reference.
 *
 * @param load imports the target's module
 */
export function bootModule(load: LoadModule): void {
  begin(async (travel) => {
    if (!isBundled) return resolve(travel, load);
    await serveEntryPoints();
    const isHere = travel.by === "reference" && isOwn(travel.reference.module);
    return resolve(travel, isHere ? () => import(wholeUrl()) : load);
  });
}

/** The folder of this package's files; empty in a child that doesn't load them. */
let files = isBundled ? "" : new URL("../../", import.meta.url).href;

/**
 * In a child that runs from the text of this package, the target's modules get this package from that text,
 * too. Loaded from its files the package would exist twice, and take 30 ms to load.
 */
async function serveEntryPoints(): Promise<void> {
  if (files !== "") return;
  const { mod, local, redis, monitor } = entryPoints();
  files = new URL("../../", childModule()).href;
  knowFiles(files);
  await defineModules({
    [`${files}mod.ts`]: mod,
    [`${files}local.ts`]: local,
    [`${files}lib/redis/core.ts`]: redis,
    [`${files}monitor.ts`]: monitor,
  });
}

/**
 * As bootModule(), in a child with permissions of its own.
 *
 * @param load imports a module that exports the target's module as `target`
 */
export function bootConfined(
  load: () => Promise<{ target: Exports; others: Record<string, Exports> }>,
): void {
  begin(async (travel) => {
    await serveEntryPoints();
    return resolve(travel, async () => {
      const { target, others } = await load();
      preload(others);
      return target;
    });
  });
}

/** Keeps the text of this package that the child runs from: a sealed process can't import it any more. */
export function keepRuntime(url: string, runtime: Exports): void {
  preload({ [url]: runtime });
}

/** How long a spare waits for a process, in ms. */
const SPARE_MS = 8000;

/** Resolves when this thread can be stopped at any instant, in a thread that is no process yet. */
let prepared: Promise<void> | undefined;

/**
 * Called by the main module of a spare (lib/host/workers/spare.ts): loads what a process needs, and waits for the
 * process that this thread is to be.
 *
 * @param load imports a module: the main module of that process; or, as that module would, the target's
 */
export function bootSpare(load: LoadModule): void {
  const { words, library, hasEntryPoints } = workerData as SpareData;
  const state = new SpareState(words);
  const leave = () => {
    if (state.leave()) Deno.exit();
  };
  const timer = setTimeout(leave, SPARE_MS);
  adoptChildModule(library);
  prepared = prepare(hasEntryPoints);
  PromisePrototypeThen(prepared, () => state.markReady(), leave);
  parentPort!.once("message", ({ data, main }: SpareMessage) => {
    clearTimeout(timer);
    for (const key of each(Object.keys(workerData))) delete workerData[key];
    adopt(Object.assign(workerData, data));
    // Where the worker of a process has its name and main module.
    Object.defineProperty(globalThis, "name", { value: data.child.identity.name });
    process.argv[1] = main;
    // Its main module would do no more than this.
    if (data.child.travel.by === "reference") return bootModule(load);
    const failed = (error: unknown) => reportError(error);
    PromisePrototypeThen(
      PromisePrototypeThen(prepared!, () => load(main)),
      undefined,
      failed,
    );
  });
}

async function prepare(hasEntryPoints: boolean): Promise<void> {
  await becomeStoppable();
  if (!hasEntryPoints) return;
  await serveEntryPoints();
  // Deno reads the package's files here, and not when a target's module imports them. They may be unreadable.
  const read = import(`${files}mod.ts`);
  await PromisePrototypeThen(read, undefined, () => {});
}

/** Resolves when this thread can be stopped at any instant. */
async function becomeStoppable(): Promise<void> {
  // A web Worker has `self`, and programs test for it.
  Object.defineProperty(globalThis, "self", { value: globalThis, configurable: true });
  await becomeInterruptible();
  // Deno itself must have noticed the lock, and does so in a turn of the event loop.
  await new Promise<void>((taken) => setImmediate(taken));
}

let memoryWatch: MemoryWatch | undefined;

function begin(find: Find): void {
  if (threadData) {
    if (prepared === undefined) adopt(threadData);
    const { memoryLimitMb, timeLimit } = threadData.child;
    if (memoryLimitMb !== undefined) watchMemory();
    if (memoryLimitMb !== undefined || timeLimit !== undefined) makeArraysByFunction();
    PromisePrototypeThen(prepared ?? becomeStoppable(), () => live(threadData, find));
    return;
  }
  unwindWhenKilled();
  const begin = (event: Event) => {
    const { data } = event as MessageEvent<WorkerData>;
    adopt(data);
    live(data, find);
  };
  addEventListener("message", begin, { once: true });
}

function adopt({ child, host, mayEndAnywhere }: WorkerData): void {
  adoptControl(child.control);
  ownControl().markBooted();
  setMayEndAnywhere(mayEndAnywhere, child.self);
  for (const name of each(child.giveUp)) {
    Deno.permissions.revokeSync({ name } as Deno.PermissionDescriptor);
  }
  useHost(host);
  useCrashReport(child.crashReport);
}

/**
 * Called by a module that the main module of a confined child imports just before the target's module. At that
 * time all modules that the target's module imports are loaded, and none has run. From now on a sealed process
 * can only import modules for which Deno asks for permissions.
 */
export function modulesAreThere(): void {
  if (isSealedOpen) closeImports(files);
  isSealedOpen = false;
}

/** Whether this process is sealed except for its imports. */
let isSealedOpen = false;

/** The arguments, kept alive until the end as in Python: a pipe end that is garbage collected is closed. */
let given: unknown;

async function live({ child, port }: WorkerData, find: Find): Promise<void> {
  // From now on the process can be killed without a leak, and its time limit runs.
  ownControl().markLoaded();
  // In this order: the host assumes that a process without a heartbeat runs nothing.
  beat(ownControl());
  // No error of a wait that ends here: nobody would catch it, and Deno would print it.
  if (isKilled()) return;
  const message = receivePosted(port) as Message;
  becomeChild(child);
  if (child.isPrefixed) prefixOutput(child.identity.name);
  confine(child);
  const { memoryLimitMb, sealed, result: buffer } = child;
  limitBuffers(memoryLimitMb, sealed !== undefined);
  if (memoryLimitMb !== undefined && sealed !== undefined) memoryWatch?.limitObjects(memoryLimitMb);
  const reply = buffer === undefined ? replyTo(port, child.starter) : writeTo(buffer);
  lookAfterPrinting(stopIfKilled);
  await run(child, reply, find, async () => {
    // Before the user's modules, which may replace globals that our modules use while they are loaded.
    if (!isBundled && !knowsAll(message.serialized)) {
      await import(new URL("./deserializers.ts", import.meta.url).href);
    }
    return () => fromStarter(() => unpackMessage(message));
  });
}

/** Watches the memory of this process. */
export function watchMemory(): void {
  memoryWatch = new MemoryWatch(runOutOfMemory);
}

/**
 * From now on buffers count towards the memory limit, if there is one; in a sealed process, calls that would end the
 * program are bounded.
 */
export function limitBuffers(memoryLimitMb: number | undefined, isSealed: boolean): void {
  if (memoryLimitMb !== undefined && memoryWatch !== undefined) {
    memoryWatch.limitBuffers(memoryLimitMb);
    if (isSealed) countBuffers(memoryWatch);
  }
  if (!isSealed) return;
  boundCalls(memoryLimitMb);
  boundStacks();
}

/**
 * Runs the target of this process, and ends the process.
 *
 * @param prepare called before the target is found; the function that it returns makes the arguments
 */
export async function run(
  { identity, travel, sealed, traceparent }:
    & Pick<ChildPart, "identity" | "travel" | "sealed">
    & { traceparent?: string },
  reply: Reply,
  find: Find,
  prepare: () => Promise<() => unknown>,
): Promise<void> {
  isSealedOpen = sealed !== undefined;
  if (travel.by === "source") modulesAreThere();
  expectToLeave(printThrown);
  leaveSignalsToMain();
  if (sealed !== undefined) keepDeno();
  try {
    watchForUncaught((error) => reportThrow(reply, explained(error, travel)));
    const unpack = await prepare();
    const code = await find(travel);
    given = unpack();
    if (recorder !== undefined) recorder.event(READY, identity.pid);
    announceReady(ownControl(), READINESS.own);
    const result = await (traceparent !== undefined
      ? withinProcess(traceparent, () =>
        call(code as Code, identity, travel))
      : travel.isClass
      ? runObject(code, identity, given as Record<string, unknown>)
      : Reflect.apply(code as Code, undefined, given as unknown[]));
    await endChildren();
    await emitBeforeExit();
    reportReturn(reply, result);
  } catch (error) {
    await endChildren();
    reportThrow(reply, explained(error, travel));
  }
}

/** The error of a target, or an error that explains it. */
function explained(error: unknown, travel: Travel): unknown {
  try {
    return explain(error, travel);
  } catch { // a getter of the error, or a trap, threw
    return error;
  }
}

/** Calls the target. */
function call(code: Code, identity: Identity, travel: Travel): unknown {
  return travel.isClass
    ? runObject(code, identity, given as Record<string, unknown>)
    : Reflect.apply(code, undefined, given as unknown[]);
}

function runObject(code: unknown, identity: Identity, own: Record<string, unknown>): unknown {
  const object = revive(code as typeof Process, identity);
  Object.assign(object, own);
  becomeObject(object);
  return object.run();
}

/** Terminates the daemons and joins the other children, as at the end of a Python process. */
async function endChildren(): Promise<void> {
  for (const child of each(activeChildren())) if (child.daemon) child.terminate();
  for (const child of each(activeChildren())) await child.join();
}

/** Tells the starter what the target returned, and ends this process. */
function reportReturn(reply: Reply, result: unknown): void {
  if (isKilled()) return;
  reply.returned(result);
  leave(Deno.exitCode);
}

/** Tells the starter why the target returned nothing, and ends this process. */
function reportThrow(reply: Reply, error: unknown): void {
  // In a worker that is being terminated, Deno throws strange errors (null, for one) that are not the target's.
  if (isKilled()) return;
  const failure = reply.threw(error);
  if (!ownControl().wasAsked()) tell(failure);
  leave(1);
}

/**
 * How long a process whose host reads nothing of it waits for a call that asks for its result, before it prints
 * its error itself.
 */
const ASKED_TIMEOUT_MS = 500;

/** Reports an error whose result has not been asked for: it is printed, unless a call asks for the result in time. */
function tell(failure: Failure): void {
  const text = textOf(failure);
  if (!leaveOwnWords(text) && !ownControl().awaitAsked(ASKED_TIMEOUT_MS)) console.error(text);
}

export function textOf(failure: Failure): string {
  const { thrown, objects } = failure;
  const isError = typeof thrown === "object" && thrown !== null &&
    objects[thrown.at].is === "error";
  return `Process ${ownIdentity().name}:${isError ? "" : " uncaught"}\n${printFailure(failure)}`;
}

/** Prints an error that is thrown when the outcome has been sent already. */
function printThrown(thrown: unknown): void {
  console.error(textOf(describeFailure(thrown, false)));
}

/** Finds a target that travelled by reference. */
export function resolve(travel: Travel, load: LoadModule): Promise<unknown> {
  if (travel.by === "source") {
    throw new InvalidStateError("A target by source came without its text.");
  }
  return whileImporting(() => resolveReference(travel.reference, load));
}
