// Writes lib/target/bundle_text.ts: this package as one module in text form, which children by
// source run from (see lib/target/bundle.ts). With --check it writes nothing, and fails if the
// file isn't current.
//
// Only this tool imports the bundler: the bundle is committed, and the library has no dependency.

// Imported here and not in deno.json, where running an example would have to resolve it.
// deno-lint-ignore no-import-prefix
import * as esbuild from "npm:esbuild@0.25.12";

const root = new URL("../", import.meta.url);

/** Empties bundle_text.ts in the bundle, which would contain itself otherwise; empty means "look at my URL". */
const withoutItself: esbuild.Plugin = {
  name: "without-itself",
  setup(build) {
    build.onLoad({ filter: /bundle_text\.ts$/ }, () => ({
      contents: `export const core = "", rest = []; export const exportNames = EXPORT_NAMES; ` +
        `export const localNames = LOCAL_NAMES; export const redisNames = REDIS_NAMES;`,
    }));
    // The bundle contains all modules of the graph.
    build.onLoad({ filter: /module_graph\.ts$/ }, () => ({ contents: "" }));
  },
};

/** The exports of a module. The module isn't imported, because its generated parts may not exist yet. */
async function exportsOf(module: string): Promise<string[]> {
  const { metafile } = await esbuild.build({
    entryPoints: [new URL(module, root).pathname],
    ...{ bundle: true, write: false, metafile: true, format: "esm", external: ["node:*"] },
    plugins: [withoutItself],
  });
  return Object.values(metafile.outputs)[0].exports.sort();
}

interface Bundle {
  /** The text that every child runs from. */
  core: string;
  /** The text of the rest, which imports `core`, in parts: the URL of `core` belongs between them. */
  rest: string[];
  /** The exports of mod.ts, and those of local.ts. */
  exportNames: string[];
  localNames: string[];
  /** Those of lib/redis/core.ts. */
  redisNames: string[];
}

async function bundle(): Promise<Bundle> {
  const exportNames = await exportsOf("mod.ts"), localNames = await exportsOf("local.ts");
  const redisNames = await exportsOf("lib/redis/core.ts");
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: `import "./lib/target/bundle_rest.ts"; export * from "./mod.ts"; ` +
        `export { boot } from "./lib/child/boot.ts"; export { serve } from "./lib/pool/serve.ts"; ` +
        `export { keep } from "./lib/bridge/keeper.ts"; ` +
        `export * as multiprocessing$os from "./lib/child/os_process.ts"; ` +
        `export { listenForDump } from "./lib/inspect/listen.ts"; ` +
        `export { serveInspections } from "./lib/monitor/server.ts"; ` +
        `export { serveMonitor as multiprocessing$serveMonitor } from "./lib/monitor/in_child.ts"; ` +
        `export * as multiprocessing$child from "./lib/child/boot.ts"; ` +
        `export * as multiprocessing$local from "./local.ts"; ` +
        `export * as multiprocessing$redis from "./lib/redis/core.ts";`,
      resolveDir: root.pathname,
      sourcefile: "rest.ts",
      loader: "ts",
    },
    // The core consists of the modules that both have in common.
    entryPoints: { core: new URL("lib/child/boot.ts", root).pathname },
    outdir: "/",
    splitting: true,
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    charset: "ascii",
    legalComments: "none",
    minifyWhitespace: true,
    minifySyntax: true,
    external: ["node:*"],
    define: {
      EXPORT_NAMES: JSON.stringify(exportNames),
      LOCAL_NAMES: JSON.stringify(localNames),
      REDIS_NAMES: JSON.stringify(redisNames),
    },
    plugins: [withoutItself],
  });
  const common = outputFiles.filter(({ path }) => path.includes("chunk-"));
  if (common.length !== 1) throw new Error(`${common.length} chunks, not 1`);
  const [{ path, text: core }] = common;
  const text = outputFiles.find(({ path }) => path.endsWith("stdin.js"))!.text;
  const rest = text.split(`"./${path.slice(path.lastIndexOf("/") + 1)}"`);
  if (!/[{,]boot[,}]/.test(core.slice(core.lastIndexOf("export{")))) {
    throw new Error("What both have in common doesn't export boot by its name.");
  }
  return { core, rest, exportNames, localNames, redisNames };
}

const { core, rest, exportNames, localNames, redisNames } = await bundle();
await esbuild.stop();
const source =
  `// Generated from the modules of this package by \`deno task generate\`. Do not edit.
// deno-fmt-ignore-file

export const exportNames: readonly string[] = ${JSON.stringify(exportNames)};

export const localNames: readonly string[] = ${JSON.stringify(localNames)};

export const redisNames: readonly string[] = ${JSON.stringify(redisNames)};

export const core: string = ${JSON.stringify(core)};

export const rest: readonly string[] = ${JSON.stringify(rest)};
`;

// The same text as modules: Deno keeps their compiled code from one run of a program to the next.
const header =
  `// Generated from the modules of this package by \`deno task generate\`. Do not edit.
// @ts-nocheck the sources are checked
`;
const files: [path: string, content: string][] = [
  ["lib/target/bundle_text.ts", source],
  ["lib/target/bundle/core.js", `${header}${core}`],
  ["lib/target/bundle/rest.js", `${header}${rest.join('"./core.js"')}`],
];

for (const [path, content] of files) {
  const url = new URL(path, root);
  if (!Deno.args.includes("--check")) {
    await Deno.mkdir(new URL("./", url), { recursive: true });
    await Deno.writeTextFile(url, content);
  } else if (await Deno.readTextFile(url).catch(() => "") !== content) {
    console.error(`${path} is not current. Run \`deno task generate\`.`);
    Deno.exit(1);
  }
}
