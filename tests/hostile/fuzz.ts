// deno task fuzz --minutes N --seed S --kinds queue,pipe: hostile words in all shared memory that a process can be handed,
// and in all that a process with permissions of its own has; hostile messages on the port of a pipe
// (support/programs/hostile_memory.ts). Fails where the program ends, where its event loop stands still for more than
// MAX_MS, or a call exceeds its timeout by more than that.

import { parseArgs } from "node:util";
import { run } from "../support/programs.ts";

/** In ms. The program's own time counts, not that of other programs on the machine (support/own_time.ts). */
const MAX_MS = 250;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    kinds: { type: "string" },
  },
});
const minutes = Number(values.minutes);
const seed = values.seed ?? `${Math.floor(Math.random() * 2 ** 31)}`;
console.log(`seed ${seed}`);
const seconds = minutes * 60;
const { code, out, errors } = await run(
  "hostile_memory.ts",
  [`${seconds}`, seed, ...(values.kinds === undefined ? [] : [values.kinds])],
  ["--allow-all", "--no-prompt"],
  (seconds + 120) * 1000,
);
console.log(out.join("\n"));
const { stall = Infinity, over = Infinity } = code === 0 ? JSON.parse(out.at(-1)!) : {};
if (code !== 0) console.log(errors.slice(-2000));
const isWell = code === 0 && stall <= MAX_MS && over <= MAX_MS;
console.log(
  isWell ? "well" : `FAILED: exit code ${code}, longest stall ${stall} ms, over ${over} ms`,
);
Deno.exit(isWell ? 0 : 1);
