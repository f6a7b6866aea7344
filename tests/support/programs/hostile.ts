// Makes the attempts of support/hostile.ts and support/hostile_calls.ts, a few at a time, in sealed processes with the
// limits of the argument, and prints a line of JSON for each: the outcome, and the longest time that no timer of this
// program ran meanwhile.

import { Pipe, Process, Queue } from "@multiproc/multiprocessing";
import { type Attempt, attempts as others } from "../hostile.ts";
import { calls } from "../hostile_calls.ts";
import { realm } from "../hostile_realm.ts";
import { ownTime } from "../own_time.ts";

const attempts = [...others, ...calls, ...realm];

/** By reference, and in a process by source: it may use nothing outside of it. */
export async function execute(code: string): Promise<string> {
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const result = await new AsyncFunction("Process", "Pipe", "Queue", code)(Process, Pipe, Queue);
  return typeof result === "object" && result !== null ? result : `${result}`;
}

/** One sandbox in another. */
export async function executeNested(code: string, by: "reference" | "source"): Promise<string> {
  const inner = async (code: string): Promise<string> => {
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    const result = await new AsyncFunction("Process", "Pipe", "Queue", code)(Process, Pipe, Queue);
    return typeof result === "object" && result !== null ? result : `${result}`;
  };
  const process = new Process({ target: inner, args: [code], by: "source", permissions: "none" });
  void by;
  process.start();
  return await process.result();
}

/** How attempts are made. */
export interface How {
  by: "reference" | "source";
  limits: { timeLimit?: number; memoryLimitMb?: number };
  nested?: boolean;
  isolation?: "os";
  /** Every so many only, from the first or a later one. */
  every?: number;
  first?: number;
  /** Only those whose name this matches. */
  only?: string;
}

/** How many attempts are made at a time: starting a sandboxed thread is mostly waiting. */
const AT_A_TIME = 4;
/** The time limit of attempts that end by themselves: on a busy machine, too. */
const AMPLE_MS = 30_000;

async function make(attempt: Attempt, { by, limits, nested, isolation }: How): Promise<string> {
  const { code, permissions, needs } = attempt;
  const options = { by, permissions, isolation, ...limits };
  if (needs === "nothing" && "timeLimit" in limits) options.timeLimit = AMPLE_MS;
  const process = nested
    ? new Process({ target: executeNested, args: [code, by], ...options })
    : new Process({ target: execute, args: [code], ...options });
  process.start();
  try {
    return Deno.inspect(await process.result({ timeout: 60_000 })).replaceAll('"', "").slice(
      0,
      300,
    );
  } catch (error) {
    const { message, limit, cause } = error as Error & { limit?: string };
    return `${limit ?? ""} ${message} ${cause ?? ""}`.slice(0, 600);
  } finally {
    process.kill();
    await process.join({ timeout: 5000 });
  }
}

if (import.meta.main) {
  const how: How = JSON.parse(Deno.args[0]);
  const isLimited = Object.keys(how.limits).length > 0;
  const { every = 1, first = 0, only = "" } = how;
  const made = attempts.filter(({ name, needs, permissions }, i) => {
    if (!new RegExp(only).test(name)) return false;
    if (i % every !== first % every) return false;
    if (needs === "os") return how.isolation === "os";
    if (needs !== "nothing" && !(needs in how.limits)) return false;
    // What a limit is for is no business of a process in the one that has it.
    if (needs !== "nothing" && (!isLimited || how.nested)) return false;
    // The one around it has no permission.
    return !how.nested || permissions === "none";
  });
  let stall = 0;
  const look = (at: { stall: number; last: number }) => {
    const now = ownTime();
    at.stall = Math.max(at.stall, now - at.last);
    at.last = now;
  };
  const one = async () => {
    for (;;) {
      const attempt = made.shift();
      if (attempt === undefined) return;
      const at = { stall: 0, last: ownTime() };
      const timer = setInterval(look, 5, at);
      const came = await make(attempt, how);
      look(at);
      clearInterval(timer);
      stall = Math.max(stall, at.stall);
      console.log(JSON.stringify({ name: attempt.name, came, stall: Math.round(at.stall) }));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  const other = new Process({ target: () => "as ever", by: "source" });
  other.start();
  console.log(
    JSON.stringify({ name: "the program", came: await other.result(), stall: Math.round(stall) }),
  );
  Deno.exit();
}
