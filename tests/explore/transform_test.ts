// The transform preserves meaning: transformed code behaves as before, and code that can't be treated is refused.

import { forms } from "./forms.ts";
import { Kernel } from "./kernel/kernel.ts";
import { programOf, root } from "./program.ts";
import { Analysis } from "./transform/analysis.ts";
import { emit } from "./transform/emit.ts";
import { endLinker } from "./transform/link.ts";
import { readSources } from "./transform/source.ts";

Deno.test("forms of code give the same as they are and transformed", async () => {
  for (const checkpoints of [false, true]) {
    const program = await programOf("forms", checkpoints);
    const bounds = { preemptions: 0, kills: 0, cut: "outside", timeouts: 0, jumps: 0 } as const;
    const strategy = { choose: () => 0 };
    const { failure } = new Kernel({ program, name: "forms", bounds, strategy }).run();
    await endLinker();
    const expected = `gives ${await fresh()}`;
    if (failure !== expected) throw new Error(`transformed:\n${failure}\nas it is:\n${expected}`);
  }
});

/** Natively, in a module of its own, so that the words begin at 0. */
let copies = 0;
async function fresh(): Promise<string> {
  const module = await import(`./forms.ts?${copies++}`);
  return await (module.forms as typeof forms)();
}

/** The sites of a module. */
function transformed(text: string): string {
  const folder = Deno.makeTempDirSync();
  const file = `${folder}/module.ts`;
  Deno.writeTextFileSync(file, text);
  try {
    const options = { root: folder, constants: {}, models: {} };
    const [source] = readSources(file, options).values();
    const isPure = () => false;
    const analysis = new Analysis([source], isPure);
    const sites: string[] = [];
    emit(source, { analysis, sites, constants: {}, checkpoints: false, isPure });
    // What stands in a function is refused when that is called.
    return sites.join("\n");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const REFUSED: Record<string, string> = {
  "Atomics as a value": "const a = Atomics; export const f = () => a.load(x, 0);",
  "an operation that is no call": "export const load = Atomics.load;",
  "a destructured Atomics": "const { load } = Atomics;",
  "super in an arrow function that yields":
    "class A extends B { f = () => super.g(Atomics.load(x, 0)); }",
  "++ of an accessor": "class A { get n() { return Atomics.load(x, 0); } } a.n++;",
  "a compound assignment to a getter":
    "class A { get n() { return Atomics.load(x, 0); } } function f() { a.n += 1; }",
  "a sort with a comparison that yields": "list.sort((a, b) => Atomics.load(x, a));",
  "a generator function": "function* f() { yield Atomics.load(x, 0); }",
  "for await": "async function f() { for await (const a of b) Atomics.load(x, a); }",
  "await outside of a function": "await Atomics.load(x, 0);",
};

for (const [what, text] of Object.entries(REFUSED)) {
  Deno.test(`refused: ${what}`, () => {
    let refused: string;
    try {
      refused = transformed(text);
    } catch (error) {
      refused = String(error);
    }
    if (!/can't treat this truly/.test(refused)) throw new Error(`not refused, but: ${refused}`);
  });
}

Deno.test("an edit that doesn't apply exactly once is an error, and a missing constant too", () => {
  const file = `${root}/tests/explore/forms.ts`;
  const read = (from: string) =>
    readSources(file, {
      ...{ root, constants: {}, models: {} },
      edits: [{ file: "tests/explore/forms.ts", from, to: "" }],
    });
  for (const from of ["nowhere to be found", "next()"]) {
    let message = "";
    try {
      read(from);
    } catch (error) {
      message = (error as Error).message;
    }
    if (!/times, not once/.test(message)) throw new Error(`${from}: ${message}`);
  }
});
