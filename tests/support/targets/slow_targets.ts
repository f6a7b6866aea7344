// A module that takes a while to load.

import { currentTask } from "../../../mod.ts";

await new Promise((resolve) => setTimeout(resolve, 200));

export async function untilAborted(): Promise<void> {
  const { signal } = currentTask()!;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
