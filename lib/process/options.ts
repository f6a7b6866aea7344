// The options of a new Process: their meanings and checks.

import * as primordials from "../platform/primordials.ts";
import type { Grants, Sealed } from "../protocol/grants.ts";
import { describe } from "../validate/describe.ts";
import { checkLimit, checkWhole } from "../validate/numbers.ts";
import { checkName, checkNames, checkOption } from "../validate/options.ts";
import { checkPermissions, grantsForOs } from "./permissions.ts";

const { Array, ArrayPrototypeIncludes, listOf, RangeError, TypeError } = primordials;

/**
 * The options of a new {@linkcode Process}.
 *
 * @example
 * ```ts
 * import { Process, type ProcessOptions } from "@multiproc/multiprocessing";
 *
 * const options: ProcessOptions<[number], number> = {
 *   target: (n) => n * n,
 *   by: "source",
 *   name: "squarer",
 *   memoryLimitMb: 100,
 * };
 * await using process = new Process({ ...options, args: [7] });
 * process.start();
 * console.log(await process.result()); // 49
 * ```
 */
export interface ProcessOptions<A extends unknown[] = unknown[], R = unknown> {
  /**
   * The code that the process runs: a function, or the name of a function that `module` exports. A function
   * travels by reference, if it is found among the exports of a module that the child may import, and by source
   * otherwise: see `by`.
   */
  target?: ((...args: A) => R | PromiseLike<R>) | string;
  /** The name, for people. Default: "Process-1", or "Process-1:2" for a child's second child. */
  name?: string;
  /**
   * Whether the program ends without waiting for the process, and ends the process then. Default: as the
   * process that starts it.
   */
  daemon?: boolean;
  /**
   * The URL of the module that exports `target`. Default: for a function, the first that exports it of: the
   * module that calls the constructor, the modules that it imports, and the other modules on the stack; for a
   * name, the module that calls the constructor.
   */
  module?: string | URL;
  /**
   * How the target travels. "reference": the child imports the module that exports the target, so the target's
   * imports and helpers are there. "source": the target's own text travels; it may use its arguments, the
   * globals and what its module imports from this package. Default: by reference where the function is found
   * and the child may read its module and this library, or gets them from a URL; by source otherwise. Either
   * way, the child runs the given function and never another.
   */
  by?: "reference" | "source";
  /**
   * A signal that ends the process, as `terminate()` does, when it is aborted. Its reason is then the cause of
   * the ProcessError.
   */
  signal?: AbortSignal;
  /**
   * The permissions of the process, enforced by Deno: "inherit" (the default), those of the process that starts
   * it; "none", no permission; or Deno's own permissions by name, where a permission that isn't named is not
   * granted: `{ read: ["./data"], net: ["example.com:443"] }`. A process can't be given more than its starter
   * has.
   *
   * A target by reference is loaded with the starter's right to read it. So even with "none" its module and its
   * imports are there, text and JSON files among them. Imports while it runs need the process's own
   * permissions, and in a sealed process reach only files and URLs. So let code that you don't trust travel by
   * source.
   *
   * With permissions but no limit the process starts within 20 ms, and `terminate()` and `kill()`
   * end it when its code gets to the event loop or calls this library. A `while (true) {}` in it is
   * not ended: `join()` resolves after 2 s all the same, nothing waits for it any more, and it keeps
   * a processor busy until the program ends. With `timeLimit` or `memoryLimitMb` it can be stopped at
   * any instant, and takes half a second longer to start (see there).
   *
   * Explicit permissions need Deno's worker-options: `"unstable": ["worker-options"]` in deno.json, or
   * `--unstable-worker-options`. Without it Deno 2.9 prints "Unstable API 'Worker.deno.permissions'"
   * and ends the program with exit code 70, which nothing can catch.
   *
   * On a terminal Deno asks the person when the process tries something it may not do, unless the program was
   * started with `--no-prompt` or the environment has `DENO_NO_PROMPT=1`. This library prints a warning once;
   * it can't keep Deno from asking.
   */
  permissions?: "inherit" | "none" | Deno.PermissionOptionsObject;
  /**
   * Whether the realm of a process with permissions of its own is sealed: built by an allow-list before any of
   * its code runs. true (the default): the process has the language, the web's harmless APIs, and the members
   * of Deno that its permissions are for. It has none of Deno's internals, no modules of node:, npm: and jsr:
   * for imports while it runs, no workers, channels, WebGPU, WebAssembly or queues by name. Static imports of
   * the target's module are there. `{ keep: ["WebAssembly"] }`: as true, and WebAssembly too, whose memory no
   * limit counts. false: only Deno's permissions restrict the process, and it can end the program: for code
   * that you trust.
   *
   * Processes that a sealed process starts are sealed as well.
   */
  sealed?: boolean | { keep: readonly "WebAssembly"[] };
  /**
   * What the process is. "worker" (the default): an isolate of this program, in a thread. "os": a process of the
   * operating system, for code that must be assumed hostile: whatever ends or hangs it, or fills its memory, ends
   * that process and nothing else. It starts in 0.2 to 0.5 s, as measured on a busy machine (docs/security.md),
   * and needs the right to run `/bin/sh`: `--allow-run=/bin/sh` (on Windows: to run Deno).
   *
   * Such a process has no permissions unless `permissions` names some; "inherit" are those of its starter as far
   * as they can be told: what a command line has granted in part can't. Its environment is empty but for the
   * variables that `permissions.env` names. Its arguments are values, queues and pipe ends; locks and shared
   * memory can't cross. What it returns is a value of at most `maxResultBytes`, and so is each item or message
   * that it puts or sends. Its memory limit counts buffers as well, as RLIMIT_DATA; a time limit stops it at any
   * instant.
   */
  isolation?: "worker" | "os";
  /**
   * How much memory the objects of the process's heap may take, in MB (2 ** 20 bytes). When they take more the
   * process is ended, with -9 as the exit code, and the program lives. Buffers of typed arrays, and in a sealed
   * process shared memory and Blobs, may take 64 MB more than the limit, and are checked every 50 ms; in a
   * sealed process also when they are made. In a sealed process a limit of less than 288 MB is kept each time the
   * code gives up its turn, and until then 288 MB are: with less, a single allocation could end the program. A
   * single call can take a gigabyte or more before it ends: docs/security.md has figures. At least 16. A process that this one starts has a heap of its own, of at most the
   * same size.
   *
   * Together with `permissions` the process runs in a thread in a sandbox, and takes half a second longer to
   * start: Deno waits for a debugger where a worker starts a worker. Such a process loads its modules with the
   * rights of its sandbox, so for a target by reference `permissions.read` must be all or nothing; for a target
   * by source it may be a list.
   */
  memoryLimitMb?: number;
  /**
   * How long the process may live, in ms from when its modules are loaded. Then it is killed, with -9 as the
   * exit code. Infinity is no limit. Together with `permissions` any value makes the process run as with
   * `memoryLimitMb`, where it can be stopped at any instant. There a thread of its own keeps the time;
   * otherwise the process that started it does, or main, which is late while it computes without a pause.
   */
  timeLimit?: number;
  /**
   * Where the process prints: "inherit" (the default), where its starter does; "prefix", there too, with
   * `[name] ` before each line, and each line whole.
   */
  stdio?: "inherit" | "prefix";
  /**
   * How many bytes a process with permissions of its own may return or throw, encoded as for a queue. Default:
   * 2 ** 20 (1 MB). A larger result is an error in the process, and of a larger error only the first line is
   * sent. The process that asks for the result decodes it: the larger the result may be, the longer hostile
   * code can keep that process busy.
   */
  maxResultBytes?: number;
  /**
   * Whether the process may start warm, in a thread that this library has made ahead. After a process has ended,
   * the next thread is made in idle time: it takes 25 ms of the program's thread, and 15 MB until it is used, or
   * for 8 s. A process with permissions of its own or a memory limit starts cold in any case. Default: true.
   */
  warm?: boolean;
}

/**
 * The parameters of the constructor of {@linkcode Process}: `args` may be left out only where the
 * target takes none.
 *
 * @example
 * ```ts
 * import { Process, type ProcessParameters } from "@multiproc/multiprocessing";
 *
 * function start<A extends unknown[], R>(...parameters: ProcessParameters<A, R>): Process<A, R> {
 *   const process = new Process<A, R>(...parameters);
 *   process.start();
 *   return process;
 * }
 *
 * const process = start({ target: (n: number) => n * n, by: "source", args: [7] });
 * console.log(await process.result()); // 49
 * ```
 *
 * @typeParam A the target's parameters
 * @typeParam R the type that the target returns, or that its promise resolves to
 */
export type ProcessParameters<A extends unknown[], R> = [] extends A
  ? [options?: ProcessOptions<A, R> & { args?: Readonly<A> }]
  : [options: ProcessOptions<A, R> & { args: Readonly<A> }];

/** The key of an option, internal to this package, that lists further modules to load with a process. */
export const preloading: unique symbol = Symbol("multiprocessing.preload");

/** The modules that are to be loaded with a process. */
export function preloadOf(options: object): readonly string[] | undefined {
  return (options as { [preloading]?: readonly string[] })[preloading];
}

/** The largest maxResultBytes. */
const MAX_RESULT_BYTES = 2 ** 30;

/** The names of all options. */
const OPTIONS = [
  ...["target", "args", "name", "daemon", "module", "by", "signal"],
  ...["permissions", "sealed", "isolation", "memoryLimitMb", "timeLimit", "maxResultBytes"],
  ...["warm", "stdio"],
];

/**
 * The smallest memory limit, in MB. With less a thread runs out of memory before that can be caught
 * (platform/threads.ts).
 */
const MIN_MEMORY_MB = 16;

/** The option, checked; undefined if it isn't there. */
function checkResultBytes(
  { maxResultBytes, permissions, isolation }: Pick<
    ProcessOptions,
    "maxResultBytes" | "permissions" | "isolation"
  >,
): number | undefined {
  if (maxResultBytes === undefined) return undefined;
  checkWhole("maxResultBytes", maxResultBytes, 1, MAX_RESULT_BYTES, "the default is 2 ** 20");
  if (isolation === "os") return maxResultBytes;
  if (permissions === undefined || permissions === "inherit") {
    throw new TypeError(
      "maxResultBytes is for a process with permissions of its own, and this one inherits them: what it returns has " +
        'no bound. Give it permissions: "none", or those it needs, or leave out maxResultBytes.',
    );
  }
  return maxResultBytes;
}

/** The globals that a sealed process can keep. */
const KEPT: readonly unknown[] = ["WebAssembly"];

/** The option, checked and normalised; undefined if it isn't there. */
function checkSealed(
  { sealed, permissions, isolation }: Pick<
    ProcessOptions,
    "sealed" | "permissions" | "isolation"
  >,
): Sealed | false | undefined {
  if (sealed === undefined || sealed === false) return sealed;
  const wanted = 'Give true, false or { keep: ["WebAssembly"] }.';
  if (sealed !== true && (typeof sealed !== "object" || sealed === null)) {
    throw new TypeError(`sealed is ${describe(sealed)}. ${wanted}`);
  }
  if (isolation !== "os" && (permissions === undefined || permissions === "inherit")) {
    throw new TypeError(
      'sealed is for a process with permissions of its own, and this one inherits them. Give it permissions: "none", ' +
        "or those it needs, or leave out sealed.",
    );
  }
  if (sealed === true) return { keep: [] };
  const { keep } = checkNames(sealed, ["keep"], 'sealed: { keep: ["WebAssembly"] }');
  if (!Array.isArray(keep)) throw new TypeError(`sealed.keep is ${describe(keep)}. ${wanted}`);
  for (let i = 0; i < keep.length; i++) {
    const name = keep[i];
    if (ArrayPrototypeIncludes(KEPT, name)) continue;
    throw new TypeError(
      `sealed.keep[${i}] is ${describe(name)}, which can't be kept. ${wanted}`,
    );
  }
  return { keep: listOf(keep) };
}

/** The option, checked. */
function checkIsolation(isolation: unknown): Bounds["isolation"] {
  const isRight = isolation === undefined || isolation === "worker" || isolation === "os";
  checkOption("isolation", isolation, isRight, '"worker" or "os"');
  return isolation as Bounds["isolation"];
}

/** The option, checked; undefined if it isn't there. */
function checkMemoryLimit(value: unknown): number | undefined {
  const limit = checkLimit("memoryLimitMb", value, "MB");
  if (limit === undefined || limit >= MIN_MEMORY_MB) return limit;
  throw new RangeError(
    `memoryLimitMb is ${limit}, too little to start with. Give at least ${MIN_MEMORY_MB}.`,
  );
}

/** Whether the output is to be prefixed. */
function checkStdio(stdio: unknown): boolean {
  if (stdio !== undefined) {
    checkOption("stdio", stdio, stdio === "inherit" || stdio === "prefix", '"inherit" or "prefix"');
  }
  return stdio === "prefix";
}

export function checkDaemon(daemon: unknown): void {
  checkOption("daemon", daemon, typeof daemon === "boolean", "true or false");
}

/** Checks the types of the options. */
function checkOptions<A extends unknown[], R>(
  options: ProcessOptions<A, R> & { args?: Readonly<A> },
): void {
  const { target, args, name, daemon, module, by, signal, warm } = options;
  const check = (what: string, value: unknown, ok: boolean, expected: string) => {
    if (value !== undefined) checkOption(what, value, ok, expected);
  };
  check(
    "target",
    target,
    typeof target === "function" || typeof target === "string",
    "a function, or the name of one that module exports",
  );
  check("args", args, Array.isArray(args), "an array of the target's arguments");
  if (name !== undefined) checkName(name);
  if (daemon !== undefined) checkDaemon(daemon);
  check(
    "module",
    module,
    typeof module === "string" && primordials.URL.canParse(module) ||
      module instanceof primordials.URL,
    "the URL of a module, as import.meta.url",
  );
  check("by", by, by === "reference" || by === "source", '"reference" or "source"');
  check("warm", warm, typeof warm === "boolean", "true or false");
  check("signal", signal, signal instanceof primordials.AbortSignal, "an AbortSignal");
}

/** The options of a new process, checked. */
export function checkProcessOptions<A extends unknown[], R>(
  given: ProcessOptions<A, R> & { args?: Readonly<A> },
): ProcessOptions<A, R> & { args?: Readonly<A> } {
  const options = checkNames(given, OPTIONS, "new Process({ target, args })");
  checkOptions(options);
  return options;
}

/** The bounds within which a process is kept. */
export interface Bounds {
  grants?: Grants;
  isolation?: "worker" | "os";
  /** false: not sealed; undefined: not specified. */
  sealed?: Sealed | false;
  memoryLimitMb?: number;
  timeLimit?: number;
  maxResultBytes?: number;
  /** Whether the process may start in a spare. */
  warm?: boolean;
  /** Whether its name stands before each line that it prints. */
  isPrefixed?: boolean;
}

/** The bounds among these options, checked. */
export function boundsOf(
  { permissions, sealed, isolation, maxResultBytes, memoryLimitMb, timeLimit, warm, stdio }: Pick<
    ProcessOptions,
    | ("permissions" | "sealed" | "isolation" | "maxResultBytes" | "memoryLimitMb" | "timeLimit")
    | ("warm" | "stdio")
  >,
): Bounds {
  const grants = checkPermissions(permissions), kind = checkIsolation(isolation);
  return {
    grants: kind === "os" ? grantsForOs(grants, permissions === "inherit") : grants,
    isolation: kind,
    sealed: checkSealed({ sealed, permissions, isolation }),
    maxResultBytes: checkResultBytes({ maxResultBytes, permissions, isolation }),
    memoryLimitMb: checkMemoryLimit(memoryLimitMb),
    timeLimit: checkLimit("timeLimit", timeLimit, "milliseconds"),
    warm,
    isPrefixed: checkStdio(stdio),
  };
}
