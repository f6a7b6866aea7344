// Links a file of scenarios into one function, which is evaluated once for each simulated process.

import * as esbuild from "esbuild";
import { Analysis } from "./analysis.ts";
import { emit } from "./emit.ts";
import { readSources, resolve, type Source, type SourceOptions } from "./source.ts";
import { compile, type Program } from "../kernel/environment.ts";

/** How a program is made. */
export interface LinkOptions extends SourceOptions {
  /** Beginnings of the paths of modules that never see shared memory. */
  readonly pure: readonly string[];
  readonly checkpoints: boolean;
}

/** The modules of Node that have models: what they export, of the kernel's $node. */
const NODE: Readonly<Record<string, string>> = {
  "node:worker_threads": "export const { BroadcastChannel, isMainThread, MessageChannel, " +
    "MessagePort, receiveMessageOnPort, SHARE_ENV, Worker, workerData, locks } = $node;",
  "node:process": "export default $node.process;",
  "node:util": "export const { types, inspect } = $node;",
  "node:buffer": "export const { Buffer } = $node;",
};

/** Makes a program of the scenarios in a file. */
export async function link(entry: string, options: LinkOptions): Promise<Program> {
  const isPure = ({ path }: { path: string }) => options.pure.some((each) => path.startsWith(each));
  const sources = readSources(entry, options);
  const analysis = new Analysis(sources.values(), isPure);
  const sites: string[] = [];
  const { checkpoints, constants } = options;
  const texts = new Map(
    [...sources].map(([file, source]) => [
      file,
      emit(source, { analysis, sites, constants, checkpoints, isPure }),
    ]),
  );
  const { outputFiles } = await esbuild.build({
    ...{ entryPoints: [entry], bundle: true, write: false, format: "iife", globalName: "$exports" },
    // As in any bundle: where it stands says nothing of the package.
    define: { "import.meta.url": '"file:///explored.js"' },
    ...{ target: "esnext", treeShaking: true, logLevel: "silent" },
    plugins: [{
      name: "explorer",
      setup(build) {
        build.onResolve({ filter: /^node:/ }, ({ path }) => {
          return { path, namespace: "model" };
        });
        build.onResolve({ filter: /^\./ }, ({ path, importer }) => ({
          path: resolve(importer, path, options),
        }));
        build.onLoad({ filter: /.*/, namespace: "model" }, ({ path }) => ({
          contents: NODE[path] ?? unmodelled(path, sources.values()),
          loader: "js",
        }));
        build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
          contents: texts.get(path),
          loader: "js",
        }));
      },
    }],
  });
  return { factory: compile(outputFiles[0].text), sites };
}

/** A module of Node without a model: what is imported from it can't be called. */
function unmodelled(specifier: string, sources: Iterable<Source>): string {
  const names = new Set<string>();
  for (const { program } of sources) {
    for (const statement of program.body) {
      if (statement.type !== "ImportDeclaration" || statement.source.value !== specifier) continue;
      for (const { type, ...each } of statement.specifiers) {
        if (type === "ImportDefaultSpecifier") names.add("default");
        const imported = "imported" in each ? each.imported : undefined;
        if (imported?.type === "Identifier") names.add(imported.name);
      }
    }
  }
  const stub = (name: string) => `function () { $unmodelled("${specifier}: ${name}"); }`;
  return [...names].map((name) =>
    name === "default" ? `export default ${stub(name)};` : `export const ${name} = ${stub(name)};`
  ).join("\n");
}

/** Ends the linker's process. */
export async function endLinker(): Promise<void> {
  await esbuild.stop();
}
