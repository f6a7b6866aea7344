// A pool in a process that was handed it, where the pipe between them fails: every task gets an outcome.

import assert from "node:assert/strict";
import { Pipe, Pool, Process, Queue } from "../../mod.ts";
import { endpointOf } from "../../lib/pipe/connection.ts";
import { RUN } from "../../lib/pool/protocol.ts";
import type { Executor } from "../../lib/pool/executor.ts";
import type { FunctionTable } from "../../lib/pool/functions.ts";
import { RemoteClient, RemoteExecutor } from "../../lib/pool/remote.ts";
import { type ItemFailure, Unit } from "../../lib/pool/unit.ts";
import { testInFull } from "../support/length.ts";

testInFull("a task is cancelled after its pool, and before that is known", async () => {
  const begun = new Queue<number>(), go = new Queue<number>();
  const pool = new Pool({ processes: 1 });
  await using process = new Process({
    target: async (pool: Pool, begun: Queue<number>, go: Queue<number>) => {
      const task = pool.submit(() => new Promise((_) => setInterval(() => {}, 60_000)));
      begun.putSync(1);
      go.getSync();
      return [task.cancel("enough"), await task.result().catch(({ name }) => name)];
    },
    args: [pool, begun, go],
  });
  process.start();
  await begun.get();
  pool.terminate();
  await go.put(1);
  assert.deepEqual(await process.result(), [true, "CancelledError"]);
  await pool.join();
});

/** A unit of one call, and the failure that it ends with. */
function unitOf(executor: RemoteExecutor): { unit: Unit; failed: Promise<ItemFailure> } {
  const { promise: failed, resolve } = Promise.withResolvers<ItemFailure>();
  const unit: Unit = new Unit({
    client: {
      returned: () => assert.fail("it has returned"),
      failed: (_, failure) => {
        executor.settled(unit);
        resolve(failure);
      },
    },
    options: { priority: 0, timeLimit: undefined, retries: 0, transfer: [], name: undefined },
    call: { id: 1, name: "next", travel: {} } as Unit["call"],
    ...{ type: RUN, isSpread: true, id: 1, first: 0, items: [[]] },
  });
  return { unit, failed };
}

const unsendable: Record<string, (unit: Unit) => void> = {
  result: ({ client, first }) => client.returned(first, () => "no message"),
  "value of a generator": ({ client }) => client.yielded!(() => "no message"),
};

for (const [what, submit] of Object.entries(unsendable)) {
  Deno.test(`a ${what} that can't be sent to the process is an error there`, async () => {
    const [here, there] = Pipe();
    const executor = new RemoteExecutor(here, 1);
    const owner = { submit, cancel() {}, settled() {} } as unknown as Executor;
    const functions = { add: () => ({}) } as unknown as FunctionTable;
    const client = new RemoteClient(there, owner, functions, () => 1, () => {}, () => {});
    const { unit, failed } = unitOf(executor);
    executor.submit(unit);
    const { how, cause } = await failed;
    assert.equal(how, "threw");
    assert.match((cause as Error).message, /is a function/);
    client.close();
    await executor.until(() => true);
  });
}

Deno.test("an answer that can't be read fails the tasks that wait for answers", async () => {
  const [here, there] = Pipe();
  const executor = new RemoteExecutor(here, 1);
  const { unit, failed } = unitOf(executor);
  executor.submit(unit);
  endpointOf(there).trySend(null, []);
  assert.equal((await failed).how, "ended");
  assert.throws(() => executor.submit(unit), { name: "InvalidStateError" });
  there.close();
});
