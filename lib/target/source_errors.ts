// Explanations of the errors that a function by source meets because it no longer has its module around it.
// Each message says what the function may use, and why it didn't travel by reference.

import {
  undefinedNameIn,
  uninitializedNameIn,
  unresolvedImportIn,
} from "../platform/error_texts.ts";
import type { Travel } from "../protocol/travel.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeIncludes,
  Error,
  ReferenceError,
  String,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  TypeError,
} = primordials;

/** The error of a target, or an error that explains it. */
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
  const frames = StringPrototypeSlice(stack, StringPrototypeIndexOf(stack, "\n    at "));
  explained.stack = `${explained.name}: ${explained.message}${frames}`;
  return explained;
}

type Scope = Extract<Travel, { by: "source" }>["scope"];

function outsideName(error: Error, target: string, { dead, isKnown }: Scope): string | undefined {
  if (!(error instanceof ReferenceError)) return;
  const name = undefinedNameIn(error);
  const deadName = uninitializedNameIn(error);
  const isDead = deadName !== undefined && ArrayPrototypeIncludes(dead, deadName);
  if (!isDead && (name === undefined || name in globalThis)) return;
  const found = isDead ? deadName : name;
  const has = isKnown
    ? "what its module imports from @multiproc/multiprocessing"
    : "the exports of @multiproc/multiprocessing";
  return `${target} uses "${found}", which is outside of it: it travelled by source, and so has only its ` +
    `arguments, the globals and ${has}. Pass "${found}" in args if it is data`;
}

function unresolvedImport(error: Error, target: string): string | undefined {
  const what = unresolvedImportIn(error);
  if (what === undefined) return undefined;
  return `${target} imports ${what}, which leads nowhere from a function that travelled by source. ` +
    "Import it by its whole URL, which can be passed in args";
}
