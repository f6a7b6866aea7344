// The worker as a program: its arguments, and its end by signals.

import { pathToFileURL } from "node:url";
import { work, type WorkOptions } from "./work.ts";

const USAGE = `Runs the tasks of a pool in a Redis server: hub.pool(NAME) calls them.

  deno run -N -R jsr:@multiproc/multiprocessing/worker redis://host:6379 --name NAME --module ./tasks.ts

  --name NAME             the name of the pool
  --module FILE_OR_URL    a module whose exports are tasks; may be given several times
  --processes N           how many processes run tasks; as many as there are cores by default
  --tasks-per-process N   how many tasks a process runs at once; 1 by default
  --prefix TEXT           the beginning of all keys in the server; mp by default
  --lease-time MS         after how long without a beat others run its tasks; 30000 by default
  --ca FILE               certificates of authorities, for rediss:
  --timeout MS            how long it waits for the server at first; 5000 by default

Ctrl-C and SIGTERM let it finish what runs, and take no more; the second one ends it at once.`;

const NUMBERS: Record<string, "processes" | "tasksPerProcess" | "leaseTime" | "timeout"> = {
  "--processes": "processes",
  "--tasks-per-process": "tasksPerProcess",
  "--lease-time": "leaseTime",
  "--timeout": "timeout",
};

/** What is wrong with the arguments. */
class UsageError extends Error {}

/** Reads the arguments of the program. */
function parse(args: readonly string[]): { url: string; options: WorkOptions } {
  let url: string | undefined;
  const modules: string[] = [];
  const options: Partial<WorkOptions> = {};
  for (let i = 0; i < args.length; i++) {
    const [, arg, inline] = /^(--[^=]*)=(.*)$/s.exec(args[i]) ?? [undefined, args[i], undefined];
    if (!arg.startsWith("-")) {
      if (url !== undefined) throw new UsageError(`${arg} is one server too many.`);
      url = arg;
      continue;
    }
    const value = () => {
      const found = inline ?? args[++i];
      if (found === undefined) throw new UsageError(`${arg} needs a value.`);
      return found;
    };
    if (arg === "--name") options.name = value();
    else if (arg === "--module") modules.push(urlOf(value()));
    else if (arg === "--prefix") options.prefix = value();
    else if (arg === "--ca") options.ca = Deno.readTextFileSync(value());
    else if (Object.hasOwn(NUMBERS, arg)) {
      const text = value(), number = Number(text);
      if (text.trim() === "" || Number.isNaN(number)) {
        throw new UsageError(`${arg} is ${text}, not a number.`);
      }
      options[NUMBERS[arg]] = number;
    } else throw new UsageError(`${arg} is no option here.`);
  }
  if (url === undefined) throw new UsageError("The URL of the server is missing.");
  if (options.name === undefined) throw new UsageError("--name is missing: the name of the pool.");
  if (modules.length === 0) throw new UsageError("--module is missing: where the tasks are.");
  return { url, options: { ...options, name: options.name, modules } };
}

/** The URL of a module that was given as a file or as a URL. */
function urlOf(module: string): string {
  if (/^[a-z][a-z+.-]+:/i.test(module)) return module;
  return pathToFileURL(module).href;
}

/** Runs the worker with the program's arguments. */
export async function main(): Promise<void> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) return console.log(USAGE);
  const stop = new AbortController(), end = new AbortController();
  const told = () => {
    if (stop.signal.aborted) {
      end.abort();
      return;
    }
    console.error("Finishing what runs; once more ends it at once.");
    stop.abort();
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  try {
    const { url, options } = parse(Deno.args);
    for (const signal of signals) Deno.addSignalListener(signal, told);
    await work(url, {
      ...options,
      signal: stop.signal,
      terminate: end.signal,
      onReady: (name) => console.error(`${name} takes tasks of the pool "${options.name}".`),
    });
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(isUsage ? `${error.message}\n\n${USAGE}` : describeError(error));
    Deno.exitCode = isUsage ? 2 : 1;
  } finally {
    for (const signal of signals) {
      try {
        Deno.removeSignalListener(signal, told);
      } catch { // it was never added
      }
    }
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
