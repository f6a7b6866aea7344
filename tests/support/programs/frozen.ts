// Does the steps of the scenario, freezes the built-ins, and does the steps again. Prints the differences.

import { answerOf, processSteps, steps } from "../spoiling/scenario.ts";
import { Process, Queue } from "../../../mod.ts";

const all = { ...steps, ...processSteps }, names = Object.keys(all);
const expected: Record<string, string> = {};
for (const name of names) expected[name] = await answerOf(all[name]);

await import("./freeze.ts");
const module = new URL("./freeze.ts", import.meta.url);
for (const name of names) {
  const answer = await answerOf(all[name]);
  if (answer !== expected[name]) console.log(`${name}: ${answer}, not ${expected[name]}`);
}
console.log(`${names.length} steps`);

// The child freezes all when it imports its target.
for (const more of [{}, { permissions: "none" }, { memoryLimitMb: 256 }] as const) {
  const working = new Process<[number], number>({ target: "work", module, args: [21], ...more });
  working.start();
  console.log(await working.result());
}
const failing = new Process({ target: "fail", module });
failing.start();
try {
  await failing.result();
} catch (error) {
  const { cause, stack } = error as Error & { cause: Error };
  console.log(`${cause.name}: ${cause.message}, because of a ${cause.cause}`);
  console.log(stack!.includes("frozen.ts"), cause.stack!.includes("freeze.ts"));
}
const late = await new Queue<number>().get({ timeout: 1 }).catch((error) => error);
console.log(late.name, late.stack.includes("frozen.ts"));
const endless = new Process({ target: () => new Promise(() => {}), by: "source" });
endless.start();
endless.terminate();
console.log(await endless.join(), endless.exitCode);
