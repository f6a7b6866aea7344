// Failures in the middle of something: what was refused is said again, what was lost is told, and nobody loses what is
// its own to another one.

import assert from "node:assert/strict";
import {
  BrokenPoolError,
  connect,
  type HubOptions,
  InvalidStateError,
  LeaseLostError,
  QueueEmpty,
  QueueFull,
  TimeoutError,
} from "../../redis.ts";
import { addChore, removeChore } from "../../lib/wait/eventcount.ts";
import { Reports } from "../../lib/redis/pool/reports.ts";
import * as tasks from "../support/targets/redis_tasks.ts";
import { Proxy } from "./support/proxy.ts";
import { sleep } from "./support/random.ts";
import { Server } from "./support/server.ts";
import { WorkerProgram } from "./support/worker.ts";

const bound = { timeout: 20_000 };
const fast: HubOptions = { leaseTime: 1000 };

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** Until something is so. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + bound.timeout;
  while (!await isSo()) {
    assert.ok(performance.now() < end, `it never came to this: ${what}`);
    await sleep(10);
  }
}

/** Replaces a property until the end of the block. */
function stub<T, K extends keyof T>(object: T, name: K, value: T[K]): Disposable {
  const before = object[name];
  object[name] = value;
  return { [Symbol.dispose]: () => void (object[name] = before) };
}

/** Lets the server refuse every script, or none; before anything else of this program has its turn. */
function refuse(isRefused: boolean): void {
  new Deno.Command("redis-cli", {
    args: ["-p", `${server.port}`, "acl", "setuser", "default", `${isRefused ? "-" : "+"}evalsha`],
  }).outputSync();
}

/** Runs something while the server refuses every script. */
async function whileRefused(run: () => void | Promise<void>): Promise<void> {
  refuse(true);
  try {
    await run();
  } finally {
    refuse(false);
  }
}

// Locks.

Deno.test("the block of a lost lock doesn't free the lock of the next task of its process", async () => {
  await using hub = await connect(server.url, fast);
  const lock = hub.lock("stale");
  const stale = await lock.hold();
  await server.cli("del", "mp:{stale}:lock:holder");
  await until("it is told", () => stale.signal.aborted);
  const next = await lock.hold(bound);
  await assert.rejects(stale.release(), LeaseLostError);
  await stale[Symbol.asyncDispose]();
  assert.deepEqual([lock.locked, next.signal.aborted], [true, false]);
  assert.equal(await hub.lock("stale").tryAcquire(), false);
  await next.release();
  await assert.rejects(lock.release(), InvalidStateError);
});

Deno.test("a lock that is released and acquired at once is held, also when the connection breaks", async () => {
  using proxy = new Proxy(server.port);
  await using hub = await connect(proxy.url, fast);
  const lock = hub.lock("at once");
  await lock.acquire();
  for (let i = 0; i < 10; i++) {
    const releasing = lock.release().catch((error) => assert.ok(error instanceof LeaseLostError));
    const acquiring = lock.acquire(bound);
    proxy.cut();
    await releasing;
    assert.equal(await acquiring, true);
    assert.equal(await server.cli("exists", "mp:{at once}:lock:holder"), "1");
  }
});

Deno.test("a lock that is free goes to the next one, also if the first has given up waiting", async () => {
  await using here = await connect(server.url);
  await using there = await connect(server.url);
  await using own = await connect(server.url);
  const held = await own.lock("given up").hold();
  const first = here.lock("given up"), next = there.lock("given up");
  // Without the regular looks: only a wake-up helps.
  using _timers = stub(globalThis, "setInterval", (() => 0) as never);
  assert.equal(await first.acquire({ timeout: 20 }), false);
  const waiting = next.acquire(bound);
  await until(
    "both wait",
    async () => await server.cli("zcard", "mp:{given up}:lock:waiting") === "2",
  );
  await held.release();
  assert.equal(await waiting, true);
});

// Items.

Deno.test("acknowledgements that were refused are sent again, and items don't come twice", async () => {
  await using hub = await connect(server.url, fast);
  const queue = await hub.queue<number>("refused");
  await queue.putMany([1, 2, 3]);
  assert.equal(await queue.get(), 1);
  await whileRefused(async () => {
    await assert.rejects(queue.getNowait(), /NOPERM/);
    await sleep(20);
  });
  await until("1 is acknowledged", async () => (await queue.statistics()).leased === 0);
  assert.equal(queue.getSync(), 2);
  await whileRefused(() => assert.throws(() => queue.getSync({ timeout: 0 }), /NOPERM/));
  assert.equal(queue.getSync(), 3);
  await hub.close();
  await using other = await connect(server.url);
  assert.equal((await (await other.queue("refused")).statistics()).size, 0);
});

Deno.test("a lease whose end was refused is there, and ends with the next call", async () => {
  await using hub = await connect(server.url);
  const jobs = await hub.joinableQueue<number>("lease refused");
  await jobs.putMany([1, 2, 3]);
  const [one, two] = [await jobs.lease(), await jobs.lease()];
  assert.equal(await jobs.get(), 3);
  await whileRefused(async () => {
    await assert.rejects(one.done(), /NOPERM/);
    await assert.rejects(two.giveBack(), /NOPERM/);
    await assert.rejects(jobs.taskDone(), /NOPERM/);
  });
  await one.done();
  await two.giveBack();
  await jobs.taskDone();
  const { unfinished, size, leased } = await jobs.statistics();
  assert.deepEqual([unfinished, size, leased], [1, 1, 0]);
});

Deno.test("an item that comes while the hub is closed goes back, and isn't handed out as well", async () => {
  using proxy = new Proxy(server.port);
  await using far = await connect(proxy.url);
  await using near = await connect(server.url);
  const here = await near.queue<number>("closing");
  const waiting = assert.rejects((await far.queue("closing")).get(), InvalidStateError);
  await until("it waits", async () => await server.cli("zcard", "mp:{closing}:waitget") === "1");
  proxy.hang();
  await here.put(1);
  const closing = far.close();
  proxy.resume();
  await Promise.all([closing, waiting]);
  assert.equal(await here.get(bound), 1);
});

Deno.test("a queue goes on where a later epoch was begun meanwhile", async () => {
  await using hub = await connect(server.url);
  const queue = await hub.queue<number>("epochs");
  await queue.put(1);
  const [key] = (await server.cli("keys", "mp:{epochs}:c:*")).split("\n");
  await server.cli("hset", key, "e", "7");
  await queue.put(2);
  assert.deepEqual([await queue.get(), await queue.get()], [1, 2]);
});

Deno.test("expireAfter is a whole number of milliseconds", async () => {
  await using hub = await connect(server.url);
  for (const expireAfter of [1500.5, Infinity, 1e300, 0, -1, NaN]) {
    await assert.rejects(hub.queue("expiry", { expireAfter }), RangeError);
  }
  const queue = await hub.queue("expiry", { expireAfter: 60_000 });
  assert.equal(await queue.qsize(), 0);
});

Deno.test("an entry that something else has written is set aside, and the items behind it are got", async () => {
  await using hub = await connect(server.url);
  const queue = await hub.queue<number>("foreign");
  await queue.put(1);
  await queue.put(2);
  for (const text of ["hello", "x"]) await server.cli("lpush", "mp:{foreign}:ready", text);
  const said: string[] = [];
  using _errors = stub(console, "error", (text: string) => void said.push(text));
  assert.equal(await queue.get(bound), 1);
  await server.cli("lpush", "mp:{foreign}:ready", "again");
  assert.equal(queue.getSync(bound), 2);
  await until(
    "all are set aside",
    async () => await server.cli("llen", "mp:{foreign}:foreign") === "3",
  );
  await until("it is said", () => said.length === 3);
  assert.match(said[0], /didn't write.* mp:\{foreign\}:foreign/);
  await until("2 is acknowledged", async () => (await queue.statistics()).leased === 0);
  assert.equal(await queue.qsize(), 0);
});

// Pools.

Deno.test("what a worker tells is told again where the server refuses it, and in order", async () => {
  const said: string[][] = [], forgotten: number[] = [];
  let refusals = 2;
  const store = {
    wires: { options: { maxItemBytes: 1000 } },
    hasFailed: false,
    takes: { letGo: () => {}, forget: (tags: number[]) => forgotten.push(...tags) },
    call: (_: string, args: () => unknown[]) => {
      if (refusals-- > 0) return Promise.reject(new Error("NOPERM"));
      said.push(args().map(String));
      return Promise.resolve(1);
    },
  };
  const reports = new Reports(store as never, "a worker");
  const caller = { caller: "c", queueId: "q" };
  reports.tell(caller, [1, 0, 0, "first"]);
  reports.over(5);
  await sleep(10);
  reports.tell(caller, [1, 1, 0, "second"]);
  await reports.arrived();
  assert.equal(said.length, 1);
  assert.match(said[0].join(), /first.*second/s);
  assert.equal(said[0].at(-1), "5");
  assert.deepEqual(forgotten, [5]);
});

Deno.test("a pool that another program deletes is told to a call that waits", async () => {
  await using here = await connect(server.url, { leaseTime: 300 });
  await using there = await connect(server.url);
  const pool = here.pool("deleted elsewhere");
  const failed = assert.rejects(pool.submit(tasks.square, [1]).result(), BrokenPoolError);
  await until("it waits", async () => await pool.qsize() === 1);
  await there.pool("deleted elsewhere").delete();
  await failed;
});

// Servers.

Deno.test("a refusal that passes, when the connection is made anew, is waited for", async () => {
  await using own = await Server.start({ args: ["--dbfilename", "folder"] });
  using proxy = new Proxy(own.port);
  await using hub = await connect(proxy.url, fast);
  const queue = await hub.queue<number>("passes");
  await queue.put(1);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: own.port });
  const say = async (text: string) => {
    await conn.write(new TextEncoder().encode(`${text}\r\n`));
    await conn.read(new Uint8Array(1000));
  };
  await say("CONFIG SET maxclients 1");
  const before = proxy.accepted;
  proxy.cut();
  await until("it was refused", () => proxy.accepted >= before + 3);
  await say("CONFIG SET maxclients 1000");
  conn.close();
  await queue.put(2);
  // A server that can't write its file refuses all changes.
  await Deno.mkdir(`${own.folder}/folder`);
  await own.cli("config", "set", "save", "3600 1");
  await own.cli("bgsave");
  await until(
    "it can't save",
    async () => (await own.cli("info", "persistence")).includes("rdb_last_bgsave_status:err"),
  );
  assert.match(await own.cli("set", "x", "1"), /MISCONF/);
  proxy.cut();
  const putting = queue.put(3);
  await sleep(100);
  await own.cli("config", "set", "stop-writes-on-bgsave-error", "no");
  await putting;
  assert.deepEqual(await queue.getMany(9), [1, 2, 3]);
});

Deno.test("a server that is silent: a blocking call and close() end all the same", async () => {
  await using own = await Server.start();
  await using hub = await connect(own.url);
  await using other = await connect(own.url, fast);
  const queue = await other.queue<number>("silent");
  await queue.put(1);
  assert.equal(queue.getSync(), 1);
  own.signal("SIGSTOP");
  const start = performance.now();
  await hub.close();
  assert.throws(() => queue.getSync({ timeout: 10 }), TimeoutError);
  assert.ok(performance.now() - start < 20_000);
  own.signal("SIGCONT");
});

Deno.test("after a shutdown leases() goes on until no other client has an item that could come back", async () => {
  // Leases that outlast the start of the thread for the blocking call.
  await using here = await connect(server.url);
  const jobs = await here.joinableQueue<number>("shut");
  await jobs.putMany([1, 2]);
  const other = await connect(server.url);
  const theirs = await other.joinableQueue<number>("shut");
  await theirs.lease();
  const second = await theirs.lease();
  await jobs.shutdown();
  const got: number[] = [];
  const loop = (async () => {
    for await (const lease of jobs.leases()) {
      got.push(lease.item);
      await lease.done();
    }
  })();
  await until("it waits", async () => await server.cli("zcard", "mp:{shut}:waitget") === "1");
  assert.throws(() => jobs.getSync({ timeout: 10 }), /empty/);
  await second.done();
  await until("it waits", async () => await server.cli("zcard", "mp:{shut}:waitget") === "1");
  await other.close(); // gives 1 back
  await loop;
  assert.deepEqual(got, [1]);
  assert.equal(await jobs.join(bound), true);
});

Deno.test("a blocking call that has given up leaves nothing that could swallow a wake-up", async () => {
  await using hub = await connect(server.url, fast);
  const queue = await hub.queue<number>("blocked", { maxSize: 1 });
  let chores = 0;
  const chore = () => void chores++;
  addChore(chore);
  assert.throws(() => queue.getSync({ timeout: 200 }), QueueEmpty);
  removeChore(chore);
  assert.ok(chores > 1, "nobody did the chores of the blocked thread");
  assert.equal(await server.cli("zcard", "mp:{blocked}:waitget"), "0");
  queue.putSync(1);
  assert.throws(() => queue.putSync(2, { timeout: 20 }), QueueFull);
  assert.equal(await server.cli("zcard", "mp:{blocked}:waitput"), "0");
});

Deno.test("a lock that isn't used any more keeps nothing, and can be used again", async () => {
  await using hub = await connect(server.url, fast);
  const locks = ["idle 1", "idle 2"].map((name) => hub.lock(name));
  const channels = async () => (await server.cli("pubsub", "channels", "mp:{idle*")).split("\n");
  for (const lock of locks) await (await lock.hold(bound)).release();
  await using _held = await locks[1].hold(bound);
  assert.equal((await channels()).length, 2);
  assert.equal(await hub.lock("idle 2").tryAcquire(), false);
  await until("one is left", async () => (await channels()).length === 1);
  assert.match((await channels())[0], /idle 2/);
  const other = hub.lock("idle 1");
  await other.acquire();
  const waiting = locks[0].acquire(bound);
  await until(
    "it waits",
    async () => await server.cli("zcard", "mp:{idle 1}:lock:waiting") === "1",
  );
  await other.release();
  assert.equal(await waiting, true);
});

Deno.test("a program that calls a pool has a thread that beats while it computes", async () => {
  await using own = await Server.start();
  await using hub = await connect(own.url, fast);
  const pool = hub.pool("computes");
  const failed = assert.rejects(pool.submit(tasks.square, [1]).result(), BrokenPoolError);
  const clients = async () =>
    (await own.cli("client", "list", "type", "normal")).split("\n").length;
  // Those of the hub, of which one listens, those of the thread, and this one.
  await until("the thread is there", async () => await clients() >= 4);
  await hub.close();
  await failed;
});

Deno.test("ready() and the end of a pool keep their time while the server is silent", async () => {
  await using own = await Server.start();
  await using hub = await connect(own.url);
  const pool = hub.pool("silent");
  assert.equal(await pool.ready({ timeout: 0 }), false);
  own.signal("SIGSTOP");
  const start = performance.now();
  assert.equal(await pool.ready({ timeout: 50 }), false);
  const signal = AbortSignal.abort(new Error("no longer wanted"));
  await assert.rejects(pool.ready({ signal }), /no longer wanted/);
  assert.equal(await pool.shutdown({ timeout: 50 }), true);
  assert.ok(performance.now() - start < 20_000);
  own.signal("SIGCONT");
});

Deno.test("a worker takes a module from a folder with odd characters", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "a #b%20" });
  try {
    await Deno.writeTextFile(`${cwd}/tasks.ts`, "export const one = () => 1;");
    const args = [server.url, "--name", "odd", "--module", "./tasks.ts", "--processes", "1"];
    await using program = new WorkerProgram(args, ["-N", "-R"], cwd);
    await program.ready;
    assert.match(program.errors, /takes tasks of the pool/);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
