// The first steps of a process of the operating system, whose main module calls one of the two functions here.
// It talks to its keeper (lib/bridge/keeper.ts) by frames, and ends with the keeper.

import process from "node:process";
import { BridgeClient } from "../bridge/client.ts";
import {
  FINISHED,
  frameOf,
  HEADER_BYTES,
  LOADED,
  OUTCOME,
  readNumber,
  READY,
  START,
  WORDS,
  writeNumber,
} from "../bridge/frames.ts";
import { standInsFor } from "../bridge/objects.ts";
import type { Start } from "../bridge/order.ts";
import type { BundleParts } from "../protocol/bundle_parts.ts";
import { decode } from "../codec/decode.ts";
import { ownControl } from "../liveness/control_block.ts";
import { onExit } from "../liveness/exit_hooks.ts";
import { becomeOsProcess } from "../process/current.ts";
import { type Grants, type Name, PERMISSIONS } from "../protocol/grants.ts";
import type { Reply } from "../protocol/outcome.ts";
import { bytesOf, newResultBuffer, writeTo } from "../protocol/result_buffer.ts";
import { becomeSource, compileSource } from "../target/source.ts";
import { limitBuffers, resolve, run, textOf, watchMemory } from "./boot.ts";
import { confine } from "./confine.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Deno,
  each,
  encodeText,
  Object,
  ReadableStream,
  Error,
  Uint8Array,
} = primordials;

/** Loaded when it is needed: every child loads this text, and Deno takes some ms to load that module. */
let fs: ReturnType<typeof loadFileSystem> | undefined;
const loadFileSystem = () => process.getBuiltinModule("node:fs");

/** The longest text of an uncaught error, in UTF-16 code units. */
const MAX_WORDS = 2 ** 15;
/** How long the process waits, once it has said that it has finished, to be killed; then it ends by itself. */
const KILL_PATIENCE_MS = 5000;

/** The descriptors of the frames; Windows hands on only the first three. */
const hasShell = globalThis.Deno.build.os !== "windows";
const INPUT = 0, OUTPUT = hasShell ? 3 : 1;

function send(kind: number, body: Uint8Array): void {
  const frame = frameOf(kind, body), { writeSync } = fs ??= loadFileSystem();
  for (let sent = 0; sent < frame.length;) sent += writeSync(OUTPUT, frame, sent);
}

function receive(length: number): Uint8Array {
  const bytes = new Uint8Array(length), { readSync } = fs ??= loadFileSystem();
  for (let at = 0; at < length;) {
    const count = readSync(INPUT, bytes, at, length - at, null);
    // The keeper has ended.
    if (count === 0) Deno.exit(1);
    at += count;
  }
  return bytes;
}

function receiveStart(): Start {
  const header = receive(HEADER_BYTES);
  const body = receive(readNumber(header, 0));
  if (header[4] !== START) throw new Error("The keeper has not sent the start.");
  const start = decode(body, 4, body.length) as Start;
  start.identity.pid = readNumber(body, 0);
  return start;
}

export { modulesAreThere } from "./boot.ts";

/**
 * Runs the target by source.
 *
 * @param exports the exports of this package
 * @param parts the URLs of this package's text, if the keeper has sent it
 */
export function bootBySource(
  exports: Readonly<Record<string, unknown>>,
  parts?: BundleParts,
): void {
  const {
    boot: _1,
    serve: _2,
    multiprocessing$child: _3,
    multiprocessing$local: _4,
    multiprocessing$os: _5,
    ...all
  } = exports;
  begin((travel, start) => {
    const code = compileSource(start.source!, all);
    if (travel.by === "source") becomeSource(code as { name: string }, travel.scope);
    return code;
  }, parts);
}

/** Runs the target by reference. @param load imports the target's module */
export function bootByReference(load: () => Promise<Record<string, unknown>>): void {
  begin((travel) => resolve(travel, load));
}

async function begin(
  find: (travel: Start["travel"], start: Start) => unknown,
  parts?: BundleParts,
): Promise<void> {
  const start = receiveStart();
  const { grants, sealed, memoryLimitMb, maxResultBytes } = start;
  checkPermissions(grants);
  if (!hasShell) keepOutputApart();
  if (memoryLimitMb !== undefined) watchMemory();
  becomeOsProcess(parts === undefined ? start : { ...start, parts });
  // Where there is no shell, the end of the input ends the process.
  const client = start.kinds.length === 0 && hasShell
    ? undefined
    : new BridgeClient(maxResultBytes, send);
  hideInput();
  confine({ grants, key: undefined, sealed });
  limitBuffers(memoryLimitMb, sealed !== undefined);
  // Errors are printed by the host.
  ownControl().markAsked();
  onExit((code) => finish(code));
  send(LOADED, new Uint8Array(0));
  await run(start, replyOf(maxResultBytes), (travel) => find(travel, start), () => {
    const handedOver = client === undefined ? [] : standInsFor(start.kinds, client);
    const { args } = start;
    return primordials.Promise.resolve(() => {
      const values = decode(args, 0, args.length, { handedOver, posted: [] });
      send(READY, new Uint8Array(0));
      return values;
    });
  });
}

/** Ends a process that has a permission that it was not given: it was not started as it should have been. */
function checkPermissions(grants: Grants): void {
  for (const name of each(PERMISSIONS)) {
    const grant = grants[name as Name];
    if (grant !== undefined && grant !== false) continue;
    const { state } = Deno.permissions.querySync({ name } as Deno.PermissionDescriptor);
    // By default Deno lets modules be imported from some hosts.
    if (state !== "granted" || name === "import") continue;
    throw new Error(`The process has the permission "${name}", which it was not given.`);
  }
}

/** The standard input carries the frames: to the target it is at its end. */
function hideInput(): void {
  const input = {
    read: () => primordials.Promise.resolve(null),
    readSync: () => null,
    isTerminal: () => false,
    setRaw: () => {},
    close: () => {},
    get readable() {
      return new ReadableStream({ start: (controller) => controller.close() });
    },
  };
  Object.defineProperty(globalThis.Deno, "stdin", { value: input, configurable: true });
}

/** Keeps what the target prints apart from the frames, where these go to the standard output. */
function keepOutputApart(): void {
  const { console: printer, Deno } = globalThis;
  for (const name of each(["log", "info", "debug", "table", "dir"] as const)) {
    printer[name] = (...values: unknown[]) => printer.error(...values);
  }
  Object.defineProperty(Deno, "stdout", { value: Deno.stderr, configurable: true });
}

/** Sends the outcome of the target to the keeper. */
function replyOf(maxResultBytes: number): Reply {
  const buffer = newResultBuffer(maxResultBytes), reply = writeTo(buffer);
  return {
    returned(value) {
      reply.returned(value);
      send(OUTCOME, bytesOf(buffer));
    },
    threw(thrown) {
      const failure = reply.threw(thrown);
      send(OUTCOME, bytesOf(buffer));
      const words = primordials.StringPrototypeSlice(textOf(failure), 0, MAX_WORDS);
      send(WORDS, encodeText(words));
      return failure;
    },
  };
}

/** The last step. The keeper then kills the process, which takes less time than its own end. */
function finish(code: number): void {
  const body = new Uint8Array(5);
  writeNumber(body, 0, code);
  body[4] = ownControl().exitRecord().limit() === "memoryLimitMb" ? 1 : 0;
  send(FINISHED, body);
  ownControl().park(KILL_PATIENCE_MS);
}
