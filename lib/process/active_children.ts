import { livingChildren } from "./children.ts";
import type { Process } from "./process.ts";

/**
 * The processes that this process has started and that have not ended. Python's
 * `multiprocessing.active_children()`.
 *
 * @example
 * ```ts
 * import { activeChildren, Process, sleep } from "@multiproc/multiprocessing";
 *
 * export const target = () => sleep(Infinity);
 *
 * if (import.meta.main) {
 *   for (let i = 0; i < 2; i++) new Process({ target }).start();
 *   console.log(activeChildren().map(({ name }) => name).join()); // Process-1,Process-2
 *   for (const child of activeChildren()) child.terminate();
 * }
 * ```
 */
export function activeChildren(): Process[] {
  return livingChildren() as Process[];
}
