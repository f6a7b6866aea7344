// Attempts of hostile code against the program it runs in, as text: the body of an async function that has `Process`
// and `Pipe` of this package. Each attempt states its outcome in a sealed process; with any outcome, the program
// lives, and its event loop goes on.

import type { ProcessOptions } from "../../mod.ts";

/**
 * Limits with which an attempt is made: any, or those it would never end without; or a process of the operating system,
 * because it ends the program where it is tried in another.
 */
type Needs = "nothing" | "timeLimit" | "memoryLimitMb" | "os";

/** What hostile code tries. */
export interface Attempt {
  name: string;
  code: string;
  /** What it comes to, as text: what is returned, or the error; or the limit that ends it. */
  comesTo: RegExp;
  /** Without that limit it isn't made: it never ends by itself. */
  needs: Needs;
  permissions: ProcessOptions["permissions"];
}

/** All attempts. */
export const attempts: Attempt[] = [];

function attempt(
  name: string,
  comesTo: RegExp,
  code: string,
  { needs = "nothing", permissions = "none" }: Partial<Attempt> = {},
): void {
  attempts.push({ name, code, comesTo, needs, permissions });
}

const refused = /can't be imported while a sealed|Import ".*" not found/,
  gone =
    /^undefined|is not defined|which is outside of it|not a function|of undefined|is not a constructor/;
const refusedOrUnreadable = /can't be imported while a sealed|needs|Requires|exited/;
const deep = '"[".repeat(30000)';

// Ends the program: the compiler's stack overflows

attempt("data:", refused, `return import("data:text/javascript," + ${deep})`);
attempt("data:, TypeScript", refused, `return import("data:application/typescript," + ${deep})`);
attempt(
  "data:, TSX",
  refused,
  `return import("data:text/tsx,export default " + "<a>".repeat(9999))`,
);
attempt(
  "data:, JSON",
  refused,
  `return import("data:application/json," + ${deep}, { with: { type: "json" } })`,
);
attempt("data:, in capitals", refused, `return import("DATA:text/javascript," + ${deep})`);
attempt("data:, with blanks", refused, `return import("  d\\na\\tta:text/javascript," + ${deep})`);
attempt("data:, by eval", refused, `return (0, eval)('import("data:text/javascript," + ${deep})')`);
attempt(
  "data:, by Function",
  refused,
  `return new Function('return import("data:text/javascript," + ${deep})')()`,
);
attempt(
  "data:, from an object",
  refused,
  `return import({ toString: () => "data:text/javascript," + ${deep} })`,
);
attempt(
  "data:, after an await",
  refused,
  `await 0; return import("data:text/javascript," + ${deep})`,
);
attempt(
  "data:, from a timer",
  refused,
  `return await new Promise((done, fail) => setTimeout(() => import("data:text/javascript," + ${deep}).then(done, fail)))`,
);
attempt(
  "blob:",
  gone,
  `return import(URL.createObjectURL(new Blob([${deep}], { type: "text/javascript" })))`,
);
attempt("blob: of nothing", refused, `return import("blob:null/123")`);
attempt(
  "an import by a spoiled language",
  /failed/,
  `
  String.prototype.startsWith = String.prototype.slice = RegExp.prototype.test = RegExp.prototype.exec = () => "file:";
  Array.prototype.includes = () => true; Reflect.apply = Object.is = () => true; Array.prototype[Symbol.iterator] = null;
  Object.defineProperty(Object.prototype, "url", { get: () => "node:fs", set() {}, configurable: true });
  return import("node:fs")`,
);
attempt("WGSL", gone, `return (await navigator.gpu.requestAdapter()).requestDevice()`);
attempt("a canvas", gone, `return new OffscreenCanvas(1, 1)`);

// Ends the program: node:process, internals, unstable APIs

for (
  const name of [
    "process",
    "fs",
    "vm",
    "worker_threads",
    "sqlite",
    "module",
    "util",
    "v8",
    "net",
    "inspector",
  ]
) {
  attempt(`node:${name}`, refused, `return import("node:${name}")`);
  attempt(`${name}, without a scheme`, refused, `return import("${name}")`);
}
attempt("NODE:process", refused, `return (await import("NODE:process")).abort()`);
attempt("process.abort", gone, `return process.abort()`);
attempt(
  "abort of the constructor's process",
  gone,
  `return (async () => {}).constructor("return process")()`,
);
attempt("global", gone, `return global.process.abort()`);
attempt("require", gone, `return require("node:process").abort()`);
attempt("Buffer", gone, `return Buffer.from("x").constructor`);
attempt(
  "Deno.internal",
  /^undefined undefined 0$/,
  `return Deno.internal + " " + Deno[Deno.internal] + " " + Object.getOwnPropertySymbols(Deno).length`,
);
attempt("ops", gone, `return Deno[Object.getOwnPropertySymbols(Deno)[0]].core.ops`);
for (const transport of ["vsock", "unixpacket", "tunnel"]) {
  const options = { permissions: { net: true } } as const;
  attempt(
    `connect by ${transport}`,
    /transport is/,
    `return Deno.connect({ transport: "${transport}", cid: 2, port: 1, path: "x" })`,
    options,
  );
  attempt(
    `listen by ${transport}`,
    /transport is/,
    `return Deno.listen({ transport: "${transport}", cid: 2, port: 1, path: "x" })`,
    options,
  );
  attempt(
    `serve by ${transport}`,
    /transport is/,
    `return Deno.serve({ transport: "${transport}", cid: 2, port: 1, path: "x" }, () => {})`,
    options,
  );
  attempt(
    `connect by a getter of ${transport}`,
    /transport is|Requires|refused|in use/i,
    `
    let looks = 0;
    return Deno.connect({ get transport() { return looks++ === 0 ? "tcp" : "${transport}"; }, cid: 2, port: 1 })`,
    options,
  );
}
attempt("listenDatagram", gone, `return Deno.listenDatagram({ transport: "vsock" })`, {
  permissions: { net: true },
});
attempt(
  "a client of HTTP by vsock",
  gone,
  `return Deno.createHttpClient({ proxy: { transport: "vsock", cid: 2, port: 1 } })`,
  { permissions: { net: true } },
);
attempt("Deno.exit", /exited with code 7/, `Deno.exit(7)`);
attempt("close", /exited with code 0/, `close()`);
attempt("Deno.test", gone, `return Deno.test("x", () => {})`);

// Reaches out

attempt("npm:", refused, `return import("npm:left-pad")`);
attempt("npm:, a range", refused, `return import("npm:left-pad@^1")`);
attempt("jsr:", refused, `return import("jsr:@std/path")`);
attempt("https:", /Requires import access/, `return import("https://127.0.0.1:1/x.js")`);
attempt("file:", /Requires read access/, `return import("file:///etc/passwd")`);
attempt(
  "this package's own modules",
  refused,
  `
  const stack = await import("./x.ts").catch((error) => error.stack);
  const [folder] = /file:[^ ]*\\/lib\\//.exec(stack) ?? ["node:"];
  return import(folder + "platform/primordials.ts")`,
);
attempt("a BroadcastChannel", gone, `return new BroadcastChannel("@multiproc/multiprocessing/1")`);
attempt("a MessageChannel", gone, `return new MessageChannel()`);
attempt(
  "messages to the host",
  gone,
  `for (let i = 0; i < 1e5; i++) postMessage(new Uint8Array(1e6))`,
);
attempt(
  "messages to the host, by self",
  gone,
  `for (let i = 0; i < 1e5; i++) self.postMessage("x")`,
);
attempt("the terminal", gone, `return Deno.stdout.writeSync(new Uint8Array(1))`);
attempt("standard input", gone, `return Deno.stdin.readSync(new Uint8Array(1))`);
attempt("caches", gone, `return caches.open("x")`);
attempt("Web Locks", gone, `return navigator.locks.query()`);
attempt(
  "the arguments and numbers of the program",
  /^undefined undefined undefined$/,
  `return Deno.args + " " + Deno.pid + " " + Deno.ppid`,
);
attempt("queues by name", /has no queues by name/, `return Queue.open("x")`);
attempt("a queue with a name", /has no queues by name/, `return new Queue({ name: "x" })`);
attempt("what there is of the environment", /Requires env access/, `return Deno.env.toObject()`);
attempt("fetch of a file:", /Requires net access/, `return fetch("file:///etc/passwd")`);
attempt("fetch of data:", /Requires net access/, `return fetch("data:text/plain,x")`);
attempt("a WebSocket", /Requires net access/, `return new WebSocket("ws://127.0.0.1:1")`);
attempt("prompts", /^prompt$/, `return (await Deno.permissions.request({ name: "read" })).state`);
attempt(
  "the library's words",
  /^undefined undefined undefined$/,
  `
  return ["control-block", "process-table", "key"].map((name) => typeof globalThis[Symbol.for("@multiproc/multiprocessing/" + name)]).join(" ")`,
);

// Outlives its end, or its limits

attempt(
  "a raw Worker",
  gone,
  `return new Worker("data:text/javascript,for(;;);", { type: "module" })`,
);
const replaced = `
  const text = "data:text/javascript,for(;;);";
  globalThis.URL = class extends URL { constructor() { super(text); } };
  globalThis.encodeURIComponent = () => "for(;;);";
  JSON.stringify = () => '"data:text/javascript,for(;;);"';
  Array.prototype.join = String.prototype.concat = String.prototype.replace = () => text;
  EventTarget.prototype.addEventListener = function () { globalThis.leaked = this; };`;
attempt(
  "a raw Worker by replaced globals",
  /^nested gone$/,
  `
  ${replaced}
  const process = new Process({ target: () => typeof globalThis.process === "undefined" ? "nested" : "raw", by: "source" });
  process.start();
  return await process.result() + (globalThis.leaked?.constructor?.name === "Worker" ? " Worker" : " gone")`,
);
attempt(
  "a sandbox in it by replaced globals",
  /^nested gone$/,
  `
  ${replaced}
  const process = new Process({ target: () => typeof globalThis.process === "undefined" ? "nested" : "raw", by: "source", permissions: "none" });
  process.start();
  return await process.result() + (globalThis.leaked?.constructor?.name === "Worker" ? " Worker" : " gone")`,
);
for (
  const module of [
    "node:process",
    "data:text/javascript,export const abort = () => {}",
    "npm:left-pad",
  ]
) {
  attempt(
    `a process with a target of ${module}`,
    refusedOrUnreadable,
    `const process = new Process({ target: "abort", by: "reference", module: ${
      JSON.stringify(module)
    } });
    process.start();
    return await process.result()`,
  );
}
attempt(
  "a process whose text would be imported with it",
  /import/,
  `const process = new Process({ target: () => import("npm:left-pad"), by: "source" });
  process.start();
  return await process.result()`,
);
attempt(
  "a process that isn't sealed",
  /NotCapable/,
  `new Process({ target: () => 1, by: "source", permissions: "none", sealed: false }).start()`,
);
attempt(
  "deriving a key for ever",
  gone,
  `return crypto.subtle.deriveBits({ name: "PBKDF2", iterations: 2 ** 31 - 1 })`,
);
attempt(
  "a key of 16,384 bits",
  gone,
  `return crypto.subtle.generateKey({ name: "RSA-PSS", modulusLength: 16384 })`,
);
attempt("a loop", /timeLimit/, `for (;;);`, { needs: "timeLimit" });
attempt(
  "a loop that inspects a getter",
  /timeLimit/,
  `
  for (;;) Deno.inspect({ get x() { for (let i = 0; i < 1e5; i++); return 1; } }, { getters: true })`,
  { needs: "timeLimit" },
);
attempt(
  "a loop that inspects by itself",
  /timeLimit/,
  `
  const own = { [Symbol.for("Deno.customInspect")]: (inspect) => { for (;;) inspect({ x: 1 }); } };
  Deno.inspect(own)`,
  { needs: "timeLimit" },
);
attempt("a loop of promises", /timeLimit/, `for (;;) await 0;`, { needs: "timeLimit" });
attempt("a regular expression", /timeLimit/, `return /(a*)*b/.test("a".repeat(50))`, {
  needs: "timeLimit",
});
attempt(
  "a blocked thread",
  /timeLimit/,
  `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  { needs: "timeLimit" },
);
attempt(
  "an end that doesn't come",
  /timeLimit/,
  `Deno.exit = () => {}; for (;;) await new Promise((done) => setTimeout(done));`,
  { needs: "timeLimit" },
);
attempt(
  "timers of others",
  /memoryLimitMb|timeLimit/,
  `
  for (let i = 0; i < 10000; i++) { clearInterval(i); clearTimeout(i); }
  const all = []; for (;;) { all.push({ numbers: [all.length, Math.random()] }); if (all.length % 1e4 === 0) await 0; }`,
  { needs: "memoryLimitMb" },
);
attempt(
  "timers of others, as Timeouts",
  /memoryLimitMb|timeLimit/,
  `
  for (let i = 0; i < 10000; i++) clearInterval({ [Symbol.toPrimitive]: () => i, valueOf: () => i });
  const all = []; for (;;) { all.push({ numbers: [all.length, Math.random()] }); if (all.length % 1e4 === 0) await 0; }`,
  { needs: "memoryLimitMb" },
);

// Memory

const buffers: Record<string, string> = {
  "typed arrays": "new Uint8Array(5e6).fill(1)",
  "typed arrays by their constructor": "new (new Int32Array(1).constructor)(1e6).fill(1)",
  "typed arrays by a subclass": "new (class extends Float64Array {})(1e6).fill(1)",
  "typed arrays by Reflect": "Reflect.construct(Uint8Array, [5e6], Uint16Array)",
  "Uint8Array.from": "Uint8Array.from({ length: 1e5 })",
  "slices": "(globalThis.u ??= new Uint8Array(5e6).fill(1)).slice()",
  "slices of a buffer": "(globalThis.u ??= new Uint8Array(5e6).fill(1).buffer).slice(0)",
  "reversed copies": "(globalThis.u ??= new Uint8Array(1e6).fill(1)).toReversed()",
  "transferred buffers": "new Uint8Array(new ArrayBuffer(8).transfer(5e6)).fill(1)",
  "resizable buffers":
    "(() => { const b = new ArrayBuffer(8, { maxByteLength: 1e7 }); b.resize(5e6); return new Uint8Array(b).fill(1); })()",
  "shared memory": "new Uint8Array(new SharedArrayBuffer(5e6)).fill(1)",
  "growing shared memory":
    "(() => { const b = new SharedArrayBuffer(8, { maxByteLength: 1e7 }); b.grow(5e6); return new Uint8Array(b).fill(1); })()",
  "Blobs": "new Blob([globalThis.u ??= new Uint8Array(5e6).fill(1)])",
  "Files": "new File([globalThis.u ??= new Uint8Array(5e6).fill(1)], 'x')",
  "encoded text": "new TextEncoder().encode(globalThis.t ??= 'x'.repeat(5e6))",
  "clones": "structuredClone(globalThis.u ??= new Uint8Array(5e6).fill(1))",
  "bodies": "await new Response(globalThis.u ??= new Uint8Array(5e6).fill(1)).bytes()",
  "objects": "{ numbers: [1.5, 2.5] }",
  "strings": "('x' + all.length).repeat(1e5).split('').join('y')",
};
for (const [what, made] of Object.entries(buffers)) {
  attempt(
    `memory: ${what}`,
    /memoryLimitMb|timeLimit/,
    `const all = []; for (;;) all.push(${made});`,
    {
      needs: "memoryLimitMb",
    },
  );
}
attempt(
  "memory: one buffer of 2 GB",
  /memoryLimitMb|timeLimit/,
  `return new Uint8Array(2e9).fill(1).length`,
  { needs: "memoryLimitMb" },
);
attempt("memory: WebAssembly", gone, `return new WebAssembly.Memory({ initial: 1600 })`);

// Results and errors

attempt("a large result", /result takes \d+ bytes/, `return new Uint8Array(2 ** 21)`);
attempt(
  "a result of very many parts",
  /result takes \d+ bytes|^\[/,
  `return Array.from({ length: 4e5 }, () => ({}))`,
);
attempt(
  "a result nested deep",
  /nested (too deep|deeper)|call stack/i,
  `let all = []; for (let i = 0; i < 1e5; i++) all = [all]; return all`,
);
attempt(
  "a forged result",
  /no result|^forged$/,
  `
  const { store } = Atomics;
  Atomics.store = (words, at, value) => store(words, at, value > 8 ? 2 ** 30 : value);
  return "forged"`,
);
attempt("a large error", /failed/, `throw new Error("x".repeat(3e6))`);
attempt(
  "an error of many errors",
  /failed/,
  `
  let error = new AggregateError([], "x");
  for (let i = 0; i < 1000; i++) error = new AggregateError([error, error], "x", { cause: error });
  throw error`,
);
attempt(
  "an error with a getter that throws",
  /failed/,
  `
  const error = new Error("x"); Object.defineProperty(error, "message", { get() { throw error; } }); throw error`,
);
attempt("a thenable for ever", /^1$/, `Object.prototype.then = undefined; return 1`);

// The table of processes

attempt("pipes without end", /more pipes or processes|timeLimit/, `for (;;) Pipe();`);
