// Spoils one thing after the other, and does the steps of scenario.ts meanwhile. Prints the differences.
// An instrument to find what this library still looks up, not a test: it has findings, most of them of
// Deno's own code (listeners, events, streams, symbols of its classes), some of which end the program; it
// goes on with --from. The requirements are in tests/full/spoiling.ts. It writes nothing.
//
// Run as: deno run -A tests/support/spoiling/sweep.ts [--process | --pool] [--from NUMBER] [--only BEGINNING OF A NAME]

import { answerOf, ENDLESS_FOR_POOLS, poolSteps, processSteps, steps } from "./scenario.ts";
import { spoil, targets, WAYS } from "./spoil.ts";

const args = Deno.args, print = console.log;
const ofPools = args.includes("--pool"), endless = ofPools ? ENDLESS_FOR_POOLS : undefined;
const chosen = ofPools ? poolSteps : args.includes("--process") ? processSteps : steps;
const only = args.includes("--only") ? args[args.indexOf("--only") + 1] : undefined;
const { preventDefault } = Event.prototype, { apply } = Reflect;
let uncaught = "";
const note = (event: Event, error: unknown) => {
  apply(preventDefault, event, []);
  uncaught = ` UNCAUGHT ${(error as Error)?.stack ?? error}`;
};
addEventListener("error", (event) => note(event, event.error));
addEventListener("unhandledrejection", (event) => note(event, event.reason));
const expected: Record<string, string> = {};
for (const name in chosen) expected[name] = await answerOf(chosen[name], endless);
for (const name in chosen) {
  const again = await answerOf(chosen[name], endless);
  if (again !== expected[name] || only === "?") print("UNSPOILED", name, expected[name], again);
}
const all = targets();
const from = args.includes("--from") ? Number(args[args.indexOf("--from") + 1]) : 0;
let findings = 0, tried = 0;
for (let i = 0; i < all.length; i++) {
  const target = all[i];
  if (only !== undefined && !target.name.startsWith(only)) continue;
  if (i < from) continue;
  for (let w = 0; w < WAYS.length; w++) {
    for (const name in chosen) {
      const giveBack = spoil(target, WAYS[w]);
      const answer = await answerOf(chosen[name], endless) + uncaught;
      giveBack();
      uncaught = "";
      tried++;
      if (answer === expected[name]) continue;
      findings++;
      print(`${target.name} ${WAYS[w]}: ${name}: ${answer.slice(0, 300)}`);
    }
  }
}
print(`${all.length} targets, ${tried} steps, ${findings} findings`);
Deno.exit(0);
