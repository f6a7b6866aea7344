// The runtimes that this package runs in, and the error in all others. `deno task test:versions` shows it in
// those runtimes themselves.

import assert from "node:assert/strict";
import "../../mod.ts";
import { explainUnsupported, OLDEST_DENO, ownRuntime } from "../../lib/platform/requirements.ts";
import versions from "../../tools/deno_versions.json" with { type: "json" };

const granted = Deno.permissions.querySync({ name: "read" }).state === "granted";
const root = new URL("../../", import.meta.url);

Deno.test("this Deno has all that is needed", () => {
  assert.deepEqual(ownRuntime(), { versions: { deno: Deno.version.deno }, missing: [] });
  assert.equal(explainUnsupported(ownRuntime()), undefined);
});

Deno.test("what a runtime has decides, and not its version", () => {
  for (const deno of ["1.46.3", "2.9.3", "2.9.4", "2.10.0", "3.0.0-rc.1"]) {
    assert.equal(explainUnsupported({ versions: { deno }, missing: [] }), undefined);
  }
});

const TOLD: [versions: Record<string, string>, message: RegExp][] = [
  [{ deno: "2.9.3" }, /this is Deno 2\.9\.3, which lacks THIS\. Run `deno upgrade`; /],
  [{ deno: "2.9.4-rc.2" }, /this is Deno 2\.9\.4-rc\.2, which lacks THIS/],
  [{ deno: "2.10.0" }, /this is Deno 2\.10\.0, which lacks THIS\. Run a version that its README/],
  [{ deno: "10.0.0" }, /this is Deno 10\.0\.0, .* `deno upgrade 2\.9\.4`\.$/],
  [{ deno: "1.46.3" }, /this is Deno 1\.46\.3, .* `npm install deno@latest`\.$/],
  [{ node: "24.1.0" }, /this is Node\.js 24\.1\.0\. Run the program with Deno/],
  [{ node: "24.3.0", bun: "1.4.5" }, /this is Bun 1\.4\.5\. Run the program with Deno/],
  [{}, /this is another runtime\. Run the program with Deno/],
];

for (const [versions, message] of TOLD) {
  Deno.test(`a runtime that lacks something is told: ${JSON.stringify(versions)}`, () => {
    const told = explainUnsupported({ versions, missing: ["THIS"] })!;
    assert.match(told, message);
    assert.ok(told.startsWith(`@multiproc/multiprocessing needs Deno ${OLDEST_DENO} or later, `));
  });
}

/** What Deno 1.46.3 exports, of what is imported by name. What is newer is read from the namespace. */
const EVERYWHERE: Record<string, string[]> = {
  "node:worker_threads": [
    ...["BroadcastChannel", "isMainThread", "MessageChannel", "parentPort", "receiveMessageOnPort"],
    ...["SHARE_ENV", "Worker", "workerData"],
  ],
  "node:util": ["inspect", "types"],
  "node:buffer": ["Buffer"],
  "node:events": ["EventEmitter"],
  "node:async_hooks": ["AsyncLocalStorage"],
  "node:url": ["fileURLToPath", "pathToFileURL"],
};

/** The modules of this package, and what they import by name from Deno. */
async function* namedImports(
  folder: URL,
): AsyncGenerator<[path: string, from: string, name: string]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* namedImports(url);
    else if (name.endsWith(".ts") && name !== "bundle_text.ts") {
      const text = await Deno.readTextFile(url);
      const imports = text.matchAll(/^import (type )?(?:\w+, )?\{([^}]*)\} from "(node:\w+)";$/gm);
      for (const [, isType, names, from] of imports) {
        for (const named of isType ? [] : names.split(",")) {
          const [imported] = named.trim().split(" as ");
          if (imported !== "" && !imported.startsWith("type ")) {
            yield [url.pathname, from, imported];
          }
        }
      }
    }
  }
}

Deno.test({
  name: "nothing is imported by name that an older Deno doesn't export (needs --allow-read)",
  ignore: !granted,
  fn: async () => {
    let found = 0;
    for await (const [path, from, name] of namedImports(new URL("lib/", root))) {
      found++;
      assert.ok(
        EVERYWHERE[from]?.includes(name),
        `${path} imports ${name} from ${from}: a link error on a Deno without it would come before ` +
          "the error that says what is needed. Import the namespace, or add it here once " +
          "`deno task test:versions --refused` has passed.",
      );
    }
    assert.ok(found > 10, `only ${found} found`);
  },
});

Deno.test({
  name: "mod.ts looks at the runtime first of all (needs --allow-read)",
  ignore: !granted,
  fn: async () => {
    const text = await Deno.readTextFile(new URL("mod.ts", root));
    const [first] = text.match(/^(?:import|export)\b[^;]*;/m)!;
    assert.equal(first, 'import "./lib/platform/requirements.ts";');
    const requirements = await Deno.readTextFile(new URL("lib/platform/requirements.ts", root));
    const imports = requirements.match(/^import .*$/gm);
    assert.deepEqual(imports, ['import * as threads from "node:worker_threads";']);
  },
});

Deno.test("the oldest version that is tested is the one that is asked for", () => {
  assert.equal(versions.tested[0], OLDEST_DENO);
});

Deno.test({
  name: "both READMEs list the versions that are tested (needs --allow-read)",
  ignore: !granted,
  fn: async () => {
    for (const readme of ["README.md", "README.zh-CN.md"]) {
      const text = await Deno.readTextFile(new URL(readme, root));
      const { groups } =
        /(?:all tests pass on (?<list>[\d., and]+\d)|在 (?<sole>[\d.、]+) 上全部测试通过)/
          .exec(text)!;
      const listed = (groups!.list ?? groups!.sole).split(/, | and |、/);
      assert.deepEqual(listed, versions.tested, readme);
      assert.ok(text.includes(`Deno ${OLDEST_DENO} `), readme);
      assert.ok(text.includes(`npx -y deno@${versions.tested.at(-1)} run `), readme);
      for (const [, version] of text.matchAll(/deno@([\d.]+)/g)) {
        assert.ok(versions.tested.includes(version), `${readme} names deno@${version}`);
      }
    }
  },
});
