// Processes that start processes: see queue_targets.ts for the terms.

import { type Connection, Process } from "../../../mod.ts";
import type { At, States } from "../states.ts";

/** What a child is given: it sends back what it receives on the first, and does nothing with the other. */
export type Ends = [echo: Connection<string>, witness: Connection<string>];

/**
 * Starts a daemon, a child that isn't one, and, if ends are left, a child that does the same with them.
 * May kill its daemon. Stays then, unless it is a child itself.
 */
export async function nest(
  words: Int32Array,
  at: At,
  is: States,
  ends: Ends[],
  killAfter: number,
  isSync: boolean,
  stays: boolean,
): Promise<void> {
  async function echo([connection]: Ends) {
    await connection.send("up");
    for await (const message of connection) await connection.send(message);
  }
  const [first, second, ...others] = ends;
  if (stays) Atomics.store(words, at.state, is.nesting);
  const daemon = new Process({ target: echo, args: [first], by: "source", daemon: true });
  daemon.start();
  Atomics.add(words, at.extra, 1);
  new Process({ target: echo, args: [second], by: "source", daemon: false }).start();
  Atomics.add(words, at.extra, 1);
  if (others.length > 0) {
    new Process({
      target: nest,
      args: [words, at, is, others, -1, isSync, false],
      by: "source",
      daemon: false,
    }).start();
    Atomics.add(words, at.extra, 1);
  }
  if (killAfter >= 0) {
    await new Promise((resolve) => setTimeout(resolve, killAfter));
    daemon.kill();
    if (isSync) daemon.joinSync();
    else await daemon.join();
    if (daemon.exitCode !== -9) Atomics.add(words, at.wrong, 1);
    Atomics.add(words, at.done, 1);
  }
  if (!stays) return;
  Atomics.store(words, at.state, isSync ? is.spinning : is.async);
  while (isSync);
  await new Promise(() => setInterval(() => {}, 1000));
}
