// Runs the examples of the documentation as programs, and compares their output with the output they state.
// (`deno test --doc` runs them too, each inside of a test: there `import.meta.main` is false, and code under it is
// only type-checked.)
//
// An example states its output in a comment after a console.log(), as it is printed; more than one line is written
// `// one, then two`. Processes may print in another order.

import assert from "node:assert/strict";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../tests/support/programs.ts";

const root = new URL("../", import.meta.url);
const config = fileURLToPath(new URL("deno.json", root));

/** The part of the output of `deno doc --json` that is used. */
interface Documented {
  jsDoc?: { tags?: { kind: string; doc?: string }[] };
}
interface Member extends Documented {
  name?: string;
}
interface Declaration extends Documented {
  kind: string;
  location: { filename: string };
  def?: Record<string, unknown>;
}
interface Documentation {
  nodes: Record<string, {
    module_doc?: Documented["jsDoc"];
    symbols: { name: string; declarations: Declaration[] }[];
  }>;
}

async function documentation(): Promise<Documentation> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "mod.ts", "local.ts"],
    cwd: root,
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The examples that are programs; those that can't be run are left out. */
function programsOf({ jsDoc }: Documented): string[] {
  const examples = (jsDoc?.tags ?? []).filter(({ kind }) => kind === "example");
  return examples.flatMap(({ doc = "" }) =>
    [...doc.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, program]) => program)
  );
}

/** The members of a class or an interface. */
function membersOf({ def = {} }: Declaration): Member[] {
  return Object.values(def).filter(Array.isArray).flat();
}

/** The lines of output that a program states. */
function linesOf(program: string): string[] {
  const comments = program.matchAll(/console\.log\(.*\)[;,]? \/\/ (.*)$/gm);
  return [...comments].flatMap(([, comment]) => comment.split(", then "));
}

/** Runs a program with the permission to read, so that targets travel by reference, and with none: by source. */
async function runProgram(program: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const path = relative(fileURLToPath(new URL("tests/support/programs", root)), file);
    const rights = [["--allow-read"]];
    if (program.includes("import.meta.main")) rights.push([]);
    const runs = rights.map((right) => run(path, [], ["--config", config, ...right]));
    for (const { code, out, errors } of await Promise.all(runs)) {
      assert.deepEqual({ code, errors }, { code: 0, errors: "" });
      for (const line of linesOf(program)) {
        const at = out.indexOf(line);
        assert.ok(at >= 0, `It doesn't print "${line}", but:\n${out.join("\n")}`);
        out.splice(at, 1);
      }
    }
  } finally {
    await Deno.remove(file);
  }
}

function testExamples(name: string, documented: Documented): void {
  for (const program of programsOf(documented)) {
    Deno.test(`the example of ${name} prints what it says`, () => runProgram(program));
  }
}

const { nodes } = await documentation();
for (const [file, { module_doc, symbols }] of Object.entries(nodes)) {
  const module = file.slice(root.href.length);
  testExamples(module, { jsDoc: module_doc });
  for (const { name, declarations } of symbols) {
    const own = declarations.filter(({ kind }) => kind !== "reference");
    for (const declaration of own) {
      const path = `${name} (${declaration.location.filename.slice(root.href.length)})`;
      testExamples(path, declaration);
      for (const member of membersOf(declaration)) {
        testExamples(`${member.name} of ${path}`, member);
      }
    }
  }
  Deno.test(`everything that ${module} exports has an example`, () => {
    const without = symbols.filter(({ declarations }) =>
      !declarations.some((it) => it.kind === "reference" || programsOf(it).length > 0)
    );
    assert.deepEqual(without.map(({ name }) => name), []);
  });
}
