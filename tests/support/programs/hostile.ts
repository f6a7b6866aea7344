// Makes the attempts of support/hostile.ts one after the other, in sealed processes with the limits of the argument,
// and prints a line of JSON for each: the outcome, and the longest time that no timer of this program ran.

import { Pipe, Process, Queue } from "@multiproc/multiprocessing";
import { type Attempt, attempts } from "../hostile.ts";

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
  /** Every so many only. */
  every?: number;
}

async function make({ code, permissions }: Attempt, { by, limits, nested }: How): Promise<string> {
  const options = { by, permissions, ...limits };
  const process = nested
    ? new Process({ target: executeNested, args: [code, by], ...options })
    : new Process({ target: execute, args: [code], ...options });
  process.start();
  try {
    return Deno.inspect(await process.result({ timeout: 20_000 })).replaceAll('"', "").slice(
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
  for (const [i, attempt] of attempts.entries()) {
    const { name, needs } = attempt;
    const isMade = needs === "nothing" ? i % (how.every ?? 1) === 0 : needs in how.limits;
    // What a limit is for is no business of a process in the one that has it.
    if (!isMade || needs !== "nothing" && (!isLimited || how.nested)) continue;
    // The one around it has no permission.
    if (how.nested && attempt.permissions !== "none") continue;
    let last = performance.now(), stall = 0;
    const look = () => {
      const now = performance.now();
      stall = Math.max(stall, now - last);
      last = now;
    };
    const timer = setInterval(look, 5);
    const came = await make(attempt, how);
    look();
    clearInterval(timer);
    console.log(JSON.stringify({ name, came, stall: Math.round(stall) }));
  }
  const other = new Process({ target: () => "as ever", by: "source" });
  other.start();
  console.log(JSON.stringify({ name: "the program", came: await other.result(), stall: 0 }));
}
