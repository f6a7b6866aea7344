// The attempts of hostile code in a sealed process (support/hostile.ts, hostile_calls.ts and hostile_realm.ts there), in
// each kind of process: all of them in the first, and every ninth, in turn, in the others. With `-- --all`, or
// HOSTILE=all, all of them in all kinds; with HOSTILE_ONLY=words those whose name has them.

import type { How } from "../support/programs/hostile.ts";
import { withstand } from "../support/withstand.ts";

const isAll = Deno.args.includes("--all") || Deno.env.get("HOSTILE") === "all";
const only = Deno.env.get("HOSTILE_ONLY");

const kinds: How[] = [
  { by: "reference", limits: {} },
  { by: "source", limits: { timeLimit: 600 } },
  { by: "reference", limits: { timeLimit: 600 } },
  { by: "source", limits: { memoryLimitMb: 64, timeLimit: 1500 } },
  { by: "reference", limits: { memoryLimitMb: 64 } },
  { by: "source", limits: { memoryLimitMb: 64, timeLimit: 1500 }, isolation: "os" },
  { by: "source", limits: {}, nested: true },
  { by: "source", limits: { timeLimit: 1500 }, nested: true },
];

for (const [i, kind] of kinds.entries()) {
  const { by, limits, nested = false, isolation = "" } = kind;
  const name = `by ${by}, ${JSON.stringify(limits)} ${nested ? "nested" : isolation}`;
  const how = i === 0 || isAll || only ? { ...kind, only } : { ...kind, every: 9, first: i };
  Deno.test(`hostile code in a sealed process comes to nothing: ${name}`, () => withstand(how));
}
