// Starts a process, and says when it begins and has ended, so that what Deno logs between the two is the process's.

import { Process } from "../../../mod.ts";

export const nothing = (): void => {};

export const usesCommand = (): void => void Deno.Command;

if (import.meta.main) {
  const [name, options] = Deno.args;
  const target = name === "nothing" ? nothing : usesCommand;
  const process = new Process({ target, ...JSON.parse(options) });
  console.error("begins");
  process.start();
  await process.join();
  console.error("has ended");
  Deno.exit(process.exitCode!);
}
