// The task of the chaos of pools: it notes each of its runs in a file before it works.

import { currentTask } from "../../../mod.ts";

/** A run, as it is noted and returned. */
export type Run = [id: number, attempt: number];

/** Takes `ms`, and says which attempt this was. */
export async function note(file: string, id: number, ms: number): Promise<Run> {
  const { attempt } = currentTask()!;
  Deno.writeTextFileSync(file, `${id} ${attempt}\n`, { append: true });
  await new Promise((resolve) => setTimeout(resolve, ms));
  return [id, attempt];
}

/** The same, as the items of a map are given. */
export function noteItem(item: { file: string; id: number; ms: number }): Promise<Run> {
  return note(item.file, item.id, item.ms);
}
