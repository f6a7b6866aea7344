// A module that replaces time when it is imported in a child, as tests of users do: it installs fake
// timers, and freezes the clocks that those leave alone.

// deno-lint-ignore no-import-prefix
import FakeTimers from "npm:@sinonjs/fake-timers@15.0.0";
import { currentProcess, Event, Lock, Pipe, Process, type Queue, sleep } from "../../../mod.ts";

// Not in the test itself, which imports it for the types.
if (currentProcess().name !== "MainProcess") {
  FakeTimers.install();
  Date.now = () => 0;
  Date.prototype.getTime = () => 0;
  Object.defineProperty(globalThis, "performance", { value: { now: () => 0 } });
}

/** Waits with timeouts, sleeps, loops without waiting, and starts a process of its own. */
export async function work(queue: Queue<number>): Promise<unknown[]> {
  const answers: unknown[] = [];
  answers.push(await queue.get({ timeout: 5 }).catch((error) => error.name));
  try {
    queue.getSync({ timeout: 5 });
  } catch (error) {
    answers.push((error as Error).name);
  }
  answers.push(await new Event().wait({ timeout: 5 }));
  const lock = new Lock();
  await lock.acquire();
  answers.push(await lock.acquire({ timeout: 5 }), lock.acquireSync({ timeout: 5 }));
  const [here, there] = Pipe<number>();
  answers.push(await here.recv({ timeout: 5 }).catch((error) => error.name));
  await sleep(5);
  for (let i = 0; i < 1000; i++) await there.send(i).then(() => here.recv());
  const process = new Process({ target: () => new Promise(() => {}), by: "source" });
  process.start();
  answers.push(await process.join({ timeout: 5 }));
  process.terminate();
  answers.push(await process.join(), process.exitCode);
  const limited = new Process({
    target: () => {
      while (true);
    },
    by: "source",
    timeLimit: 50,
  });
  limited.start();
  answers.push(await limited.join(), limited.exitCode);
  return answers;
}

/** Never ends by itself. */
export async function endless(
  how: "burn" | "wait" | "block" | "idle",
  begun: Event,
  queue: Queue<number>,
): Promise<void> {
  begun.set();
  if (how === "burn") { while (true); }
  if (how === "wait") await queue.get({ timeout: 1e6 }).then(() => new Promise(() => {}));
  if (how === "block") { while (true) queue.getSync(); }
  await new Promise(() => {});
}

/** Fails. */
export function fail(): never {
  throw new RangeError("with faked time");
}
