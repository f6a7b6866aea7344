// Targets that listen for their end, and for uncaught errors: see tests/child/exit_events_test.ts.

import type { Queue } from "../../../mod.ts";

/** Where this is, for `module`. */
export const here = import.meta.url;

/** How a process ends. */
export type End =
  | "returns"
  | "returns with process.exitCode"
  | "throws"
  | "rejects nobody's promise"
  | "throws in a timer"
  | "calls Deno.exit"
  | "calls process.exit"
  | "calls Deno.exit in a timer";

/** What its listeners do beside telling that they were called. */
export type Deed = "nothing" | "set process.exitCode" | "set Deno.exitCode" | "throw";

/** Tells `log` of "beforeExit" and "exit", and ends. */
export async function end(how: End, deed: Deed, log: Queue<string>): Promise<string> {
  const { default: process } = await import("node:process");
  process.on("beforeExit", async (code) => {
    log.putNowait(`beforeExit ${code}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
    log.putNowait("flushed");
  });
  process.on("exit", (code) => {
    log.putNowait(`exit ${code}`);
    if (deed === "set process.exitCode") process.exitCode = 7;
    if (deed === "set Deno.exitCode") Deno.exitCode = 8;
    if (deed === "throw") throw new Error("in a listener");
  });
  switch (how) {
    case "returns with process.exitCode":
      process.exitCode = 3;
      break;
    case "throws":
      throw new RangeError("thrown");
    case "rejects nobody's promise":
      Promise.reject(new RangeError("rejected"));
      break;
    case "throws in a timer":
      setTimeout(() => {
        throw new RangeError("late");
      });
      break;
    case "calls Deno.exit":
      Deno.exit(4);
      break;
    case "calls process.exit":
      process.exit(5);
      break;
    case "calls Deno.exit in a timer":
      setTimeout(() => Deno.exit(6));
  }
  if (!how.startsWith("returns")) await new Promise(() => setInterval(() => {}, 1000));
  return "returned";
}

/** Something that nobody catches. */
export type Uncaught =
  | "rejection"
  | "async rejection"
  | "error"
  | "reported error"
  | "rejected text";

/** A listener for it; those with "!" prevent the default, or throw. */
export type Listener =
  | "unhandledRejection"
  | "unhandledRejection!"
  | "uncaughtException"
  | "uncaughtException!"
  | "uncaughtExceptionMonitor"
  | "unhandledrejection"
  | "unhandledrejection!"
  | "error"
  | "error!";

/** Listens, lets it happen, and goes on if it can: tells which listeners were called with what. */
export async function letHappen(
  what: Uncaught,
  listeners: Listener[],
  log: Queue<string>,
): Promise<string> {
  const { default: process } = await import("node:process");
  const has = (name: Listener) => listeners.includes(name);
  const say = (name: string, error: Error, more?: unknown) => {
    log.putNowait(`${name}: ${error.message}${more === undefined ? "" : `, ${more}`}`);
  };
  const bad = () => {
    throw new Error("in a listener");
  };
  for (const name of ["unhandledRejection", "uncaughtException"] as const) {
    if (!has(name) && !has(`${name}!`)) continue;
    process.on(name, (error: unknown, second: unknown) => {
      say(name, error as Error, second instanceof Promise ? "a promise" : second);
      if (has(`${name}!`)) bad();
    });
  }
  if (has("uncaughtExceptionMonitor")) {
    process.on("uncaughtExceptionMonitor", (error, origin) => say("monitor", error, origin));
  }
  for (const name of ["unhandledrejection", "error"] as const) {
    if (!has(name) && !has(`${name}!`)) continue;
    globalThis.addEventListener(name, (event) => {
      say(`event ${name}`, "reason" in event ? event.reason : (event as ErrorEvent).error);
      if (has(`${name}!`)) event.preventDefault();
    });
  }
  const error = new RangeError("uncaught");
  if (what === "rejection") Promise.reject(error);
  if (what === "rejected text") Promise.reject("a text");
  if (what === "async rejection") {
    setTimeout(async () => {
      await null;
      throw error;
    });
  }
  if (what === "error") {
    setTimeout(() => {
      throw error;
    });
  }
  if (what === "reported error") setTimeout(() => reportError(error));
  await new Promise((resolve) => setTimeout(resolve, 20));
  return "went on";
}
