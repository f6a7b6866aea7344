// A message of a worker that can't be read: the wait for its messages learns of it, wherever it is met first.

import assert from "node:assert/strict";
import { Pipe } from "../../mod.ts";
import type { SentUnits } from "../../lib/pool/sent_units.ts";
import { TimeLimits } from "../../lib/pool/time_limits.ts";
import { WorkerLink } from "../../lib/pool/worker_link.ts";
import { eventually } from "../../lib/wait/operation.ts";

Deno.test("a look at a message that can't be read throws nothing, and ends the wait for messages", async () => {
  const [here, there] = Pipe();
  const unreadable = new Error("no message");
  const hear = () => {
    throw unreadable;
  };
  const link = new WorkerLink(here, { hear, maySpin: () => false });
  const waiting = eventually(link.polling).catch((error) => error);
  link.look();
  link.look();
  assert.equal(await waiting, unreadable);
  link.close();
  there.close();
});

Deno.test("a unit reaches its time limit though the last message of its worker can't be read", () => {
  const unit = { options: { timeLimit: 1 } };
  const entries = [[0, unit]];
  const board = {
    look: () => ({ claim: "claimed", item: 0 }),
    running: () => 2,
    stop: () => true,
  };
  const reached: unknown[] = [];
  const limits = new TimeLimits(
    { units: { entries }, board } as unknown as SentUnits,
    () => assert.fail("no message"),
    (_, unit) => {
      reached.push(unit);
      entries.pop();
    },
  );
  assert.equal(limits.check(), Infinity);
  assert.deepEqual(reached, [unit]);
});
