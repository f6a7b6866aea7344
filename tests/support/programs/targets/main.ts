// Functions of all forms as targets. Prints the outcome of each: [4, "by reference"] or
// [4, "by source"], or the fault. With "confined" the processes have no permissions.

import { Process, sleep as pause } from "@multiproc/multiprocessing";
import byDefault, { bound, declared as imported, doubled, renamed, table } from "./tasks.ts";
import { ended, outcome } from "./helper.ts";
import { part } from "./whole.ts";

const isConfined = import.meta.main && Deno.args.includes("confined");
const options = { permissions: isConfined ? "none" : "inherit" } as const;

// Where code stands, its stack tells: a function by source is at home in a data: URL.

export function exported(n: number) {
  return [n * 2, /\bat .*data:/.test(`${new Error().stack}`) ? "by source" : "by reference"];
}

export const arrow = async (n: number) => {
  await pause(1);
  return [n * 2, /\bat .*data:/.test(`${new Error().stack}`) ? "by source" : "by reference"];
};

function listed(n: number) {
  return [n * 2, /\bat .*data:/.test(`${new Error().stack}`) ? "by source" : "by reference"];
}
export { listed as withAnotherName };

function hidden(n: number) {
  return [n * 2, /\bat .*data:/.test(`${new Error().stack}`) ? "by source" : "by reference"];
}

const holder = {
  method(n: number) {
    return [n * 2, /\bat .*data:/.test(`${new Error().stack}`) ? "by source" : "by reference"];
  },
};

const factor = 2;

export function withHelper(n: number) {
  return [n * factor, "by reference"];
}

function hiddenWithHelper(n: number) {
  return [n * factor, "by reference"];
}

function make(k: number) {
  return function made(n: number) {
    return [n * k, "by reference"];
  };
}

export const made = make(2);
const anotherMade = make(3);

export class Exported extends Process {
  n = 2;
  override run() {
    return [this.n * factor, "by reference"];
  }
}

class Hidden extends Process {
  n = 2;
  override run() {
    return [this.n * 2, "by source"];
  }
}

/** By the words of docs/targets.md. */
const forms: Record<string, () => Promise<unknown>> = {
  "a function that its module exports": () => outcome(exported, options),
  "the same, using what stands beside it": () => outcome(withHelper, options),
  "an arrow function in an exported constant": () => outcome(arrow, options),
  "exported under another name": () => outcome(listed, options),
  "imported from another module": () => outcome(imported, options),
  "imported, by another name": () => outcome(renamed, options),
  "imported, a default export": () => outcome(byDefault, options),
  "imported, made by a function there": () => outcome(doubled, options),
  "imported, bound": () => outcome(bound, options),
  "in a module that an imported one exports as a whole": () => outcome(part.inPart, options),
  "a name, and the module that exports it": () =>
    outcome("withHelper", { ...options, module: import.meta.url }),
  "a class with run(), exported": () => ended(() => new Exported(options)),
  "a class with run(), not exported": () => ended(() => new Hidden(options)),
  "written where it is given": () =>
    outcome(
      (n) => [n * 2, /\bat .*data:/.test(`${new Error().stack}`) ? "by source" : "by reference"],
      options,
    ),
  "not exported": () => outcome(hidden, options),
  "a method of an object": () => outcome(holder.method, options),
  "not exported, using what stands beside it": () => outcome(hiddenWithHelper, options),
  "in a table that is imported": () => outcome(table.work, options),
  "made by a function of the running module, exported": () => outcome(made, options),
  "made by the same function, not exported": () => outcome(anotherMade, options),
  "bound, not exported": () => outcome(exported.bind(null), options),
  "a built-in function": () => outcome(Math.sqrt, options),
};

if (import.meta.main) {
  for (const [form, run] of Object.entries(forms)) {
    console.log(JSON.stringify([form, await run()]));
  }
}
