// Programs that a bundler has put into one module together with this library: targets are found as
// docs/targets.md says. The bundlers are npm packages.

import assert from "node:assert/strict";
// Not in deno.json, where running an example would have to resolve it.
// deno-lint-ignore no-import-prefix
import * as esbuild from "npm:esbuild@0.25.12";
import { checkProgram, PROGRAM } from "../support/target_table.ts";

const program = new URL(`../support/programs/${PROGRAM}`, import.meta.url);
const root = new URL("../../", import.meta.url);

/** What makes a bundle in a folder, and says where it is. */
type Bundler = (folder: string) => Promise<string>;

function byEsbuild(options: esbuild.BuildOptions): Bundler {
  return async (folder) => {
    await esbuild.build({
      entryPoints: [program.pathname],
      bundle: true,
      format: "esm",
      platform: "neutral",
      target: "esnext",
      external: ["node:*"],
      alias: { "@multiproc/multiprocessing": new URL("mod.ts", root).pathname },
      outdir: folder,
      logLevel: "error",
      ...options,
    });
    await esbuild.stop();
    return `${folder}/main.js`;
  };
}

function byDeno(...flags: string[]): Bundler {
  return async (folder) => {
    const bundle = `${folder}/bundle.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", ...flags, "--output", bundle, program.pathname],
      cwd: root,
      stdin: "null",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return bundle;
  };
}

const bundlers: Record<string, Bundler> = {
  "deno bundle": byDeno(),
  "deno bundle --minify": byDeno("--minify"),
  "esbuild": byEsbuild({}),
  "esbuild --minify": byEsbuild({ minify: true }),
  "esbuild --splitting": byEsbuild({ splitting: true }),
};

for (const [name, bundle] of Object.entries(bundlers)) {
  Deno.test({
    name: `targets of a program made by ${name} are found as the docs say`,
    // A bundler of npm keeps a process of its own.
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const url = `file://${await bundle(folder)}`;
        await checkProgram("bundled", [], [], url);
        await checkProgram("bundled, --allow-read", ["--allow-read"], [], url);
        await checkProgram("bundled, --allow-read", ["--allow-all"], [], url);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
