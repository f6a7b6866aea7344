// The attempts of hostile code in a sealed process (support/hostile.ts), all of them in each kind of process.

import type { How } from "../support/programs/hostile.ts";
import { withstand } from "../support/withstand.ts";

const kinds: How[] = [
  { by: "reference", limits: {} },
  { by: "source", limits: { timeLimit: 600 } },
  { by: "reference", limits: { timeLimit: 600 } },
  { by: "source", limits: { memoryLimitMb: 64, timeLimit: 1500 } },
  { by: "reference", limits: { memoryLimitMb: 64 } },
  { by: "source", limits: {}, nested: true },
  { by: "source", limits: { timeLimit: 1500 }, nested: true },
];

for (const how of kinds) {
  const { by, limits, nested = false } = how;
  const kind = `by ${by}, ${JSON.stringify(limits)}${nested ? ", nested" : ""}`;
  Deno.test(`hostile code in a sealed process comes to nothing: ${kind}`, () => withstand(how));
}
