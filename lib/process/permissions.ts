// What a process may do: the option `permissions`, checked and in one form. Deno itself enforces
// it, in the worker; here is what makes a refusal readable before Deno makes it, and what says
// afterwards which rights a process has.

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

/** Of which permissions the list holds paths, which may be given as file: URLs too. */
const OF_PATHS: ReadonlySet<Name> = setOf<Name>(["read", "write", "run", "ffi"]);

/** The key of a single one in the descriptors of Deno.permissions. */
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
 * What a process may do, by the names of Deno's permissions: true for all of it, false for none, a
 * list for some of it (paths, hosts, variables …). Deno doesn't tell which parts of a right the
 * command line has given to the main process: for those, too, it says false there, and
 * `Deno.permissions.query` knows more.
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
  /** Paths it may read. */
  readonly read: boolean | readonly string[];
  /** Paths it may write to. */
  readonly write: boolean | readonly string[];
  /** Hosts, with or without a port, that it may reach. */
  readonly net: boolean | readonly string[];
  /** Environment variables it may use. */
  readonly env: boolean | readonly string[];
  /** Programs it may start. */
  readonly run: boolean | readonly string[];
  /** What it may learn of the system, as "hostname". */
  readonly sys: boolean | readonly string[];
  /** Libraries it may load. */
  readonly ffi: boolean | readonly string[];
  /** Hosts it may import modules from. */
  readonly import: boolean | readonly string[];
}

/**
 * The option in one form: undefined for "inherit".
 *
 * @throws {TypeError} if it is none of what it may be
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
 * Makes sure that this process has itself what it wants to grant. Deno would refuse it too, but
 * not say what, and on a terminal it would ask the person first.
 *
 * @throws {Deno.errors.NotCapable} naming the permission, and what this process has of it
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

/** Whether this process may do all of it, or this one of it. */
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

/** What this process has of a permission, in words. */
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

/** What this process was started with, if that was said. */
let explicit: Grants | undefined;

let confined = false;

/** How this process is sealed, if it is. */
let ownSeal: Sealed | undefined;

/** Called once, first of all, in a started process. */
export function adoptGrants(
  grants: Grants | undefined,
  areOwn: boolean,
  sealed: Sealed | undefined,
): void {
  explicit = grants;
  confined = areOwn;
  ownSeal = sealed;
}

/** How what this process starts is sealed; undefined where this process isn't sealed itself. */
export function inheritedSeal(): Sealed | undefined {
  return ownSeal;
}

/** Whether this process has permissions of its own, so that no other can act for it. */
export function isConfined(): boolean {
  return confined;
}

/** What a child knows of its permissions. */
export function handOn(grants: Grants | undefined): Pick<ChildPart, "grants" | "key"> {
  if (grants === undefined) return { grants: explicit, key: ownKey() };
  const known = ArrayPrototypeMap(Object.entries(grants), ({ 0: name, 1: grant }) => {
    return [name, grant === "inherit" && explicit !== undefined ? explicit[name as Name] : grant];
  });
  return { grants: Object.fromEntries(known), key: undefined };
}

/** What this process may do now, or a child of it with these permissions. */
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

let hasWarned = false;

/**
 * Deno asks the person at the terminal when a confined process tries what it may not do, unless the
 * program was started with --no-prompt. Nothing can change that from inside, so the person
 * is told once what will be asking.
 */
export function warnOfPrompts(): void {
  if (hasWarned) return;
  hasWarned = true;
  // The person was told when this one was started.
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

/** As far as this process may know. */
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
