// The supervisor of a process: its states, and that a starter learns of every end from shared memory.

import assert from "node:assert/strict";
import { MessageChannel } from "node:worker_threads";
import { Process, sleep } from "../../mod.ts";
import { spawn } from "../../lib/host/spawn.ts";
import { hosted, type Supervisor } from "../../lib/host/supervisor.ts";
import { ControlBlock, ExitRecord } from "../../lib/liveness/control_block.ts";
import { ownProcessTable, ownRef } from "../../lib/liveness/membership.ts";
import { errorLeft, newCrashReport } from "../../lib/protocol/crash_report.ts";
import type { SpawnRequest } from "../../lib/protocol/spawn_request.ts";

const order = ["starting", "running", "stopping", "ending", "ended", "gone"];

/** The states that a supervisor passes through, as they are seen every millisecond. */
async function statesOf(supervisor: Supervisor): Promise<string[]> {
  const seen: string[] = [supervisor.state];
  while (supervisor.state !== "gone") {
    if (supervisor.state !== seen.at(-1)) seen.push(supervisor.state);
    await sleep(1);
  }
  return [...seen, "gone"];
}

function started(options: ConstructorParameters<typeof Process>[0]): [Process, Supervisor] {
  const process = new Process(options);
  process.start();
  return [process, hosted.get(process.pid!)!];
}

for (const permissions of ["inherit", "none"] as const) {
  Deno.test(`a process with permissions ${permissions} only goes forward to gone`, async () => {
    const ends: [(process: Process) => void, number][] = [
      [() => {}, 0],
      [(process) => process.terminate(), -15],
    ];
    for (const [end, exitCode] of ends) {
      const target = exitCode === 0 ? () => {} : () => new Promise(() => setTimeout(() => {}, 1e6));
      const [process, supervisor] = started({ target, by: "source", permissions });
      assert.equal(supervisor.state, "starting");
      const states = statesOf(supervisor);
      end(process);
      await process.join();
      assert.equal(process.exitCode, exitCode);
      const ranks = (await states).map((state) => order.indexOf(state));
      assert.deepEqual(ranks, ranks.toSorted((a, b) => a - b));
      assert.equal(new Set(ranks).size, ranks.length);
    }
  });
}

Deno.test("a process with a time limit is running once its modules are loaded", async () => {
  const [process, supervisor] = started({
    target: () => new Promise(() => setTimeout(() => {}, 1e6)),
    by: "source",
    timeLimit: 1e6,
  });
  while (supervisor.state === "starting") await sleep(1);
  assert.equal(supervisor.state, "running");
  process.kill();
  await process.join();
});

/** A request for a worker with this main module, as a starter makes it. */
function requestOf(main: string): SpawnRequest {
  const table = ownProcessTable(), control = new ControlBlock();
  const child = {
    identity: { name: "by hand", pid: table.newPid(), lineage: [1], daemon: false },
    self: table.registerProcess("by hand", ownRef()),
    control: control.words,
    giveUp: [],
  } as unknown as SpawnRequest["child"];
  const { port1, port2 } = new MessageChannel();
  port1.close();
  const exit = control.exitRecord().words, crashReport = newCrashReport();
  return { child, port: port2, owner: 0, exit, crashReport, main, grants: undefined };
}

/** The exit record of a process that has ended, which no pending wait keeps the program alive for. */
async function ended(request: SpawnRequest): Promise<ExitRecord> {
  const record = new ExitRecord(request.exit);
  let isTold = false;
  record.untilExited().then(() => isTold = true);
  while (!isTold) await sleep(1);
  return record;
}

Deno.test("why a worker couldn't run is in the crash report when the exit record says that it ended", async () => {
  const request = requestOf(`data:text/javascript,throw new TypeError("can't begin")`);
  spawn(request);
  const record = await ended(request);
  assert.equal(record.exitCode(), 1);
  assert.match(String(errorLeft(request.crashReport)), /can't begin/);
});

Deno.test("a process that was told to end before its host got to it has an exit record, too", async () => {
  const request = requestOf("data:text/javascript,");
  new ControlBlock(request.child.control).requestKill(9);
  spawn(request);
  const record = await ended(request);
  assert.equal(record.exitCode(), -9);
  assert.equal(hosted.has(request.child.identity.pid), false);
});
