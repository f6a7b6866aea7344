// What a function that travelled by source can't do, said in words: it has no module around it any more.
// Each message says what it may use, and why the function didn't travel by reference.

import type { Travel } from "./messages.ts";
import * as primordials from "../platform/primordials.ts";

const { Error, ReferenceError, String, TypeError } = primordials;

/** The error of a target, or one that explains it. */
export function explain(error: unknown, travel: Travel): unknown {
  if (travel.by === "reference" || !(error instanceof Error)) return error;
  const target = travel.name || "The target";
  const explanation = outsideName(error, target, travel.scope) ?? unresolvedImport(error, target);
  if (explanation === undefined) return error;
  const wayOut = `or export ${travel.name || "it"} and let it travel by reference ` +
    '(by: "reference"), for which the program needs --allow-read.';
  const { notByReference: why } = travel;
  const reason = why === undefined ? "" : ` It didn't travel by reference because ${why}.`;
  const Explained = error instanceof ReferenceError ? ReferenceError : TypeError;
  const explained = new Explained(`${explanation}, ${wayOut}${reason}`, { cause: error });
  const stack = String(error.stack);
  const frames = stack.slice(stack.indexOf("\n    at "));
  explained.stack = `${explained.name}: ${explained.message}${frames}`;
  return explained;
}

type Scope = Extract<Travel, { by: "source" }>["scope"];

function outsideName(error: Error, target: string, { dead, isKnown }: Scope): string | undefined {
  if (!(error instanceof ReferenceError)) return;
  const name = /^(\S+) is not defined$/.exec(error.message)?.[1];
  const deadName = /^Cannot access '(\S+)' before initialization$/.exec(error.message)?.[1];
  const isDead = deadName !== undefined && dead.includes(deadName);
  if (!isDead && (name === undefined || name in globalThis)) return;
  const found = isDead ? deadName : name;
  const has = isKnown
    ? "what its module imports from @multiproc/multiprocessing"
    : "the exports of @multiproc/multiprocessing";
  return `${target} uses "${found}", which is outside of it: it travelled by source, and so has only its ` +
    `arguments, the globals and ${has}. Pass "${found}" in args if it is data`;
}

/** How Deno 2.9.6 refuses to resolve one from a data: URL, without and with a deno.json. */
const UNRESOLVED = /^invalid URL: relative URL|^(?:Import|Relative import path) "([^"]*)" not /;

function unresolvedImport(error: Error, target: string): string | undefined {
  const found = error instanceof TypeError ? UNRESOLVED.exec(error.message) : null;
  if (found === null) return undefined;
  const what = found[1] === undefined ? "a relative path" : `"${found[1]}"`;
  return `${target} imports ${what}, which leads nowhere from a function that travelled by source. ` +
    "Import it by its whole URL, which can be passed in args";
}
