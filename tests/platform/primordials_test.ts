// The library uses the globals that lib/platform/primordials.ts has kept, and no others by those names:
// a program may have replaced them.

import assert from "node:assert/strict";
import * as primordials from "../../lib/platform/primordials.ts";

const granted = (await Deno.permissions.query({ name: "read" })).state === "granted";
const lib = new URL("../../lib/", import.meta.url);

/**
 * Files that replace globals on purpose, or keep originals themselves, or run in a realm of their own; and
 * lib/redis, which works with a package of npm that uses the globals that there are.
 */
const EXEMPT =
  /bundle_text|platform\/(primordials|methods|containers|events|added|requirements|object_urls)\.ts|arrays\.ts|sealed_realm|lockdown|allow_list|sandboxed_thread\.ts|module_graph|lib\/redis/;

function* filesIn(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* filesIn(url);
    else if (name.endsWith(".ts") && !EXEMPT.test(url.href)) yield url;
  }
}

/** Without comments, strings and regular expressions in one line. */
function codeOf(text: string): string {
  // Templates too: some are the text of a child's main module, which runs in another isolate.
  const plain = text.replace(/`[^`]*`/g, '""');
  return plain.replace(/\/\*[^]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

const CALLED = Object.keys(primordials).filter((name) => name in globalThis && name !== "Symbol");

Deno.test({
  name: "no file of lib calls a global that has a primordial (needs --allow-read)",
  ignore: !granted,
  fn: () => {
    const found: string[] = [];
    for (const file of filesIn(lib)) {
      const code = codeOf(Deno.readTextFileSync(file));
      const taken = /const \{([^}]*)\} =\s*primordials;/.exec(code)?.[1].split(/[\s,]+/) ?? [];
      for (const name of CALLED) {
        if (taken.includes(name)) continue;
        const call = new RegExp(`(?<![\\w.$#"])(?:new )?${name}(?=\\(|\\.(?:[a-z]\\w*)\\()`);
        const own = new RegExp(
          `(?:function|class|const|let|import\\b[^;]*[{ ,])\\s*${name}\\b|^ +(?:async |static |get |override )*${name}\\(.*\\{$`,
          "m",
        );
        if (call.test(code) && !own.test(code)) {
          found.push(`${file.href.slice(lib.href.length)}: ${name}`);
        }
      }
    }
    assert.deepEqual(found, []);
  },
});

/** Methods of the language's classes whose names few classes of this package have. */
const METHODS = [
  ...[
    "push",
    "pop",
    "shift",
    "unshift",
    "splice",
    "slice",
    "map",
    "filter",
    "some",
    "every",
    "find",
  ],
  ...["findIndex", "findLast", "reduce", "forEach", "flatMap", "flat", "concat", "sort", "reverse"],
  ...["toReversed", "toSorted", "includes", "indexOf", "lastIndexOf", "join", "at", "fill"],
  ...["startsWith", "endsWith", "replace", "replaceAll", "split", "trim", "repeat", "padEnd"],
  ...["padStart", "match", "matchAll", "exec", "test", "charCodeAt", "toFixed", "subarray"],
  ...["copyWithin", "then", "catch", "finally", "call", "apply", "bind"],
];
/** Objects of this package's own classes that have a method of such a name. */
const OWN =
  /^this$|(?:^|[.#])(?:iterator|backlog|unit|process|child|encoder|out|table|queue|store|channel)$|^(?:Reflect|super)$/;

Deno.test({
  name: "no file of lib calls a method of the language's by its object (needs --allow-read)",
  ignore: !granted,
  fn: () => {
    const call = new RegExp(String.raw`([\w$#.?!\])]+)\.(?:${METHODS.join("|")})\(`, "g");
    const found: string[] = [];
    for (const file of filesIn(lib)) {
      if (/counted_buffers|interruption|errors\.ts/.test(file.href)) continue; // as they are loaded
      const code = codeOf(Deno.readTextFileSync(file));
      for (const { 0: all, 1: object } of code.matchAll(call)) {
        if (!OWN.test(object) && all !== "options).find(") {
          found.push(`${file.href.slice(lib.href.length)}: ${all}`);
        }
      }
    }
    assert.deepEqual(found, []);
  },
});

Deno.test("what a stand-in for a class makes is what the class makes", async () => {
  const { Array: Arrays, Date: Dates, Promise: Promises, URL: Urls, String: Strings } = primordials;
  assert.equal(Object.getPrototypeOf(new Dates(5)), Date.prototype);
  assert.ok(new Date(5) instanceof Dates && new Urls("a:b") instanceof URL);
  assert.equal(await Promises.resolve(3), 3);
  assert.ok(
    Promises.resolve(3) instanceof Promise && Promises.withResolvers().promise instanceof Promise,
  );
  assert.deepEqual([Arrays.isArray([]), Arrays(3).length, Strings(5)], [true, 3, "5"]);
});

Deno.test("splice, slice, filter and map are those of arrays", () => {
  const { ArrayPrototypeSplice, ArrayPrototypeSlice, ArrayPrototypeFlatMap } = primordials;
  for (let start = 0; start <= 5; start++) {
    for (let count = 0; count <= 6; count++) {
      for (const items of [[], [7], [7, 8, 9]]) {
        const ours = [0, 1, 2, 3, 4], theirs = [0, 1, 2, 3, 4];
        const taken = ArrayPrototypeSplice(ours, start, count, ...items);
        assert.deepEqual([taken, ours], [theirs.splice(start, count, ...items), theirs]);
      }
      assert.deepEqual(
        ArrayPrototypeSlice([0, 1, 2, 3, 4], start, count),
        [0, 1, 2, 3, 4].slice(start, count),
      );
    }
  }
  assert.deepEqual(ArrayPrototypeSlice([1, 2, 3], -2), [2, 3]);
  assert.deepEqual(ArrayPrototypeFlatMap([1, 2], (n) => [n, n]), [1, 1, 2, 2]);
});
