// The permissions of a process: the option `permissions`, checked and normalised. Deno itself enforces them, in
// the worker. The functions here give a readable error before Deno refuses something, and tell afterwards which
// rights a process has.

import { fileURLToPath } from "node:url";
import { describe } from "../validate/describe.ts";
import { ownKey } from "../transfer/signature.ts";
import {
  type Grant,
  type Grants,
  type Name,
  PERMISSIONS,
  type Sealed,
} from "../protocol/grants.ts";
import type { ChildPart } from "../protocol/spawn_request.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayPrototypeFilter,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  console,
  each,
  Object,
  setOf,
  splitText,
  TypeError,
  URL,
} = primordials;

/** The permissions whose lists hold paths, which may also be given as file: URLs. */
const OF_PATHS: ReadonlySet<Name> = setOf<Name>(["read", "write", "run", "ffi"]);

/** The key of a single entry in the descriptors of Deno.permissions. */
const KEYS = {
  read: "path",
  write: "path",
  net: "host",
  env: "variable",
  run: "command",
  sys: "kind",
  ffi: "path",
  import: "host",
};

/**
 * The permissions of a process, by Deno's names: true for all of a permission, false for none of it, a list for
 * some of it (paths, hosts, variables …). Deno doesn't tell which parts of a permission the command line has
 * given to the main process. For those, too, main has false here, and `Deno.permissions.query` knows more.
 *
 * @example
 * ```ts
 * import { currentProcess, type ProcessPermissions } from "@multiproc/multiprocessing";
 *
 * const mine: ProcessPermissions = currentProcess().permissions;
 * console.log(mine.read === true ? "may read everything" : mine.read);
 * ```
 */
export interface ProcessPermissions {
  /** Paths that the process may read. */
  readonly read: boolean | readonly string[];
  /** Paths that the process may write to. */
  readonly write: boolean | readonly string[];
  /** Hosts, with or without a port, that the process may reach. */
  readonly net: boolean | readonly string[];
  /** Environment variables that the process may use. */
  readonly env: boolean | readonly string[];
  /** Programs that the process may start. */
  readonly run: boolean | readonly string[];
  /** Facts about the system that the process may read, such as "hostname". */
  readonly sys: boolean | readonly string[];
  /** Libraries that the process may load. */
  readonly ffi: boolean | readonly string[];
  /** Hosts from which the process may import modules. */
  readonly import: boolean | readonly string[];
}

/**
 * The option, checked and normalised: undefined for "inherit".
 *
 * @throws {TypeError} if the option has none of the allowed forms
 */
export function checkPermissions(option: unknown): Grants | undefined {
  if (option === undefined || option === "inherit") return undefined;
  if (option === "none") return {};
  if (typeof option !== "object" || option === null || Array.isArray(option)) {
    throw new TypeError(
      `permissions is ${describe(option)}. Give "inherit", "none" or an object of permissions, ` +
        'as { read: ["./data"], net: false }.',
    );
  }
  const grants: Grants = {};
  for (const { 0: name, 1: value } of each(Object.entries(option))) {
    if (!isName(name)) {
      throw new TypeError(
        `permissions.${name} is no permission of Deno. There are ${
          ArrayPrototypeJoin(PERMISSIONS, ", ")
        }.`,
      );
    }
    if (value !== undefined) grants[name] = checkGrant(name, value);
  }
  return grants;
}

function isName(name: string): name is Name {
  return ArrayPrototypeIncludes(PERMISSIONS as readonly string[], name);
}

function checkGrant(name: Name, value: unknown): Grant {
  if (typeof value === "boolean" || value === "inherit") return value;
  if (!Array.isArray(value)) {
    throw new TypeError(
      `permissions.${name} is ${
        describe(value)
      }. Give true, false, "inherit" or an array of strings.`,
    );
  }
  return ArrayPrototypeMap(value, (entry, i) => {
    if (OF_PATHS.has(name) && entry instanceof URL && entry.protocol === "file:") {
      return fileURLToPath(entry);
    }
    if (typeof entry === "string" && entry !== "") return entry;
    const wanted = OF_PATHS.has(name) ? "a path or a file: URL" : "a string";
    throw new TypeError(`permissions.${name}[${i}] is ${describe(entry)}. Give ${wanted}.`);
  });
}

/**
 * Checks that this process has itself the permissions it wants to grant. Deno would refuse to grant others,
 * too, but not say which, and on a terminal it would ask the person first.
 *
 * @throws {Deno.errors.NotCapable} naming the permission, and the part of it that this process has
 * @throws {TypeError} if an entry of a list means nothing to Deno
 */
export function checkNarrowing(grants: Grants): void {
  for (const { 0: name, 1: grant } of each(Object.entries(grants) as [Name, Grant][])) {
    const place = `permissions.${name}`;
    if (grant === true && !mayDo(name, undefined, place)) refuse(name, place, "all of it");
    if (!Array.isArray(grant)) continue;
    for (let i = 0; i < grant.length; i++) {
      const entry = grant[i];
      if (!mayDo(name, entry, `${place}[${i}]`)) refuse(name, `${place}[${i}]`, `"${entry}"`);
    }
  }
}

function refuse(name: Name, place: string, wanted: string): never {
  throw new primordials.Deno.errors.NotCapable(
    `${place} asks for more than this process has: for ${wanted}, and ${told(name)}. ` +
      `Ask for less, or start the program with --allow-${name} for it.`,
  );
}

/** Whether this process has all of a permission, or this entry of it. */
function mayDo(name: Name, entry: string | undefined, place: string): boolean {
  const descriptor = entry === undefined ? { name } : { name, [KEYS[name]]: entry };
  try {
    const { state, partial } = primordials.Deno.permissions.querySync(
      descriptor as Deno.PermissionDescriptor,
    );
    return state === "granted" && !partial;
  } catch (cause) {
    throw new TypeError(`${place} is ${describe(entry)}, which means nothing to Deno: ${cause}`, {
      cause,
    });
  }
}

/** The part of a permission that this process has, as text. */
function told(name: Name): string {
  const own = ownPermissions()[name];
  if (typeof own === "object") {
    return `it has only ${
      ArrayPrototypeJoin(ArrayPrototypeMap(own, (entry) => `"${entry}"`), ", ")
    }`;
  }
  if (own) return "it has all of it";
  // Deno doesn't say which parts a command line has granted.
  return explicit === undefined ? "it has none of it, or other parts" : "it has nothing of it";
}

/** The explicit permissions that this process was started with, if there were any. */
let explicit: Grants | undefined;

let confined = false;

/** How this process is sealed; undefined if it isn't. */
let ownSeal: Sealed | undefined;

/** Takes over the permissions that the starter has given. Called once, first of all, in a started process. */
export function adoptGrants(
  grants: Grants | undefined,
  areOwn: boolean,
  sealed: Sealed | undefined,
): void {
  explicit = grants;
  confined = areOwn;
  ownSeal = sealed;
}

/** How processes that this process starts are sealed; undefined where this process isn't sealed itself. */
export function inheritedSeal(): Sealed | undefined {
  return ownSeal;
}

/** Whether this process has permissions of its own, so that no other process can act for it. */
export function isConfined(): boolean {
  return confined;
}

/** The part of a spawn request about permissions: what a child knows of its own. */
export function handOn(grants: Grants | undefined): Pick<ChildPart, "grants" | "key"> {
  if (grants === undefined) return { grants: explicit, key: ownKey() };
  const known = ArrayPrototypeMap(Object.entries(grants), ({ 0: name, 1: grant }) => {
    return [name, grant === "inherit" && explicit !== undefined ? explicit[name as Name] : grant];
  });
  return { grants: Object.fromEntries(known), key: undefined };
}

/** The permissions that this process has now, or that a child with these grants has. */
export function ownPermissions(grants?: Grants): ProcessPermissions {
  const entries = ArrayPrototypeMap(PERMISSIONS, (name) => {
    const granted = grants === undefined ? "inherit" : grants[name] ?? false;
    const grant = granted === "inherit" ? explicit?.[name] ?? true : granted;
    if (Array.isArray(grant)) {
      const left = ArrayPrototypeFilter(grant, (entry) => mayDo(name, entry, name));
      return [name, left.length > 0 && left];
    }
    return [name, grant && mayDo(name, undefined, name)];
  });
  return Object.fromEntries(entries);
}

/** The permissions of a process of the operating system, as they can be said to Deno: see ProcessOptions. */
export function grantsForOs(grants: Grants | undefined, isInherited: boolean): Grants {
  const own = ownPermissions();
  const wanted = grants ?? (isInherited ? own : {});
  const entries = ArrayPrototypeMap(PERMISSIONS, (name: Name) => {
    const grant = wanted[name];
    return [name, grant === "inherit" ? own[name] : grant ?? false];
  });
  return Object.fromEntries(entries);
}

let hasWarned = false;

/**
 * Warns the person at the terminal, once, that Deno may ask for permissions. Deno asks when a confined process
 * tries something it may not do, unless the program was started with --no-prompt. Nothing can change that from
 * inside.
 */
export function warnOfPrompts(): void {
  if (hasWarned) return;
  hasWarned = true;
  // The person was warned when this process was started.
  if (ownSeal !== undefined) return;
  if (
    !primordials.Deno.stdin.isTerminal() || !primordials.Deno.stderr.isTerminal() || promptsAreOff()
  ) return;
  console.error(
    "@multiproc/multiprocessing: this program starts a process with fewer permissions. If that " +
      "process tries what it may not do, Deno asks here whether to allow it, and whatever is printed waits " +
      "for the answer; unless the program was started with --no-prompt, or with DENO_NO_PROMPT=1.",
  );
}

/** Whether prompts are known to be off, as far as this process may find out. */
function promptsAreOff(): boolean {
  const variable = "DENO_NO_PROMPT", commandLine = "/proc/self/cmdline";
  try {
    if (mayDo("env", variable, variable) && primordials.Deno.env.get(variable)) return true;
    // On Linux, with all permissions.
    return mayDo("read", commandLine, commandLine) &&
      ArrayPrototypeIncludes(
        splitText(primordials.Deno.readTextFileSync(commandLine), "\0"),
        "--no-prompt",
      );
  } catch {
    return false;
  }
}
