// Targets of the tests of sealed realms. By source each stands alone.

import { readFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { Pipe, Process } from "../../../mod.ts";

/** While this module is evaluated, code runs already. */
let duringEvaluation = "allowed";
if (!isMainThread || "DedicatedWorkerGlobalScope" in globalThis || !("Worker" in globalThis)) {
  const url = "node:vm";
  try {
    await import(url);
  } catch {
    duringEvaluation = "refused";
  }
}

/** What its module has imported, and what it may import. */
export async function useStaticImports(): Promise<unknown> {
  const url = "node:fs";
  return {
    there: [typeof readFileSync, typeof Process],
    while: duringEvaluation,
    later: await import(url).then(() => "allowed", () => "refused"),
  };
}

/** Uses what every sealed process has. */
export async function useHarmless(): Promise<unknown> {
  const text = await new Response(
    new Blob(["text in a stream"]).stream().pipeThrough(new CompressionStream("gzip"))
      .pipeThrough(new DecompressionStream("gzip")),
  ).text();
  let fired = "";
  const never = setTimeout(() => fired += "cleared", 1);
  clearTimeout(never);
  const repeated = setInterval(() => {
    clearInterval(repeated);
    fired += "fired";
  }, 1);
  await new Promise<void>((resolve) => setTimeout(resolve, 30));
  class Own extends Uint8Array {}
  const own = new Own([1, 2]);
  const [here, there] = Pipe<string>();
  await there.send("through a pipe");
  const pipe = await here.recv();
  here.close();
  const child = new Process({ target: (n: number) => n * n, args: [7], by: "source" });
  child.start();
  return {
    text,
    digest: (await crypto.subtle.digest("SHA-256", own)).byteLength,
    url: new URL("b?c=1", "https://example.com/a").href,
    clone: structuredClone(new Map([[1, new Date(0)]])),
    timers: `${fired}, not cleared`,
    typed: `${own instanceof Uint8Array} ${own.slice().join()} ${
      new Float64Array(3).length
    } ${Uint8Array.name}`,
    pipe,
    child: await child.result(),
  };
}

/** Walks through all that can be reached, call sites included, for what leads out of a sealed realm. */
export async function walk(): Promise<{ looked: number; found: string[] }> {
  const seen = new Set<unknown>(), found: string[] = [];
  const queue: [value: unknown, path: string][] = [[globalThis, "globalThis"]];
  const add = (value: unknown, path: string) => void queue.push([value, path]);
  // Call sites tell of the functions that have called, and of what they were called on.
  type Site = { getThis?(): unknown; getFunction?(): unknown };
  const sites: unknown[] = [];
  const stacks = Error as unknown as { prepareStackTrace: unknown; stackTraceLimit: number };
  stacks.stackTraceLimit = 200;
  stacks.prepareStackTrace = (_: unknown, all: Site[]) => {
    for (const site of all) sites.push(site, site.getThis?.(), site.getFunction?.());
    return "";
  };
  const capture = (where: string) => {
    void new Error(where).stack;
    for (const site of sites.splice(0)) add(site, `stack of ${where}`);
  };
  capture("the target");
  await new Promise<void>((resolve) =>
    setTimeout(() => {
      capture("a timer");
      resolve();
    })
  );
  await new Promise<void>((resolve) =>
    queueMicrotask(() => {
      capture("a microtask");
      resolve();
    })
  );
  const events = new EventTarget();
  events.addEventListener("x", () => capture("an event"));
  events.dispatchEvent(new Event("x"));
  const abort = new AbortController();
  abort.signal.addEventListener("abort", () => capture("an abort"));
  abort.abort();
  const source = {
    pull(controller: ReadableStreamDefaultController) {
      capture("a stream");
      controller.close();
    },
  };
  await new Response(new ReadableStream(source)).text();
  for (
    const name of ["Deno.customInspect", "nodejs.util.inspect.custom", "Deno.privateCustomInspect"]
  ) {
    Deno.inspect({
      [Symbol.for(name)](...args: unknown[]) {
        capture(name);
        args.forEach((arg, i) => add(arg, `${name} ${i}`));
        return "";
      },
    });
  }
  structuredClone({
    get x() {
      capture("a clone");
      return 1;
    },
  });
  const things: unknown[] = [
    (async () => {}).constructor,
    new Blob(["x"]).stream(),
    new Request("http://localhost/"),
    new FormData(),
    new CompressionStream("gzip"),
    new FileReader(),
    AbortSignal.any([]),
    await Deno.permissions.query({ name: "read" }),
    setTimeout(() => {}),
    setInterval(() => {}, 1e6),
    Pipe(),
    new Process({ target: () => 1, by: "source" }),
  ];
  things.forEach((thing, i) => add(thing, `thing ${i}`));
  await new Promise((resolve) => setTimeout(resolve, 10));
  stacks.prepareStackTrace = undefined;
  // Names of functions, and of keys with something else than a stub.
  const bad =
    /^(Worker|BroadcastChannel|MessageChannel|MessagePort|LockManager|LockManager|getBuiltinModule|DatabaseSync|require|createRequire|op_\w+|loadExtScript|internals|core|ops|GPU\w*|Module|runMicrotasks|createObjectURL|revokeObjectURL|WebAssembly|nodeBootstrap|_linkedBinding|binding|hrtime|execPath|addSignalListener|createHttpClient|mainModule|deriveBits|generateKey|postMessage|Cache|CacheStorage|caches|stdin|stdout|stderr)$/;
  while (queue.length > 0) {
    const [value, path] = queue.pop()!;
    if (typeof value !== "object" && typeof value !== "function" || value === null) continue;
    if (seen.has(value) || path.length > 300) continue;
    seen.add(value);
    try {
      const { name } = value as { name?: unknown };
      if (typeof value === "function" && bad.test(String(name))) found.push(`${path}: ${name}`);
    } catch { // a getter that wants another object
    }
    for (const key of Reflect.ownKeys(value)) {
      const inner = `${path}.${String(key)}`;
      if (typeof key === "string" && bad.test(key)) found.push(inner);
      const property = Reflect.getOwnPropertyDescriptor(value, key);
      if (property === undefined) continue;
      add(property.value, inner);
      add(property.get, `${inner}, get`);
      add(property.set, `${inner}, set`);
      if (property.get === undefined) continue;
      try {
        const got: unknown = Reflect.get(value, key);
        if (got instanceof Promise) got.catch(() => {});
        add(got, inner);
      } catch { // wants another object
      }
    }
    add(Object.getPrototypeOf(value), `${path}.__proto__`);
  }
  return { looked: seen.size, found };
}
