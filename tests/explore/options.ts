// The command line.

import { parseArgs } from "node:util";

/** What is asked for. */
export interface Options {
  readonly mode: "search" | "mutants" | "replay" | "list";
  /** Names of scenarios, or of mutants; all if empty. */
  readonly names: readonly string[];
  readonly preemptions: number | undefined;
  readonly kills: number | undefined;
  /** The most seconds for each scenario. */
  readonly seconds: number | undefined;
  readonly extent: "short" | "usual" | "long";
  readonly seed: number | undefined;
  readonly pct: boolean;
  readonly replay: string | undefined;
  /** Another checkout whose lib/ is explored. */
  readonly lib: string | undefined;
  /** A file for the table, in Markdown. */
  readonly table: string | undefined;
}

export const usage = `deno task explore [options]

  --scenario NAME,…   only these scenarios; a * stands for anything
  --preemptions N     instead of what each scenario says; Infinity for all schedules
  --kills N           likewise
  --seconds N         at most so long for each scenario, instead of ten minutes for all
  --short             one preemption, a minute for all
  --long              three preemptions, ten minutes for each
  --seed S            schedules by chance from this seed on, instead of depth first; --pct: by priorities
  --replay FILE       runs a schedule that failed again, and shows it step by step
  --mutants           looks whether bugs that are put in on purpose are found; --scenario names some
  --lib DIR           explores the lib/ of another checkout
  --table FILE        writes the table of results as Markdown
  --list              says which scenarios there are`;

/** Reads it; throws a TypeError that says what is wrong. */
export function parse(args: string[]): Options {
  const text = { type: "string" } as const, flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args,
    options: {
      ...{ scenario: text, preemptions: text, kills: text, seconds: text, seed: text },
      ...{ replay: text, lib: text, table: text },
      ...{ short: flag, long: flag, pct: flag, mutants: flag, list: flag },
    },
  });
  const mode = values.replay !== undefined
    ? "replay"
    : values.mutants
    ? "mutants"
    : values.list
    ? "list"
    : "search";
  return {
    mode,
    names: values.scenario?.split(",") ?? [],
    preemptions: numberOf("preemptions", values.preemptions),
    kills: numberOf("kills", values.kills),
    seconds: numberOf("seconds", values.seconds),
    extent: values.short ? "short" : values.long ? "long" : "usual",
    seed: numberOf("seed", values.seed),
    pct: values.pct === true,
    replay: values.replay,
    lib: values.lib,
    table: values.table,
  };
}

function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() !== "" && number >= 0) return number;
  throw new TypeError(`--${name} is "${value}". Give a number from 0 up.`);
}

/** Whether a name is one of those asked for. */
export function isAskedFor(name: string, { names }: Pick<Options, "names">): boolean {
  return names.length === 0 ||
    names.some((each) => new RegExp(`^${each.replaceAll("*", ".*")}$`).test(name));
}
