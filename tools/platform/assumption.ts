// The type of an assumption about Deno, and the helpers of the checks.

import { Worker as Thread, type WorkerOptions } from "node:worker_threads";

/** An undocumented behaviour of Deno that this library relies on or works around. */
export interface Assumption {
  /** The assumption, as a sentence. */
  claim: string;
  /** The files of lib/ that rely on it or work around it. */
  places: string[];
  /**
   * "need": without it something of the library fails. "quirk": the library works around it, and could be
   * simpler without.
   */
  kind: "need" | "quirk";
  /** The possible observations. The first is the newest Deno's; the code copes with the others. */
  expected: string[];
  /** Makes the observation, and returns it in few words. */
  observe(): string | Promise<string>;
}

/** A row of the table. */
export interface Row {
  assumption: Assumption;
  seen: string;
  state: "holds" | "differs, provided for" | "changed" | "FAILS";
}

/** Judges an observation. */
export function judge(assumption: Assumption, seen: string): Row {
  const { expected, kind } = assumption;
  if (seen === expected[0]) return { assumption, seen, state: "holds" };
  if (expected.includes(seen)) return { assumption, seen, state: "differs, provided for" };
  return { assumption, seen, state: kind === "need" ? "FAILS" : "changed" };
}

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves to true once isSo() is true, or to false after `ms` milliseconds. */
export async function eventually(isSo: () => boolean, ms = 8000): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await pause(2)) {
    if (isSo()) return true;
  }
  return isSo();
}

/** New words of shared memory, all 0. */
export function words(count = 8): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * count));
}

/** The URL of a new module with this text. */
export function moduleOf(text: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

/** The URL of a file of this package, from its root. */
export function fileOf(path: string): string {
  return new URL(`../../${path}`, import.meta.url).href;
}

/** A thread that runs this text with `data`, `parentPort` and `threads` in scope; by default it holds a Web Lock. */
export async function thread(
  text: string,
  data: unknown,
  { holdsLock = true, ...options }: WorkerOptions & { holdsLock?: boolean } = {},
): Promise<Thread> {
  const main = `import * as threads from "node:worker_threads";
    const { parentPort, workerData: data } = threads;
    ${
    holdsLock
      ? "await new Promise((held) => navigator.locks.request(crypto.randomUUID(), () => {" +
        " held(); return new Promise(() => {}); }));"
      : ""
  }
    setTimeout(async () => { parentPort.postMessage("up"); ${text} }, 10);`;
  const worker = new Thread(moduleOf(main), { workerData: data, ...options });
  await new Promise<unknown>((up) => worker.once("message", up));
  return worker;
}

/** Resolves to the exit code of a thread once it has ended. */
export function endpointOf(worker: Thread): Promise<number> {
  return new Promise((ended) => worker.once("exit", ended));
}

/** A web Worker without permissions that runs this text, and the first message it posts. */
export async function sandbox(text: string, data?: unknown): Promise<[Worker, unknown]> {
  const worker = newSandbox(moduleOf(text).href);
  worker.postMessage(data);
  const answer = await new Promise((resolve) => {
    worker.addEventListener("message", (event) => resolve(event.data), { once: true });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.message);
    });
  });
  return [worker, answer];
}

/** A web Worker with no permissions. */
export function newSandbox(main: string, permissions: unknown = "none"): Worker {
  return new Worker(
    main,
    { type: "module", deno: { permissions } } as WorkerOptions & { type: "module" },
  );
}

/** The outcome of a program. */
export interface Run {
  code: number;
  out: string;
  errors: string;
  /** The duration of the program. */
  ms: number;
}

/** Runs a text as a program; it is killed if it doesn't end. */
export async function program(
  text: string,
  { flags = ["--allow-all", "--unstable-worker-options"], limit = 12_000 } = {},
): Promise<Run> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-check", ...flags, moduleOf(text).href],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { code, out, errors, ms: performance.now() - began };
}

/** Whether the loop that counts in this word stops; on a busy machine that may take a moment. */
export async function stops(counter: Int32Array, index = 0): Promise<boolean> {
  for (let i = 0; i < 6; i++) {
    const before = Atomics.load(counter, index);
    // On a busy machine a live thread may not run for a while.
    await pause(400);
    if (Atomics.load(counter, index) === before) return true;
  }
  return false;
}
