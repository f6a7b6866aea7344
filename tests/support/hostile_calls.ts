// Attempts of hostile code by single calls: those by which V8 ends the whole program, those that take memory which V8
// doesn't count, and floods. Added to the attempts of hostile.ts.

import type { Attempt } from "./hostile.ts";

/** All of these attempts. */
export const calls: Attempt[] = [];

function attempt(
  name: string,
  comesTo: RegExp,
  code: string,
  needs: Attempt["needs"] = "nothing",
): void {
  calls.push({ name, code, comesTo, needs, permissions: "none" });
}

// V8 ends the program: "invalid array length", "invalid table size", "invalid size error"

const tooMany = /takes at most|too long for this call|fewer than|Invalid (array|string) length/;
const orLimit = new RegExp(`${tooMany.source}|memoryLimitMb|timeLimit`);
const endless = "2 ** 53 - 1", large = "2 ** 32 - 1";

for (const method of ["sort", "toSorted"]) {
  const made: Record<string, string> = {
    "what has a length": `{ length: ${method === "sort" ? endless : large} }`,
    "an array of nothing": `Array(${large})`,
    "a Proxy": `new Proxy([], { get: (of, key) => key === "length" ? ${large} : of[key] })`,
    "a length by a getter": `{ get length() { return ${large}; } }`,
  };
  for (const [what, self] of Object.entries(made)) {
    attempt(
      `${method} of ${what}`,
      orLimit,
      `return Array.prototype.${method}.call(${self}).length`,
      "timeLimit",
    );
  }
}
for (
  const method of ["fill", "reverse", "copyWithin", "unshift", "splice", "toReversed", "toSpliced"]
) {
  const refused = /takes at most|takes arrays, and/;
  attempt(
    `${method} of what has a length`,
    refused,
    `return Array.prototype.${method}.call({ length: ${endless} }, 1, 2)`,
  );
  attempt(
    `${method} of a length that changes`,
    refused,
    `let looks = 0; return Array.prototype.${method}.call({ get length() { return looks++ ? ${endless} : 5; } }, 1, 2)`,
  );
  attempt(
    `${method} of a Proxy of that`,
    refused,
    `
    const lies = { getOwnPropertyDescriptor: () => ({ value: 5, configurable: true }) };
    return Array.prototype.${method}.call(new Proxy({ get length() { return ${endless}; } }, lies), 1, 2)`,
  );
}
attempt(
  "flat of a hundred million",
  orLimit,
  `
  const all = Array.from({ length: 3e6 }, () => 0); return Array(70).fill(all).flat().length`,
);
attempt("JSON of 400 MB", tooMany, `return JSON.parse("[" + "1,".repeat(2e8) + "1]").length`);
attempt(
  "JSON of 400 MB, as an object",
  tooMany,
  `
  return JSON.parse({ toString: () => "[" + "1,".repeat(2e8) + "1]" }).length`,
);
const longText = `"a".repeat(5e8)`;
attempt("match of 500 MB", tooMany, `return ${longText}.match(/a/g).length`);
attempt("match of 500 MB, by its symbol", tooMany, `return /a/g[Symbol.match](${longText}).length`);
attempt(
  "match of 500 MB, as an object",
  tooMany,
  `
  return /a/g[Symbol.match]({ toString: () => ${longText} }).length`,
);
attempt("replaceAll of 500 MB", tooMany, `return ${longText}.replaceAll("a", "bc").length`);
attempt("replace of 500 MB", tooMany, `return ${longText}.replace(/a/g, "bc").length`);

// The program's address space, and its pieces

const reserved = /at most 256 resizable buffers|memoryLimitMb/;
const reserving: Record<string, string> = {
  "small ones": "new ArrayBuffer(8, { maxByteLength: 8192 })",
  "huge ones": "new ArrayBuffer(8, { maxByteLength: 2 ** 40 })",
  "shared ones": "new SharedArrayBuffer(8, { maxByteLength: 8192 })",
  "huge shared ones": "new SharedArrayBuffer(8, { maxByteLength: 2 ** 40 })",
  "by constructor":
    "Reflect.construct(new ArrayBuffer(1).constructor, [8, { maxByteLength: 8192 }])",
  "by a subclass": "new (class extends ArrayBuffer {})(8, { maxByteLength: 8192 })",
  "by a getter": "new ArrayBuffer(8, { get maxByteLength() { return 8192; } })",
  "by clones":
    "structuredClone([{ x: new Map([[1, new Uint8Array(globalThis.b ??= new ArrayBuffer(8, { maxByteLength: 8192 }))]]) }])",
  "by transfer": "new ArrayBuffer(8, { maxByteLength: 8192 }).transfer()",
  "queues": "new Queue()",
};
for (const [what, made] of Object.entries(reserving)) {
  attempt(
    `address space: ${what}`,
    reserved,
    `const all = []; for (let i = 0; i < 70_000; i++) all.push(${made}); return all.length`,
  );
}
attempt(
  "address space: through a pipe",
  reserved,
  `
  const all = [], [one, other] = Pipe(), sent = new ArrayBuffer(8, { maxByteLength: 8192 });
  for (let i = 0; i < 1000; i++) { one.send(sent); all.push(other.recvSync({ timeout: 1000 })); }
  return all.length`,
);

// What only a process of the operating system holds: one allocation that is larger than V8's heap, or native code that
// goes on whatever is asked of it

const larger: Record<string, string> = {
  "a list of 33 million": "return new Array(33e6).map((x) => 1.5).concat([2]).length",
  "the letters of 500 MB": 'return [..."a".repeat(5e8)].length',
  "the matches of 300 MB": 'return [..."a".repeat(3e8).matchAll(/a/g)].length',
  "a search that goes on": "return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
};
for (const [what, code] of Object.entries(larger)) {
  attempt(`for a process of its own: ${what}`, /memoryLimitMb|timeLimit|^\d+$/, code, "os");
}

// Memory that V8 doesn't count

const uncounted: Record<string, string> = {
  "streams that compress": 'new CompressionStream("gzip")',
  "streams that decompress": 'new DecompressionStream("gzip")',
  "formats of dates": 'new Intl.DateTimeFormat("de")',
  "formats without new": 'Intl.DateTimeFormat("de")',
  "formats by their constructor":
    'new (Object.getPrototypeOf(Intl.NumberFormat("de")).constructor)("de")',
  "waits": "Atomics.waitAsync(globalThis.w ??= new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
  "slices of a small number of buffers":
    "(globalThis.u ??= new Uint8Array(5e6).fill(1).buffer).slice(0)",
  "slices of shared memory": "(globalThis.s ??= new SharedArrayBuffer(5e6)).slice(0)",
  "buffers": "new ArrayBuffer(2e6)",
  "a queue": 'globalThis.q ??= new Queue(), globalThis.q.putNowait("x".repeat(1e5))',
};
for (const [what, made] of Object.entries(uncounted)) {
  attempt(
    `memory: ${what}`,
    /memoryLimitMb|timeLimit/,
    `const all = []; for (;;) all.push(${made});`,
    "memoryLimitMb",
  );
}
attempt(
  "memory: pipes",
  /memoryLimitMb|timeLimit/,
  `
  const all = [], text = new Uint8Array(60_000);
  for (;;) { const pipe = Pipe(); all.push(pipe); for (let i = 0; i < 500; i++) pipe[0].send(text); }`,
  "memoryLimitMb",
);

// Reaches out, by what no list names

const nothing =
  /^undefined|^none$|is not defined|which is outside of it|not a function|of undefined|of null|can't be imported|Unexpected/;
attempt("a ShadowRealm", nothing, `return new ShadowRealm()`);
attempt(
  "the prototype of Deno",
  /^none$/,
  `
  for (let at = Deno; at; at = Object.getPrototypeOf(at)) {
    if (Reflect.ownKeys(at).some((key) => /core|internal|ops/i.test(String(key)))) return String(Reflect.ownKeys(at));
  }
  return "none"`,
);
attempt(
  "the frames of the stack",
  /^none$/,
  `
  const found = new Set();
  Error.prepareStackTrace = (_, frames) => {
    for (const frame of frames) for (const of of [frame.getThis(), frame.getFunction()]) if (of) found.add(of);
    return "";
  };
  const look = () => new Error().stack;
  Deno.inspect({ [Symbol.for("Deno.customInspect")]: look });
  [1].sort(look); JSON.stringify({ toJSON: look }); structuredClone({ get x() { look(); return 1; } });
  await new Promise((done) => setTimeout(() => { look(); done(); }));
  await { then: (done) => { look(); done(); } };
  new EventTarget().dispatchEvent(new Event("x"));
  for (const of of found) if (of.ops || of.core || of.Worker && of !== globalThis) return "found";
  return "none"`,
);
for (
  const scheme of [
    "data",
    "blob",
    "node",
    "npm",
    "jsr",
    "ext",
    "internal",
    "deno",
    "about",
    "javascript",
  ]
) {
  for (const type of ["json", "text", "bytes"]) {
    attempt(
      `${scheme}: as ${type}`,
      /can't be imported while a sealed|not found|attribute|Unsupported/,
      `return import("${scheme}:x", { with: { type: "${type}" } })`,
    );
  }
}
for (
  const [what, code] of Object.entries({
    "an EventSource": `return new EventSource("http://127.0.0.1:1")`,
    "fetch of blob:": `return fetch("blob:null/1")`,
    "fetch of a Request": `return fetch(new Request("http://127.0.0.1:1"))`,
  })
) attempt(what, /Requires net access|NotCapable/, code);

// Floods, and what is thrown

attempt(
  "unhandled rejections",
  /failed/,
  `
  for (let i = 0; i < 1e4; i++) Promise.reject(new Error("x")); await new Promise((done) => setTimeout(done, 100))`,
);
attempt(
  "a Proxy that is thrown",
  /failed/,
  `
  throw new Proxy(new Error("x"), new Proxy({}, { get: () => () => { throw 1; } }))`,
);
attempt(
  "a cycle of causes that is thrown",
  /failed/,
  `
  const error = new Error("x"); error.cause = error; error.self = [error]; throw error`,
);
attempt(
  "ten thousand causes that are thrown",
  /failed/,
  `
  let error = new Error("x"); for (let i = 0; i < 1e4; i++) error = new Error("x", { cause: error }); throw error`,
);
attempt(
  "a stack by a getter that is thrown",
  /failed|timeLimit/,
  `
  const error = new Error("x"); Object.defineProperty(error, "stack", { get() { throw error; } }); throw error`,
);
attempt(
  "a sparse array as a result",
  /^\[|takes \d+ bytes|counts as/,
  `const all = []; all[4e9] = 1; return all`,
);
attempt(
  "a BigInt of a million digits as a result",
  /takes \d+ bytes|^\[/,
  `return [10n ** 1_000_000n]`,
);
attempt(
  "a large Map as a result",
  /takes \d+ bytes|^Map/,
  `return new Map(Array.from({ length: 3e5 }, (_, i) => [i, i]))`,
);
attempt(
  "a result by getters",
  /^\{|takes/,
  `
  let all = {}; for (let i = 0; i < 100; i++) { const inner = all; all = { get x() { return inner; } }; } return all`,
);
attempt(
  "timers without end",
  /memoryLimitMb|timeLimit/,
  `for (;;) setTimeout(() => {}, 1e6);`,
  "memoryLimitMb",
);
attempt(
  "promises without end",
  /timeLimit/,
  `for (;;) { for (let i = 0; i < 1e4; i++) Promise.resolve().then(() => {}); await 0; }`,
  "timeLimit",
);
attempt(
  "registries that loop",
  /timeLimit|^1$/,
  `
  const registry = new FinalizationRegistry(() => { for (;;); });
  for (let i = 0; i < 1e6; i++) registry.register({}, 1);
  await new Promise((done) => setTimeout(done, 200)); return 1`,
  "timeLimit",
);
attempt(
  "processes without end",
  /more pipes or processes|timeLimit|memoryLimitMb/,
  `
  for (;;) new Process({ target: () => { for (;;); }, by: "source" }).start();`,
  "timeLimit",
);
attempt(
  "text on the terminal without end",
  /^1$|timeLimit/,
  `
  for (let i = 0; i < 2000; i++) console.debug("\\x1b[0m"); return 1`,
);

// Very long texts: V8 ends the program where one allocation is larger than the heap may be, and Deno where a text has
// more than 2 ** 29 bytes

/** Makes a text of so many characters of three bytes; until it is read it takes no memory. */
const long =
  "let long = '\\u1234'; while (long.length < 2 ** 27) long += long; long += long.slice(0, 5e7);";
for (
  const [what, code] of Object.entries({
    "an error": "return new Error(long).stack.length",
    "the name of an error": "Error.prototype.name = long; return new Error('x').stack.length",
    "an error by captureStackTrace":
      "const of = { message: long }; Error.captureStackTrace(of); return of.stack.length",
    "the message of an error by a getter":
      "return Object.defineProperty(new Error('x'), 'message', { get: () => long }).stack.length",
    "a function":
      "const of = () => new Error('x').stack; return Object.defineProperty(of, 'name', { value: long })().length",
  })
) attempt(`a long text as ${what}`, /^\d{2,5}$|memoryLimitMb/, `${long} ${code}`);
for (
  const [what, code] of Object.entries({
    "on the terminal": "console.log(1, long)",
    "in a query": "return new URLSearchParams(long).toString().length",
    "in a query, added":
      "const all = new URLSearchParams(); all.append('a', long); return `${all}`.length",
    "as an algorithm": "return crypto.subtle.digest(long, new Uint8Array(1))",
  })
) attempt(`a long text ${what}`, /is too long for this call|memoryLimitMb/, `${long} ${code}`);
attempt("a long text in an error of V8's", /failed|memoryLimitMb/, `${long} BigInt(long)`);
attempt(
  "a stack once Error is another",
  /^function/,
  `globalThis.Error = 1; return typeof Error + delete globalThis.Error`,
);
attempt(
  "a stack once prepareStackTrace is gone",
  /failed.*Cannot (delete|redefine)/,
  `Object.defineProperty(Error, "prepareStackTrace", { value: undefined })`,
);

for (
  const [what, code] of Object.entries({
    "parts of a text": "return [...'a'.repeat(6e7), ...'b'.repeat(6e7)].length",
    "parts of a text that + has made":
      "let s = 'ab'; while (s.length < 2 ** 28) s += s; return [...(s + 'c')].length",
    "texts that + has made":
      "const all = []; for (;;) { let s = 'ab'; while (s.length < 2 ** 28) s += s; s.charCodeAt(1); all.push(s); }",
    "arrays": "const all = []; for (;;) all.push(Array(32 * 2 ** 20 - 1))",
    "a text in capitals":
      "let s = '\\u1234'; while (s.length < 2 ** 28) s += s; return s.toUpperCase().length",
    "a text that repeats": "return 'ab'.repeat(2 ** 28).charCodeAt(1)",
    "a text with its end": "return 'a'.padEnd(2 ** 28, 'bc').charCodeAt(9)",
    "a copy of a text in another form":
      "let s = '\\u1234'; while (s.length < 2 ** 28) s += s; return encodeURI(s) + escape(s) + s.normalize()",
  })
) attempt(`larger than the limit: ${what}`, orLimit, code, "memoryLimitMb");
