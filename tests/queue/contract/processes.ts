// A queue that is given to processes: each item is got once, in the order of its producer, whatever happens to
// the processes. A queue that can't be given says so.

import assert from "node:assert/strict";
import { Pipe, Process, Queue, wait, waitNowait } from "../../../mod.ts";
import { inFull } from "../../support/length.ts";
import * as targets from "../../support/targets/contract_targets.ts";
import { bound, type Contract, says, type Tested, turn } from "./implementation.ts";

export function processes(contract: Contract): void {
  const { can, implementation, make, test } = contract;
  const module = implementation.module ?? targets.here;
  const faces = can.blocking ? ["async", "sync"] as const : ["async"] as const;
  if (can.processes) between();
  else alone();

  function between(): void {
    test("processes put and get, by both faces: each item once, in its producer's order", async () => {
      const count = can.leases ? 1000 : inFull(10_000, 500), queue = make<targets.Item>();
      const consumers = faces.map((face) =>
        new Process({ target: targets.take, args: [queue, face], module })
      );
      const producers = faces.map((face, id) =>
        new Process({ target: targets.give, args: [queue, id, count, face], module })
      );
      for (const process of [...consumers, ...producers]) process.start();
      for (const process of producers) await process.result();
      for (const _ of consumers) await queue.put(null);
      const got: [number, number][][] = [];
      for (const process of consumers) got.push(await process.result(bound));
      const all = got.flat().map(([id, i]) => id * count + i).toSorted((a, b) => a - b);
      assert.deepEqual(all, Array.from({ length: faces.length * count }, (_, i) => i));
      for (const mine of got) {
        for (const id of faces.keys()) {
          const own = mine.filter((item) => item[0] === id).map((item) => item[1]);
          assert.deepEqual(own, own.toSorted((a, b) => a - b));
        }
      }
      if (!can.leases) assert.equal(await queue.empty(), true);
    });

    test("a process that waits is woken by a put here, and the other way round", async () => {
      const there = make<targets.Item>(), here = make<targets.Item>();
      await using process = new Process({ target: targets.echo, args: [there, here], module });
      process.start();
      for (let i = 0; i < inFull(200, 50); i++) {
        const answer = here.get(bound);
        await there.put([0, i]);
        assert.deepEqual(await answer, [0, i]);
      }
    });

    test("a process that is killed while it waits takes no item with it", async () => {
      for (const face of faces) {
        const queue = make<targets.Item>(), said = new Queue<string>();
        const victim = new Process({ target: targets.say, args: [queue, said, face], module });
        victim.start();
        // It has one and waits for the next.
        await queue.put([0, 0]);
        await said.get(bound);
        const mine = queue.get(bound);
        victim.kill();
        await victim.join(bound);
        await queue.put([1, 1]);
        const got = [await mine];
        // What it had got and hadn't finished comes back.
        if (can.leases) got.push(await queue.get(bound));
        const both: targets.Item[] = [[0, 0], [1, 1]];
        assert.deepEqual(got.sort(), can.leases ? both : [[1, 1]]);
        assert.equal(await queue.empty(), true);
      }
    });

    test("what was put is there when its producer has ended", async () => {
      const queue = make<targets.Item>();
      const process = new Process({ target: targets.give, args: [queue, 7, 3, "async"], module });
      process.start();
      await process.join(bound);
      for (let i = 0; i < 3; i++) assert.deepEqual(await queue.get(bound), [7, i]);
    });

    test("it goes through a pipe, and comes back as the same", async () => {
      const queue = make<number>();
      const [here, there] = Pipe<typeof queue>();
      await here.send(queue);
      const same = await there.recv(bound);
      assert.notEqual(same, queue);
      await queue.put(1);
      assert.equal(await same.get(), 1);
      here.close();
      there.close();
    });

    if (can.waitable) {
      test("one that came through a pipe can be waited for", async () => {
        const queue = make<number>();
        const [here, there] = Pipe<typeof queue>();
        await here.send(queue);
        const same = await there.recv(bound);
        assert.notEqual(same, queue);
        assert.deepEqual(waitNowait([queue] as never), []);
        const ready = wait([same] as never, bound);
        await queue.put(1);
        assert.deepEqual(await ready, [same]);
        assert.equal(await same.get(), 1);
        here.close();
        there.close();
        same.close();
        assert.equal(queue.closed, false);
      });
    }

    if (can.closable) {
      test("a closed one isn't given to a process", () => {
        const queue = make<targets.Item>();
        queue.close();
        const process = new Process({ target: targets.give, args: [queue, 0, 1, "async"], module });
        assert.throws(() => process.start(), /closed the queue/);
      });
    }

    if (!can.joinable) return;

    test("join waits for what other processes have to do", async () => {
      const queue = make<targets.Item>();
      const worker = new Process({ target: targets.finish, args: [wide(queue)], module });
      worker.start();
      for (let i = 0; i < 20; i++) await queue.put([0, i]);
      assert.equal(await queue.join(bound), true);
      assert.equal(await queue.unfinished, 0);
      await queue.put(null);
      assert.equal(await worker.result(bound), 20);
    });
  }

  function alone(): void {
    test("it isn't given to a process: start() says why and names the queue that is", async () => {
      const work = make();
      await work.put(1);
      const process = new Process({
        target: (_: unknown) => {},
        args: [{ deep: [new Map([["work", work]])] }],
        by: "source",
      });
      const at =
        `^args\\[0\\]\\.deep\\[0\\]\\.get\\("work"\\) is a ${implementation.className} of `;
      const check = says(TypeError, new RegExp(at), /Use Queue of "@multiproc\/multiprocessing"/);
      assert.throws(() => process.start(), check);
      assert.equal(process.pid, undefined);
      const named = new Process({ target: (_: unknown) => {}, args: [{ work }], by: "source" });
      assert.throws(() => named.start(), says(TypeError, /^args\[0\]\.work is a /));
      await turn();
      assert.equal(await work.get(), 1);
    });

    test("it isn't put into a queue between processes, for the same reason", async () => {
      const shared = new Queue<unknown>();
      const check = says(TypeError, /^item\.work is a \w+ of /, /Use Queue/);
      assert.throws(() => shared.putNowait({ work: make() }), check);
      await assert.rejects(shared.put({ work: make() }), check);
      assert.throws(() => shared.putSync(make()), says(TypeError, /^item is a /));
      assert.equal(shared.qsize(), 0);
    });
  }

  /** For a target that takes a JoinableQueue. */
  function wide(queue: Tested<targets.Item>): Parameters<typeof targets.finish>[0] {
    return queue;
  }
}
