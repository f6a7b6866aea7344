// Attempts of hostile code on what this package and Deno's own code rely on in its isolate: the language's objects,
// events, the end, results that change while they are read, depth, and names. With most any outcome will do: what counts
// is that the program lives, and goes on. Added to the attempts of hostile.ts.

import type { Attempt } from "./hostile.ts";

/** All of these attempts. */
export const realm: Attempt[] = [];

type Table = Record<string, string>;

function attempts(comesTo: RegExp, table: Table, needs: Attempt["needs"] = "nothing"): void {
  for (const [name, code] of Object.entries(table)) {
    realm.push({ name, code, comesTo, needs, permissions: "none" });
  }
}

const anything = /^/, ended = /timeLimit/;

// What is replaced under this package's and Deno's feet. Then queues and processes are used, and a value returned.

const use = `
  const queue = new Queue(); await queue.put({ a: [1, new Map([[1, 2]])] }); await queue.get({ timeout: 500 });
  const inner = new Process({ target: () => 5, by: "source" }); inner.start();
  return { a: [await inner.result({ timeout: 4000 })], b: new Error("x") };`;

/** Replaces a function by one that keeps what it is called on and with, for a look at it. */
const spy = (holder: string, name: string) => `
  { const of = ${holder}, was = of[${JSON.stringify(name)}];
    of[${
  JSON.stringify(name)
}] = function (...args) { seen.push(this, ...args); return Reflect.apply(was, this, args); }; }`;

/** Looks for what belongs to this package or to Deno in what was seen. */
const look = `
  const isSecret = (of) => {
    if (of === null || typeof of !== "object" && typeof of !== "function") return false;
    if (ArrayBuffer.isView(of)) return of.buffer instanceof SharedArrayBuffer;
    return of instanceof SharedArrayBuffer || "ops" in of || "terminate" in of || "resourceLimits" in of;
  };
  return seen.some(isSecret) ? "found" : "none";`;

attempts(/^(none|.*failed|undefined)/, {
  "spied: the methods of Array": `const seen = []; ${
    ["map", "filter", "concat", "slice", "forEach", "join"].map((name) =>
      spy("Array.prototype", name)
    ).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: the methods of Map and Set": `const seen = []; ${
    ["get", "set", "has", "delete"].map((name) => spy("Map.prototype", name)).join("")
  } ${
    ["add", "has"].map((name) => spy("Set.prototype", name)).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: WeakMap and WeakRef": `const seen = []; ${
    ["get", "set"].map((name) => spy("WeakMap.prototype", name)).join("")
  } ${spy("WeakRef.prototype", "deref")} await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: Atomics": `const seen = []; ${
    ["load", "store", "wait", "waitAsync", "notify", "add", "compareExchange"].map((name) =>
      spy("Atomics", name)
    ).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: Reflect and Function": `const seen = [], apply = Reflect.apply; ${
    ["construct", "get", "ownKeys"].map((name) => spy("Reflect", name)).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: typed arrays": `const seen = []; ${
    ["set", "subarray", "slice", "fill"].map((name) =>
      spy("Object.getPrototypeOf(Uint8Array.prototype)", name)
    ).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: promises": `const seen = []; ${
    ["then", "catch", "finally"].map((name) => spy("Promise.prototype", name)).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: events": `const seen = []; ${
    ["addEventListener", "dispatchEvent", "removeEventListener"].map((name) =>
      spy("EventTarget.prototype", name)
    ).join("")
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: a setter of Object.prototype":
    `const seen = []; for (const key of ["port", "words", "buffer", "data", "control", "child", "host", "0", "value"]) {
    Object.defineProperty(Object.prototype, key, { configurable: true, get() { seen.push(this); return undefined; },
      set(value) { seen.push(this, value); } });
  } await (async () => { ${use} })().catch(() => {}); ${look}`,
  "spied: the iterator of arrays":
    `const seen = [], was = Array.prototype[Symbol.iterator]; Array.prototype[Symbol.iterator] = function () {
    for (let i = 0; i < this.length; i++) seen[seen.length] = this[i]; return Reflect.apply(was, this, []); };
  await (async () => { ${use} })().catch(() => {}); ${look}`,
});

attempts(anything, {
  "replaced: then of every object":
    `Object.prototype.then = function (done) { delete Object.prototype.then; done("stolen"); }; ${use}`,
  "replaced: then of promises":
    `Promise.prototype.then = function (done) { done?.(1); return this; }; ${use}`,
  "replaced: then of promises, which throws":
    `Promise.prototype.then = () => { throw new Error("no"); }; ${use}`,
  "replaced: call, apply and bind":
    `for (const name of ["call", "apply", "bind"]) Function.prototype[name] = () => { throw 1; }; ${use}`,
  "replaced: parts of descriptors":
    `for (const key of ["get", "set", "value", "writable", "configurable", "enumerable"]) Object.prototype[key] = 1; ${use}`,
  "replaced: species":
    `for (const of of [Array, Promise, ArrayBuffer, Map, Set, RegExp]) Object.defineProperty(of, Symbol.species, { get() { return class { constructor() { throw 1; } }; } }); ${use}`,
  "replaced: exec of RegExp": `RegExp.prototype.exec = () => ({ index: -1, length: 1e9 }); ${use}`,
  "replaced: toPrimitive and toString":
    `Object.prototype[Symbol.toPrimitive] = () => { throw 1; }; Object.prototype.toString = () => { throw 1; }; ${use}`,
  "replaced: the clocks":
    `performance.now = () => NaN; Date.now = () => -Infinity; globalThis.setTimeout = () => {}; globalThis.setInterval = () => {}; ${use}`,
  "replaced: queueMicrotask and structuredClone":
    `globalThis.queueMicrotask = globalThis.structuredClone = () => { throw 1; }; ${use}`,
  "replaced: hasInstance":
    `for (const of of [Error, Map, Set, Uint8Array, ArrayBuffer, Promise]) Object.defineProperty(of, Symbol.hasInstance, { value: () => true }); ${use}`,
  "replaced: every method there is":
    `for (const of of [Array, Map, Set, String, Number, Object, Promise, RegExp, Uint8Array, Error, Date, EventTarget, AbortSignal]) for (const key of Reflect.ownKeys(of.prototype)) try { if (typeof of.prototype[key] === "function" && key !== "constructor") of.prototype[key] = () => { throw new Error("no"); }; } catch {} return 1`,
  "replaced: the limit of stacks":
    `Object.defineProperty(Error, "stackTraceLimit", { get() { throw 1; } }); ${use}`,
  "replaced: a limit of stacks without end":
    `Error.stackTraceLimit = Infinity; const down = () => down(); try { down(); } catch (error) { return error.stack.length; }`,
  "replaced: prepareStackTrace by one that throws":
    `Error.prepareStackTrace = () => { throw new Error("again"); }; null.x`,
  "replaced: prepareStackTrace by one that recurses":
    `Error.prepareStackTrace = () => new Error("again").stack; return new Error("x").stack`,
  "replaced: methods of call sites":
    `Error.prepareStackTrace = (_, sites) => { const of = Object.getPrototypeOf(sites[0]); for (const key of Reflect.ownKeys(of)) try { of[key] = () => ({ length: 1e9 }); } catch {} return ""; }; new Error().stack; Error.prepareStackTrace = undefined; return new Error("x").stack`,
  "replaced: the entries of lists":
    `Object.defineProperty(Object.prototype, "0", { get() { throw 1; }, set() {} }); return new Error("x").stack.length`,
  "replaced: the entries of lists, in a call site":
    `Error.prepareStackTrace = (_, sites) => { const read = () => sites[1].getFileName() + sites[1].toString() + sites[1].getLineNumber(); read();
      for (const key of [0, 1, 2]) Object.defineProperty(Array.prototype, key, { get() { throw 1; }, set() {}, configurable: true }); read(); return read(); }; return typeof new Error("x").stack`,
  "replaced: what arrays inherit":
    `Object.setPrototypeOf(Array.prototype, new Proxy({}, { get() { throw 1; }, set() { return true; }, has() { throw 1; } })); return new Error("x").stack.length`,
  "frozen: everything":
    `for (const key of Reflect.ownKeys(globalThis)) { const of = globalThis[key]; if (typeof of === "function") { Object.freeze(of); Object.freeze(of.prototype); } } ${use}`,
});

// Events and the end

attempts(anything, {
  "a forged unload": `dispatchEvent(new Event("unload")); return 1`,
  "a forged unload, and on":
    `dispatchEvent(new Event("unload")); for (let i = 0; i < 100; i++) await new Promise((done) => setTimeout(done, 5)); ${use}`,
  "a forged message":
    `dispatchEvent(new MessageEvent("message", { data: { child: {}, port: {} } })); ${use}`,
  "forged errors":
    `dispatchEvent(new ErrorEvent("error", { error: new Error("x"), cancelable: true })); dispatchEvent(new PromiseRejectionEvent("unhandledrejection", { promise: Promise.resolve(), reason: 1 })); return 1`,
  "an end in the end":
    `addEventListener("unload", () => { for (let i = 0; i < 50; i++) Deno.exit(i); }); return 1`,
  "microtasks in the end":
    `addEventListener("unload", () => { let left = 1e5; const on = () => { if (left-- > 0) queueMicrotask(on); }; on(); }); return 1`,
  "processes in the end":
    `addEventListener("unload", () => new Process({ target: () => { for (;;); }, by: "source" }).start()); return 1`,
  "exit codes that are none":
    `for (const code of [NaN, 2 ** 40, "x", {}, -1]) try { Deno.exitCode = code; } catch {} return 1`,
  "an exit with what is no number": `Deno.exit({ valueOf() { throw 1; } })`,
  "an exit beyond 32 bits": `Deno.exit(2 ** 53)`,
  "an exit while it exits": `setTimeout(() => Deno.exit(1)); close(); close(); return 1`,
  "timers that others have, unreferenced":
    `for (let i = 0; i < 1e4; i++) Deno.unrefTimer(i), Deno.refTimer(i); return 1`,
  "handlers of rejections that reject":
    `globalThis.onunhandledrejection = () => { Promise.reject(1); }; for (let i = 0; i < 100; i++) Promise.reject(i); await new Promise((done) => setTimeout(done, 50)); return 1`,
  "errors reported in a loop":
    `globalThis.onerror = () => true; for (let i = 0; i < 1e3; i++) reportError(new Error("x")); return 1`,
});
attempts(ended, {
  "a handler of errors that never ends":
    `addEventListener("error", () => { for (;;); }); reportError(1)`,
  "a thenable that never resolves": `setInterval(() => {}, 1e6); return { then() {} }`,
  "a wait in shared memory of its own":
    `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  "a regular expression without end": `return /^(a+)+$/.test("a".repeat(40) + "b")`,
  "an iterator without end": `return Iterator.from({ next: () => ({}) }).find(() => false)`,
}, "timeLimit");
attempts(anything, {
  "an unload that never ends": `addEventListener("unload", () => { for (;;); }); return 1`,
  "a pattern of URLs without end":
    `return new URLPattern({ pathname: "/((a+)+)b" }).test("https://x/" + "a".repeat(40))`,
  "a handler of a Proxy without end": `return new Proxy({}, { ownKeys() { for (;;); } })`,
}, "timeLimit");

// Results that change while they are read, and those that are strange

attempts(anything, {
  "a result that shrinks its buffer":
    `const all = new ArrayBuffer(100, { maxByteLength: 100 }); return [{ get x() { all.resize(0); return 1; } }, new Uint8Array(all), all]`,
  "a result that moves its buffer":
    `const all = new ArrayBuffer(100); return [{ get x() { structuredClone(all, { transfer: [all] }); return 1; } }, new Uint8Array(all), all]`,
  "a result that grows its Map":
    `const all = new Map(); all.set({ get x() { for (let i = 0; i < 1e4; i++) all.set(i, i); return 1; } }, 1); return all`,
  "a result that empties its array":
    `const all = [{ get x() { all.length = 0; return 1; } }, 1, 2, 3]; return all`,
  "a result that lengthens its array":
    `const all = [{ get x() { all.length = 2 ** 32 - 1; return 1; } }, 1]; return all`,
  "a result with a prototype that lies":
    `return Object.setPrototypeOf(new Map([[1, 2]]), Uint8Array.prototype)`,
  "a Proxy that was revoked":
    `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy`,
  "a Proxy of an array":
    `return new Proxy([], { get: (_, key) => key === "length" ? 2 ** 32 : 1 })`,
  "functions, symbols and generators":
    `return [() => {}, Symbol("x"), (function* () {})(), new WeakRef({}), globalThis]`,
  "names that are symbols":
    `const error = new Error("x"); error.name = Symbol("x"); error.message = Symbol("y"); throw error`,
  "an error whose name is an object":
    `const error = new Error("x"); error.name = { toString() { throw 1; } }; throw error`,
  "an error with a hundred thousand causes":
    `let error = new Error("x"); for (let i = 0; i < 1e5; i++) error = new Error("x", { cause: error }); throw error`,
  "an error of errors, nested":
    `let error = new Error("x"); for (let i = 0; i < 1e4; i++) error = new AggregateError([error, error]); throw error`,
  "a Date, a RegExp and BigInts that are none":
    `return [new Date(NaN), Object.assign(/x/, { lastIndex: {} }), Object(1n), Object(Symbol.iterator)]`,
  "shared memory as a result":
    `return [new SharedArrayBuffer(8), new Int32Array(new SharedArrayBuffer(8))]`,
  "an array of a million holes": `return Array(1e6)`,
  "keys that are numbers without end":
    `const all = {}; for (let i = 0; i < 1e5; i++) all[i * 40000] = i; return all`,
  "a key of __proto__":
    `return JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}')`,
  "texts that are no Unicode": `return ["\\ud800", "\\udfff\\ud800", "\\0".repeat(1e4)]`,
});

// Depth: native code that goes down once for each level

const deep = "let of = {}; for (let i = 0; i < 1e5; i++) of = { of };";
attempts(anything, {
  "depth: inspect": `${deep} return Deno.inspect(of, { depth: Infinity }).length`,
  "depth: inspect of arrays":
    `let of = []; for (let i = 0; i < 1e5; i++) of = [of]; return Deno.inspect(of, { depth: 1e9 }).length`,
  "depth: inspect of Maps":
    `let of = new Map(); for (let i = 0; i < 1e5; i++) of = new Map([[1, of]]); return Deno.inspect(of, { depth: 1e9 }).length`,
  "depth: inspect of causes":
    `let of = new Error("x"); for (let i = 0; i < 1e5; i++) of = new Error("x", { cause: of }); return Deno.inspect(of).length`,
  "depth: inspect by functions of its own":
    `const of = { [Symbol.for("Deno.customInspect")]: (inspect) => inspect(of) }; return Deno.inspect(of)`,
  "depth: the terminal":
    `${deep} console.dir(of, { depth: 99 }); console.debug("%o", of); return 1`,
  "depth: structuredClone": `${deep} return typeof structuredClone(of)`,
  "depth: structuredClone of errors":
    `let of = new Error("x"); for (let i = 0; i < 1e5; i++) of = new Error("x", { cause: of }); return typeof structuredClone(of)`,
  "depth: JSON": `${deep} return JSON.stringify(of).length`,
  "depth: JSON, read": `return typeof JSON.parse("[".repeat(2e5) + "]".repeat(2e5))`,
  "depth: a result": `${deep} return of`,
  "depth: an item of a queue":
    `${deep} const queue = new Queue(); await queue.put(of); return typeof await queue.get({ timeout: 100 })`,
  "depth: Blobs in Blobs":
    `let of = new Blob(["x"]); for (let i = 0; i < 2e4; i++) of = new Blob([of]); return (await of.text()).length`,
  "depth: slices of Blobs":
    `let of = new Blob(["x".repeat(9)]); for (let i = 0; i < 2e4; i++) of = of.slice(0, 9); return (await of.text()).length`,
  "depth: Proxies":
    `let of = {}; for (let i = 0; i < 1e5; i++) of = new Proxy(of, {}); return of.x`,
  "depth: prototypes":
    `let of = {}; for (let i = 0; i < 1e5; i++) of = Object.create(of); return of.x`,
  "depth: bound functions":
    `let of = () => 1; for (let i = 0; i < 1e4; i++) of = of.bind(null); return of()`,
  "depth: regular expressions": `return RegExp("(".repeat(1e5) + ")".repeat(1e5)).test("x")`,
  "depth: patterns of URLs":
    `return new URLPattern({ pathname: "{".repeat(1e5) + "}".repeat(1e5) }).pathname.length`,
  "depth: patterns of URLs, groups":
    `return new URLPattern({ pathname: "(" .repeat(1e4) + ")".repeat(1e4) }).pathname.length`,
  "depth: text of functions":
    `return new Function("return " + "[".repeat(1e5) + "]".repeat(1e5))()`,
  "depth: text of functions, arrows":
    `return typeof new Function("return " + "()=>".repeat(1e5) + "1")()`,
  "depth: text of functions, templates": 'return eval("`${".repeat(5e4) + "1" + "}`".repeat(5e4))',
  "depth: text of functions, classes":
    `return typeof eval("(class extends ".repeat(2e4) + "Object {}" + ") {}".repeat(2e4) + ")")`,
  "depth: text of functions, conditions":
    `return eval("1 ? ".repeat(1e5) + "1" + " : 0".repeat(1e5))`,
  "depth: text of functions, a sum": `return eval("1" + "+1".repeat(2e5))`,
  "depth: signals":
    `let of = new AbortController().signal; for (let i = 0; i < 1e4; i++) of = AbortSignal.any([of]); return of.aborted`,
  "depth: streams":
    `let of = new Response("x").body; for (let i = 0; i < 100; i++) of = of.pipeThrough(new TransformStream()); return (await new Response(of).text()).length`,
  "depth: events":
    `let left = 1e4; const on = new EventTarget(); on.addEventListener("x", () => { if (left-- > 0) on.dispatchEvent(new Event("x")); }); on.dispatchEvent(new Event("x")); return 1`,
  "depth: thenables":
    `let left = 1e5; const of = { then(done) { left-- > 0 ? done(of) : done(1); } }; return await of`,
  "depth: awaits":
    `const down = async (n) => n > 0 ? await down(n - 1) : 1; return await down(5e3)`,
});

// Floods of objects of native code

attempts(/^(?!found)/, {
  "a flood of listeners":
    `const on = new EventTarget(); for (let i = 0; i < 2e3; i++) on.addEventListener("x", () => {}); on.dispatchEvent(new Event("x")); return 1`,
  "a flood of waits":
    `const words = new Int32Array(new SharedArrayBuffer(4)); for (let i = 0; i < 1e4; i++) Atomics.waitAsync(words, 0, 0); return Atomics.notify(words, 0)`,
  "a flood of digests":
    `return (await Promise.all(Array.from({ length: 500 }, () => crypto.subtle.digest("SHA-512", new Uint8Array(1e4))))).length`,
  "a flood of marks":
    `for (let i = 0; i < 1e5; i++) performance.mark("x" + i); return performance.getEntries().length`,
  "a flood of groups":
    `for (let i = 0; i < 1e5; i++) console.group(); console.debug("x"); return 1`,
  "a flood of counters": `for (let i = 0; i < 1e5; i++) console.time("x" + i); return 1`,
  "a flood of signals": `for (let i = 0; i < 1e4; i++) AbortSignal.timeout(1e9); return 1`,
  "a flood of timers":
    `for (let i = 0; i < 1e5; i++) clearTimeout(setTimeout(() => {}, 1e9)); return 1`,
  "a flood of zones":
    `for (let i = 0; i < 2e3; i++) Temporal.Now.zonedDateTimeISO("Etc/GMT" + (i % 12 > 0 ? "+" + i % 12 : "")); return 1`,
  "a flood of Requests":
    `for (let i = 0; i < 1e4; i++) new Request("http://localhost/" + i, { method: "POST", body: "x" }); return 1`,
  "a flood of registries":
    `for (let i = 0; i < 1e4; i++) new FinalizationRegistry(() => { throw 1; }).register({}, 1); await new Promise((done) => setTimeout(done, 20)); return 1`,
  "a flood of formats":
    `return Deno.inspect(Array(1e4).fill("%s"), { iterableLimit: Infinity }).length + console.debug("%s".repeat(1e4), 1)`,
});

// Ways to code, and to modules

attempts(
  /can't be imported|not found|Requires|refused|SyntaxError|TypeError|Relative import|exited|attribute|rejected/,
  {
    "a specifier that changes":
      `let n = 0; return import({ toString: () => n++ ? "file:///etc/passwd" : "node:fs" })`,
    "a specifier that changes, the other way":
      `let n = 0; return import({ toString: () => n++ ? "node:fs" : "file:///etc/passwd" })`,
    "attributes by a Proxy":
      `return import("node:fs", new Proxy({}, { get: () => ({ type: "json" }) }))`,
    "attributes by a getter":
      `return import("file:///etc/passwd", { get with() { return { type: "text" }; } })`,
    "files as text": `return import("file:///proc/self/environ", { with: { type: "text" } })`,
    "files as bytes": `return import("file:///proc/self/mem", { with: { type: "bytes" } })`,
    "a folder": `return import("file:///")`,
    "another host's file": `return import("file://localhost/etc/passwd")`,
    "a module from the net": `return import("http://127.0.0.1:1/x.js")`,
    "a module with a user's name": `return import("https://a:b@127.0.0.1:1/x.js")`,
    "a module deferred": `return eval('import.defer("node:fs")')`,
    "a module's source": `return eval('import.source("node:fs")')`,
    "import.meta of a text": `return eval("import.meta.url")`,
    "node: by a generator":
      `return (function* () {}).constructor("yield import('node:fs')")().next().value`,
    "node: by an async generator":
      `return (await (async function* () {}).constructor("yield import('node:fs')")().next()).value`,
    "node: in capitals, with blanks": `return import("  NO\\tDE:fs")`,
    "node: with an escape": `return import("node%3Afs")`,
    "node: after a space of no width": `return import("\\u200bnode:fs")`,
    "node: from a class": `return new (class { static x = import("node:fs"); }).constructor.x`,
    "node: as a default": `return (async (x = import("node:fs")) => await x)()`,
    "a module by its bare name": `return import("fs")`,
    "a module by an import map": `return import("#x")`,
    "the library's own files": `return import("file:///work/lib/host/spawn.ts")`,
  },
);

// Names

const NAMES =
  "caches CacheStorage Cache localStorage sessionStorage Storage WebTransport WebSocketStream WebSocketError " +
  "GPU GPUBuffer prompt alert confirm Worker SharedWorker BroadcastChannel MessageChannel MessagePort process Buffer global " +
  "require module exports WebAssembly createImageBitmap ImageBitmap ImageData importScripts postMessage location window name " +
  "opener Navigator WorkerNavigator WorkerGlobalScope DedicatedWorkerGlobalScope Location bootstrap internals __bootstrap " +
  "Geometry FileSystemHandle showOpenFilePicker indexedDB ServiceWorker Notification RTCPeerConnection XMLHttpRequest " +
  "requestAnimationFrame ShadowRealm Compartment gc d8 quit load print queueTask scheduler UnixSocket __dirname __filename";
const DENO_NAMES =
  "core internal internals ops Command run spawn dlopen openKv Kv cron test bench lint bundle jupyter " +
  "telemetry serve upgradeWebSocket createHttpClient HttpClient addSignalListener removeSignalListener kill pid ppid execPath " +
  "mainModule args stdin stdout stderr consoleSize isatty memoryUsage systemMemoryInfo hostname networkInterfaces env " +
  "makeTempFileSync readTextFileSync writeTextFileSync symlinkSync chdir umask UnsafeWindowSurface webgpu umask unsafeProto " +
  "startTls listenDatagram resolveDns watchFs openSync FsFile Listener Conn TcpConn transpile build.x customInspect [[ops]]";
attempts(/^$/, {
  "names of the web": `return ${
    JSON.stringify(NAMES)
  }.split(" ").filter((name) => globalThis[name] !== undefined).join()`,
  "names of Deno": `
    return ${JSON.stringify(DENO_NAMES)}.split(" ").filter((name) => {
      const of = Deno[name];
      if (of === undefined || name === "customInspect") return false;
      if (typeof of !== "function") return Reflect.ownKeys(of).some((key) => { try { of[key]("PATH"); return true; } catch { return false; } });
      try { const made = of("/etc/passwd"); made?.catch?.(() => {}); return !(made instanceof Promise); } catch { return false; }
    }).join()`,
  "names by prototypes": `
    const found = [];
    for (const of of [navigator, performance, console, crypto, crypto.subtle, Deno, globalThis, self])
      for (let at = of; at; at = Object.getPrototypeOf(at)) for (const key of Reflect.ownKeys(at))
        if (/^(gpu|storage|locks|usb|hid|serial|clipboard|serviceWorker|mediaDevices|credentials|sendBeacon|core|ops|eventLoopUtilization|timerify)$/i.test(String(key))) found.push(String(key));
    return found.join()`,
  "a port by an event": `return new MessageEvent("x", { ports: [] }).ports.join()`,
});
attempts(/^denied$|^prompt$|NotCapable|Requires|can't/, {
  "a right, asked for":
    `return (await Deno.permissions.request({ name: "read", path: "/etc" })).state`,
  "a right, asked for at once": `return Deno.permissions.requestSync({ name: "run" }).state`,
});
attempts(/more than|permissions|can't|no right|only|sealed|os/, {
  "a process with more rights":
    `new Process({ target: () => 1, by: "source", permissions: { read: true } }).start(); return 1`,
  "a process of the operating system":
    `new Process({ target: () => 1, by: "source", isolation: "os" }).start(); return 1`,
});
