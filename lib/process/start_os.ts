// Starts a process of the operating system. Its keeper (lib/bridge/keeper.ts) is started as a process of this
// program, and starts it.

import { denoArguments, type Limits, shellScript } from "../bridge/command.ts";
import type { Order, Start } from "../bridge/order.ts";
import { isHandedOver } from "../codec/clone_protocol.ts";
import { type Beside, freeEncoder } from "../codec/encode.ts";
import { findUncloneable } from "../codec/locate.ts";
import * as primordials from "../platform/primordials.ts";
import type { Grants } from "../protocol/grants.ts";
import type { Identity } from "../protocol/identity.ts";
import { newResultBuffer } from "../protocol/result_buffer.ts";
import { planOs } from "../target/os_main.ts";
import { registerOwnTarget } from "../target/own_targets.ts";
import type { Target } from "../target/target.ts";
import { capture } from "../transfer/message.ts";
import { type HandedOver, serialize } from "../transfer/transferable.ts";
import { inheritance, ownIdentity } from "./current.ts";
import type { Bounds } from "./options.ts";
import { inheritedSeal } from "./permissions.ts";

const {
  Array,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  Deno,
  each,
  navigator,
  Object,
  SafeSet,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  TypeError,
} = primordials;

/** Stands for keep() of lib/bridge/keeper.ts, which only a keeper loads. */
function keep(_order: Order, _objects: readonly object[]): void {}

registerOwnTarget(keep, { path: "../bridge/keeper.ts", name: "keep" });

/** The kinds of objects that can be given to a process of the operating system; by name, because not every child has them. */
const KINDS = ["SimpleQueue", "JoinableQueue", "Queue", "Connection"];

/** The kind of an object that can be given to a process of the operating system; undefined for any other. */
function kindOf(object: object): string | undefined {
  if (!isHandedOver(object)) return undefined;
  const { kind } = (object as HandedOver)[serialize]();
  return ArrayPrototypeIncludes(KINDS, kind) ? kind : undefined;
}

const COPIES: Beside = { moving: new SafeSet(), largestBuffer: Infinity };

/** A sentence that names the part of a value that can't cross, followed by one that says what to do. */
function refusalOf(value: object, root: string): string {
  const mayCross = (object: object) => kindOf(object) !== undefined;
  const found = findUncloneable(value, root, { mayCross }) ??
    `${root} holds shared memory or an object that`;
  const at = StringPrototypeIndexOf(found, ", which ");
  const what = at < 0 ? found : StringPrototypeSlice(found, 0, at);
  return `${what}, and shares memory with others: it can't cross to a process of the operating system. ` +
    'Give it queues, pipe ends and values, or start it without isolation: "os".';
}

/** The process that is started in place of a process of the operating system: its keeper. */
export interface KeeperStart {
  target: Target;
  args: [order: Order, objects: readonly object[]];
  result: SharedArrayBuffer;
}

/**
 * Prepares the start of a process of the operating system.
 *
 * @param value the arguments, or an object whose class has a run()
 * @throws {TypeError} if a part of the value can't cross, naming the place; or if the target can't travel
 * @throws {Deno.errors.NotCapable} if this process may not run Deno
 */
export function prepareKeeper(
  identity: Identity,
  target: Target,
  value: object,
  { grants = {}, sealed, memoryLimitMb, timeLimit, maxResultBytes }: Bounds & {
    maxResultBytes: number;
  },
): KeeperStart {
  const root = target.isClass ? "this" : "args", own = target.isClass ? { ...value } : value;
  const command = checkedCommand(identity.name);
  const encoder = freeEncoder(), length = encoder.encode(own, 0, root, COPIES);
  const { bytes, objects, posted } = capture(encoder, 0, length, []);
  const kinds = ArrayPrototypeMap(objects, kindOf);
  if (posted.length > 0 || ArrayPrototypeIncludes(kinds, undefined)) {
    throw new TypeError(refusalOf(own, root));
  }
  const { travel, source, texts, parts, main } = planOs(target, grants, objects.length > 0);
  const { library } = inheritance();
  const start: Start = {
    ...{ identity, parent: ownIdentity(), travel, source, args: bytes, kinds: kinds as string[] },
    ...{ grants, sealed: sealed === undefined ? { keep: [] } : sealed || undefined },
    ...{ memoryLimitMb, maxResultBytes, library, parts },
  };
  const options = denoArguments(grants, memoryLimitMb, travel.by === "source");
  const result = newResultBuffer(maxResultBytes);
  const order: Order = {
    ...commandOf(command, { memoryLimitMb, timeLimit, hasReader: objects.length > 0 }, [
      ...options,
      main,
    ]),
    ...{ env: environment(grants, command), start: encoded(start), texts, result },
    ...{ timeLimit: timeLimit ?? Infinity, hasMemoryLimit: memoryLimitMb !== undefined },
  };
  return {
    target: {
      ...{ code: keep, isClass: false, module: undefined, callers: target.callers },
      by: target.by === "source" ? "source" : undefined,
    },
    ...{ args: [order, objects], result },
  };
}

/** The bytes of what the process is told first. */
function encoded(start: Start): Uint8Array {
  const encoder = freeEncoder(), length = encoder.encode(start, 0, "start");
  return capture(encoder, 0, length, []).bytes;
}

/** The program that is run, and by what. */
interface Command {
  file: string;
  deno: string;
  hasShell: boolean;
}

/** The names of the shell, the first of which this process may run is used. */
const SHELLS = ["/bin/sh", "sh"];

/** The command by which Deno is started, if it may be. */
function checkedCommand(name: string): Command {
  const { build, errors, execPath } = Deno;
  if (inheritedSeal() !== undefined) {
    throw new errors.NotCapable(
      `${name} is to be a process of the operating system, and the process that starts it is sealed. Start it in ` +
        "the process that has started this one.",
    );
  }
  if (build.standalone) {
    throw new TypeError(
      `${name} is to be a process of the operating system, which needs Deno itself, and this program was made by ` +
        '"deno compile". Leave out isolation: "os", or run the program with Deno.',
    );
  }
  const deno = execPath(), hasShell = build.os !== "windows";
  for (const file of each(hasShell ? SHELLS : [deno])) {
    if (mayRun(file)) return { file, deno, hasShell };
  }
  throw new errors.NotCapable(
    `isolation: "os" needs the right to run ${
      hasShell ? SHELLS[0] : deno
    }, which this process doesn't have. ` +
      `Start the program with --allow-run=${hasShell ? SHELLS[0] : deno}, or leave out the option.`,
  );
}

function mayRun(command: string): boolean {
  return Deno.permissions.querySync({ name: "run", command }).state === "granted";
}

function commandOf(
  { file, deno, hasShell }: Command,
  limits: Limits,
  args: readonly string[],
): Pick<Order, "file" | "args" | "hasShell"> {
  if (!hasShell) return { file: deno, args, hasShell };
  const script = shellScript(limits, navigator.hardwareConcurrency);
  return { file, args: ["-c", script, "multiprocessing", ...args], hasShell };
}

/** The environment of the process: nothing but what Deno needs, and the variables that were granted. */
function environment({ env }: Grants, { deno, hasShell }: Command): string[] {
  const own: Record<string, string> = { DENO_NO_PROMPT: "1", DENO_NO_UPDATE_CHECK: "1" };
  if (hasShell) own.MULTIPROCESSING_DENO = deno;
  const wanted = Array.isArray(env) ? env : env === true ? Object.keys(Deno.env.toObject()) : [];
  for (const name of each(["DENO_DIR", "NO_COLOR", ...wanted])) {
    const descriptor = { name: "env", variable: name } as const;
    if (Deno.permissions.querySync(descriptor).state !== "granted") continue;
    const value = Deno.env.get(name);
    if (value !== undefined) own[name] = value;
  }
  return ArrayPrototypeMap(Object.entries(own), ({ 0: name, 1: value }) => `${name}=${value}`);
}
