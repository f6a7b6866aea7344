// Functions that have the text and the name of an exported function, but are others. Prints the outcome of each.

import { outcome } from "./helper.ts";
import { jobs, work as theirs } from "./twin_tasks.ts";

const factor = 3;

export function work(n: number) {
  return n * factor;
}

export const scaled = (n: number) => n * factor;

function make(factor: number) {
  function work(n: number) {
    return n * factor;
  }
  return { work, scaled: (n: number) => n * factor };
}

function traced(run: (n: number) => number) {
  const wrapper = (n: number) => run(n);
  Object.defineProperty(wrapper, "name", { value: run.name });
  return wrapper;
}

export const tracedWork = traced(work), tracedScaled = traced(scaled);

if (import.meta.main) {
  const targets = {
    theirs,
    "in their table": jobs.scaled,
    "made with its name": make(4).work,
    "made without one": make(4).scaled,
    "wrapped, exported": tracedWork,
    "wrapped": traced(work),
    "bound": work.bind(null),
    "a proxy": new Proxy(work, {}),
    "built in": Math.sqrt,
  };
  for (const [what, target] of Object.entries(targets)) {
    const came = await outcome(target);
    console.log(what, typeof came === "number" ? came : "refused");
  }
}
