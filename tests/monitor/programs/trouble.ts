// Two processes that take two locks in opposite order, one that was killed, a queue that is full, a hostile name, and
// a pool whose items say what must not be shown. It prints the URL of its monitor, and lives until it is ended.

import { detectDeadlocks, Lock, Pool, Process, Queue, RLock, sleep } from "../../../mod.ts";
import { serveMonitor } from "../../../monitor.ts";

export async function takeBoth(mine: Lock, other: Lock, both: Queue<string>) {
  await mine.acquire();
  await both.put("secret item");
  await both.put("secret item");
  while (both.qsize() < 4) await sleep(10);
  await other.acquire();
}

export function sitAround() {
  return sleep(600_000);
}

export async function fill(queue: Queue<string>) {
  for (;;) await queue.put("secret item");
}

export const hostile = `<img src=x onerror="document.title='injected'">"'&`;

export const square = (n: { secret: number }) => n.secret ** 2;

if (import.meta.main) {
  detectDeadlocks({ awaited: "off" });
  const monitor = await serveMonitor();
  const one = new Lock(), other = new RLock() as unknown as Lock;
  const both = new Queue<string>({ name: "both" });
  const bounded = new Queue<string>({ name: `full ${hostile}`, maxSize: 3 });
  const start = (target: (...args: never[]) => unknown, name: string, args: unknown[] = []) => {
    const process = new Process({ target, name, args: args as never[] });
    process.start();
    return process;
  };
  start(takeBoth, "left", [one, other, both]);
  start(takeBoth, "right", [other, one, both]);
  start(fill, "filler", [bounded]);
  start(sitAround, hostile);
  const killed = start(sitAround, "victim");
  await sleep(300);
  killed.kill();
  await killed.join();
  const pool = new Pool({ processes: 2, name: "squares" });
  await pool.map(square, [1, 2, 3].map((secret) => ({ secret })));
  console.log(monitor.url);
}
