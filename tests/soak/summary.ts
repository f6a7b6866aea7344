// The output of a run: a line while it lasts, and a table of all counts.

import { type Numbers, together } from "./counts.ts";
import { type Load, loadNow } from "./machine.ts";
import type { Running } from "./main.ts";

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
const number = (n: number) => Math.round(n).toLocaleString("en");

/** The state of things in one line. */
export function line(all: readonly Running[], began: number): string {
  const numbers = together(all.map(({ numbers }) => numbers));
  const seconds = (performance.now() - began) / 1000;
  const of = (name: string) => number(numbers[name] ?? 0);
  const bytes = all.map(({ last }) => megabytes(last?.bytes ?? 0)).join(" + ");
  return `${seconds.toFixed(0)} s  kills ${of("kills")} (${
    ((numbers.kills ?? 0) / seconds).toFixed(1)
  }/s)  items ${of("queue: items put")}  messages ${of("pipe: messages")}  lock rounds ${
    of("locks: rounds")
  }  memory ${bytes}  load ${loadNow()}`;
}

/** All that was counted. */
export function summary(
  all: readonly Running[],
  numbers: Numbers,
  seconds: number,
  load: Load,
): string {
  const kills = numbers.kills ?? 0;
  const own = all.reduce((sum, { last }) => sum + (last?.cpu ?? 0), 0);
  const rows = Object.entries(numbers).sort(([a], [b]) => a < b ? -1 : 1);
  const share = (part: number) => `${Math.round(100 * part / load.all)} %`;
  const text = rows.map(([name, n]) => `${number(n).padStart(14)}  ${name}`);
  text.push(
    `${
      number(all.reduce((sum, { noise }) => sum + noise, 0)).padStart(14)
    }  lines of Deno's own dropped`,
  );
  text.push(`${(kills / seconds).toFixed(1).padStart(14)}  kills a second`);
  if (load.all > 0) {
    const others = load.busy - own, free = 1 - Math.max(0, others) / load.all;
    text.push(
      `${
        (kills / seconds / free).toFixed(1).padStart(14)
      }  kills a second for each machine that others left`,
    );
    text.push(`${(1000 * own / kills).toFixed(0).padStart(14)}  ms of processor time a kill`);
    text.push(
      `${share(own).padStart(14)}  of the processors used, ${
        share(Math.max(0, others))
      } by others, ${share(load.all - load.busy)} idle`,
    );
  }
  for (const { name, first, warm, last } of all) {
    if (first === undefined || last === undefined) continue;
    text.push(
      `${name}: memory ${megabytes(first.bytes)} at first, ${
        megabytes((warm ?? first).bytes)
      } when warm, ` +
        `${
          megabytes(last.bytes)
        } in the end; threads ${first.threads} at first, ${last.threads} in the end`,
    );
  }
  return text.join("\n");
}
