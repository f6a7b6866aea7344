// The runtimes that this package is tested on, and those that it must refuse: deno_versions.json lists them. npm has
// all of them; each is installed once, into a folder of its own.
//
// As a program it prints the path of one, or the list of tested versions of Deno:
//   deno run -A tools/runtimes.ts deno@2.9.4

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import versions from "./deno_versions.json" with { type: "json" };

/** The versions of Deno on which all tests must pass, the oldest first. */
export const tested: readonly string[] = versions.tested;

/** The runtimes that must be refused by one clear error, as npm names them. */
export const refused: readonly string[] = versions.refused;

// Deno's formatter, linter and tests skip this folder.
const folder = fileURLToPath(new URL("../node_modules/.runtimes/", import.meta.url));

/** Installs a runtime, as "deno@2.9.4", unless it is there already. Returns the path of its binary. */
export async function install(runtime: string): Promise<string> {
  const name = runtime.slice(0, runtime.lastIndexOf("@"));
  const prefix = join(folder, runtime), binary = join(prefix, "node_modules", ".bin", name);
  if (await runs(binary)) return binary;
  await Deno.mkdir(prefix, { recursive: true });
  await Deno.writeTextFile(join(prefix, "package.json"), '{ "private": true }\n');
  const npm = new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", runtime],
    cwd: prefix,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = await npm.output();
  if (!success || !await runs(binary)) {
    throw new Error(`npm can't install ${runtime}: ${new TextDecoder().decode(stderr)}`);
  }
  return binary;
}

async function runs(binary: string): Promise<boolean> {
  try {
    const command = new Deno.Command(binary, { args: ["--version"], stdin: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) {
  if (Deno.args.length === 0) console.log(tested.join("\n"));
  for (const runtime of Deno.args) console.log(await install(runtime));
}
