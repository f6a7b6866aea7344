// What a function that travelled by source can't do, said in words: it has no module around it any more.
// Each message has both ways out.

import type { Travel } from "./messages.ts";

/** The error of a target, or one that explains it. */
export function explain(error: unknown, travel: Travel): unknown {
  if (travel.by === "reference" || !(error instanceof Error)) return error;
  const target = travel.exportName || "The target";
  const explanation = outsideName(error, target) ?? unresolvedImport(error, target);
  if (explanation === undefined) return error;
  const wayOut = `or export ${travel.exportName || "it"} and let it travel by reference ` +
    '(by: "reference"), for which the program needs --allow-read.';
  const Explained = error instanceof ReferenceError ? ReferenceError : TypeError;
  const explained = new Explained(`${explanation}, ${wayOut}`, { cause: error });
  const frames = error.stack?.slice(error.stack.indexOf("\n    at ")) ?? "";
  explained.stack = `${explained.name}: ${explained.message}${frames}`;
  return explained;
}

function outsideName(error: Error, target: string): string | undefined {
  const name = /^(\S+) is not defined$/.exec(error.message)?.[1];
  if (!(error instanceof ReferenceError) || name === undefined || name in globalThis) return;
  return `${target} uses "${name}", which is outside of it: it travelled by source, and so has only its ` +
    `arguments, the globals and the exports of @multiproc/multiprocessing. Pass "${name}" in args if it is data`;
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
