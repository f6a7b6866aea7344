// The check of the runtime. mod.ts imports it first of all, so that a runtime that lacks a feature gets one
// error that says so. For that error to come first, no module of this package imports by name an export that an
// older Deno doesn't have (a link error is thrown before any module runs): such exports are read from the
// namespace.
//
// The features of the runtime decide. Its version only changes the words of the error.
//
//   locks             `locks` of node:worker_threads came in the release (Deno 2.9.4) in which a thread
//                     that holds a Web Lock can be interrupted; see interruption.ts.

import * as threads from "node:worker_threads";

/** The oldest version of Deno on which all tests pass. */
export const OLDEST_DENO = "2.9.4";

/** The version and features of a runtime. */
export interface Runtime {
  /** As { deno: "2.9.6" }, { node: "24.0.0" }; null where the runtime doesn't tell. */
  versions: { deno?: string; bun?: string; node?: string };
  /** The features that this package needs and the runtime lacks. */
  missing: string[];
}

/** The runtime that this module runs in. */
export function ownRuntime(): Runtime {
  const { Deno, process } = globalThis as {
    Deno?: { version?: { deno?: string } };
    process?: { versions?: Runtime["versions"] };
  };
  const deno = Deno?.version?.deno;
  const versions = deno === undefined ? process?.versions ?? {} : { deno };
  const needed: [name: string, isThere: boolean][] = [
    ["the global Deno", deno !== undefined],
    ["the global Worker", typeof Worker === "function"],
    ["SharedArrayBuffer", typeof SharedArrayBuffer === "function"],
    ["Atomics.waitAsync", typeof Atomics === "object" && "waitAsync" in Atomics],
    ["`locks` in node:worker_threads", (threads as { locks?: unknown }).locks !== undefined],
  ];
  return { versions, missing: needed.filter(([, isThere]) => !isThere).map(([name]) => name) };
}

/** The error message for a runtime that can't run this package; undefined for a runtime that can. */
export function explainUnsupported({ versions, missing }: Runtime): string | undefined {
  if (missing.length === 0) return undefined;
  const needs = `@multiproc/multiprocessing needs Deno ${OLDEST_DENO} or later`;
  const { deno, bun, node } = versions;
  if (deno === undefined) {
    const name = bun !== undefined
      ? `Bun ${bun}`
      : node !== undefined
      ? `Node.js ${node}`
      : "another runtime";
    return `${needs}, and this is ${name}. Run the program with Deno: https://docs.deno.com/runtime/`;
  }
  const here = `this is Deno ${deno}, which lacks ${missing.join(", ")}`;
  if (isOlder(deno, OLDEST_DENO)) {
    return `${needs}, and ${here}. Run \`deno upgrade\`; a Deno that npm has installed is upgraded by ` +
      "`npm install deno@latest`.";
  }
  return `${needs}, and ${here}. Run a version that its README lists as tested: ` +
    `\`deno upgrade ${OLDEST_DENO}\`.`;
}

function isOlder(version: string, than: string): boolean {
  const numbers = (text: string) => text.split(/[.+-]/).slice(0, 3).map(Number);
  const ours = numbers(version), theirs = numbers(than);
  const differing = ours.findIndex((number, i) => number !== theirs[i]);
  return differing !== -1 && ours[differing] < theirs[differing];
}

const problem = explainUnsupported(ownRuntime());
if (problem !== undefined) throw new Error(problem);
