// Runs a program that makes the attempts of hostile.ts, and checks their outcomes.

import assert from "node:assert/strict";
import type { How } from "./programs/hostile.ts";
import { type Attempt, attempts } from "./hostile.ts";
import { calls } from "./hostile_calls.ts";
import { realm } from "./hostile_realm.ts";
import { run } from "./programs.ts";

/**
 * How a process of the operating system holds what another refuses: Deno refuses it, or its memory has no room for
 * another thread. The table of processes that it finds is its own.
 */
const HELD_BY_OS = /Requires read access|^memoryLimitMb|^undefined object undefined$/;

interface Line {
  name: string;
  came: string;
  stall: number;
}

/** Has a program make attempts; throws those that came to something else. */
export async function withstand(how: How): Promise<void> {
  const { code, out, errors } = await run("hostile.ts", [JSON.stringify(how)], [
    "--allow-all",
    "--no-prompt",
  ], 600_000);
  const lines = out.filter((line) => line.startsWith('{"name":')).map((line): Line =>
    JSON.parse(line)
  );
  const last = lines.at(-1);
  const before = lines.slice(-5).map(({ name }) => name).join(", ");
  assert.equal(code, 0, `the program ended after ${before}: ${errors}`);
  assert.deepEqual([last?.name, last?.came], ["the program", "as ever"]);
  const known = new Map<string, Attempt>(
    [...attempts, ...calls, ...realm].map((attempt) => [attempt.name, attempt]),
  );
  const held = how.isolation === "os" ? HELD_BY_OS : /(?!)/;
  const wrong = lines.slice(0, -1).filter(({ name, came }) =>
    !known.get(name)!.comesTo.test(came) && !held.test(came)
  );
  assert.deepEqual(wrong, []);
  if (how.only === undefined) {
    assert.ok(lines.length > 3, `only ${lines.length} attempts were made`);
  }
  const longest = Math.max(...lines.map(({ stall }) => stall));
  if (Deno.env.get("SHOW_STALLS")) console.log(JSON.stringify(how), `longest stall: ${longest} ms`);
}
