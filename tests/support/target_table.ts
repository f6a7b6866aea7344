// The table of docs/targets.md, which tests compare with the behaviour of a program.

import assert from "node:assert/strict";
import { run } from "./programs.ts";

/** What a cell of the table says. */
type Cell = "by reference" | "by source" | "error";

/** The program whose lines are the rows of the table. */
export const PROGRAM = "targets/main.ts";

/** The column of the table with this title, by the forms of functions. */
export async function column(title: string): Promise<Map<string, Cell>> {
  const page = await Deno.readTextFile(new URL("../../docs/targets.md", import.meta.url));
  const rows = page.split("\n").filter((line) => line.startsWith("|")).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  const [titles, , ...forms] = rows;
  const index = titles.indexOf(title);
  assert.ok(index > 0, `docs/targets.md has no column "${title}"`);
  return new Map(forms.map((row) => [row[0], row[index] as Cell]));
}

/** Holds what the program printed against a column. */
export async function check(lines: readonly string[], title: string): Promise<void> {
  const outcomes = lines.map((line) => JSON.parse(line) as [string, unknown]);
  const found = new Map(outcomes.map(([form, outcome]) => [form, cellOf(form, outcome)]));
  assert.deepEqual(found, await column(title));
}

function cellOf(form: string, outcome: unknown): Cell {
  if (Array.isArray(outcome)) {
    const [value, way] = outcome;
    assert.equal(value, 4, `"${form}" has run another function`);
    return way;
  }
  const text = `${outcome}`;
  // Which of both ways was tried, and what failed: names from outside, no text.
  assert.match(text, /^error: .*(is outside of it|has no source text|by reference)/, form);
  assert.match(text, /by: "|target: "/, `"${form}" is told no way out: ${text}`);
  return "error";
}

/** Runs the program with these flags and arguments, and holds it against a column. */
export async function checkProgram(
  title: string,
  flags: readonly string[],
  args: readonly string[] = [],
  program: string = PROGRAM,
): Promise<void> {
  const { code, out, errors } = await run(program, args, ["--no-prompt", ...flags]);
  assert.deepEqual({ code, errors }, { code: 0, errors: "" });
  await check(out, title);
}
