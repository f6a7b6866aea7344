// Several handles of one queue: in one hub, in several, in a process that is given them. Each item goes to one, none
// gets lost, and all names and items that can be are the same for all.

import assert from "node:assert/strict";
import { Process } from "../../mod.ts";
import { connect, InvalidStateError, type RemoteJoinableQueue } from "../../redis.ts";
import * as targets from "../support/targets/redis_targets.ts";
import * as tasks from "../support/targets/redis_tasks.ts";
import { Server } from "./support/server.ts";

const bound = { timeout: 20_000 };

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

Deno.test("two handles of one hub: what both put is there, and each item goes to one", async () => {
  await using hub = await connect(server.url);
  // At once, so that neither is known when the other is opened; and one after the other.
  const together = await Promise.all([hub.queue<number>("two"), hub.queue<number>("two")]);
  const handles = [...together, await hub.queue<number>("two")];
  for (let i = 0; i < 9; i++) await handles[i % 3].put(i);
  handles[1].putSync(9);
  for (let i = 0; i < 9; i++) assert.equal(await handles[(i + 1) % 3].get(bound), i);
  assert.equal(handles[0].getSync(bound), 9);
  const gets = handles.map((handle) => handle.get(bound));
  for (const handle of handles) await handle.put(1);
  await handles[0].put(2);
  await Promise.all(gets);
  assert.equal(await handles[2].get(bound), 2);
  assert.equal(await handles[0].qsize(), 0);
});

Deno.test("two handles of one joinable queue: each reports what it has got", async () => {
  await using hub = await connect(server.url);
  const one = await hub.joinableQueue<number>("both"),
    two = await hub.joinableQueue<number>("both");
  await one.putMany([1, 2]);
  await two.put(3);
  assert.deepEqual([await one.get(bound), await two.get(bound)], [1, 2]);
  await two.taskDone();
  const lease = await one.lease(bound);
  assert.equal(lease.item, 3);
  await lease.done();
  assert.equal(await one.unfinished, 1);
  const joined = two.join(bound);
  await one.taskDone();
  assert.equal(await joined, true);
  await assert.rejects(two.taskDone(), RangeError);
});

Deno.test("a handle opened again: of a queue that was deleted meanwhile it is another one", async () => {
  await using here = await connect(server.url);
  await using there = await connect(server.url);
  const old = await here.queue<number>("again", { maxSize: 2 });
  await old.put(1);
  await assert.rejects(here.queue("again", { maxSize: 3 }), InvalidStateError);
  await assert.rejects(here.joinableQueue("again"), InvalidStateError);
  await (await there.queue("again")).delete();
  const anew = await here.queue<number>("again", { maxSize: 3 });
  assert.deepEqual([await anew.qsize(), anew.maxSize], [0, 3]);
  await assert.rejects(old.put(2), InvalidStateError);
  await anew.put(4);
  assert.equal(await (await here.queue<number>("again")).get(bound), 4);
});

Deno.test("a pool that is opened twice in one hub, and queue, lock and pool of one name", async () => {
  await using hub = await connect(server.url);
  const pools = [hub.pool("one name"), hub.pool("one name")];
  const queue = await hub.queue<number>("one name");
  await using held = await hub.lock("one name").hold(bound);
  assert.ok(held.fence > 0);
  const stop = new AbortController();
  const calls = pools.map((pool) => pool.submit(tasks.square, [2], { signal: stop.signal }));
  const failed = Promise.allSettled(calls);
  while ((await pools[0].statistics()).waiting < 2) await queue.qsize();
  await queue.put(1);
  assert.equal(await queue.get(bound), 1);
  stop.abort(new Error("no longer wanted"));
  for (const { status } of await failed) assert.equal(status, "rejected");
});

Deno.test("names of all characters", async () => {
  await using hub = await connect(server.url);
  const names = [
    "ü 漢字 😀",
    "a:b",
    " ",
    "\n",
    "\0",
    "a*?[x]",
    "{a}",
    "}",
    "{",
    "a}:dead",
    "a",
    "%7D",
  ];
  for (const name of [...names, "__proto__", "../..", "x".repeat(5000)]) {
    const queue = await hub.queue<string>(name);
    await queue.put(name);
    await using held = await hub.lock(name).hold(bound);
    assert.equal(held.released, false);
  }
  for (const name of names) {
    const queue = await hub.queue<string>(name);
    assert.deepEqual([queue.name, await queue.qsize(), await queue.get(bound)], [name, 1, name]);
  }
});

Deno.test("a process that is given one queue twice has two handles of it", async () => {
  await using hub = await connect(server.url);
  const queue: RemoteJoinableQueue<number> = await hub.joinableQueue<number>("twice");
  const process = new Process({
    target: targets.putToBoth,
    args: [queue as never, queue as never],
    module: targets.here,
  });
  process.start();
  await process.result(bound);
  const got = [];
  for (let i = 0; i < 4; i++) got.push(await queue.get(bound));
  assert.deepEqual(got.sort(), [1, 2, 3, 4]);
  assert.equal(await queue.qsize(), 0);
});

Deno.test("a program that has only opened, put and got ends by itself", async () => {
  const url = new URL("../../redis.ts", import.meta.url).href;
  const text = `import { connect } from ${JSON.stringify(url)};
    const hub = await connect(${JSON.stringify(server.url)});
    const queue = await hub.joinableQueue("ends");
    await queue.putMany([1, 2, 3]);
    await queue.get();
    const lease = await queue.lease();
    hub.pool("ends"), hub.lock("ends");
    console.log(lease.item);`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, text);
  const args = ["run", "--no-prompt", "--no-check", "--allow-net=127.0.0.1", file];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  await Deno.remove(file);
  const decoder = new TextDecoder();
  assert.deepEqual([decoder.decode(stdout), decoder.decode(stderr), code], ["2\n", "", 0]);
  // What it had, it has given back when it ended.
  await using hub = await connect(server.url);
  const queue = await hub.joinableQueue<number>("ends");
  assert.deepEqual([await queue.get(bound), await queue.qsize()], [1, 2]);
});
