// What the server's and the clients' failures do to queues and locks, and how a server that can't be used is
// refused. Each test has a server or a hub of its own.

import assert from "node:assert/strict";
import { Lock, Pipe, Process, QueueEmpty, TimeoutError } from "../../mod.ts";
import {
  connect,
  type HubOptions,
  InvalidStateError,
  LeaseLostError,
  type RemoteQueue,
} from "../../redis.ts";
import { says } from "../queue/contract/implementation.ts";
import * as targets from "../support/targets/redis_targets.ts";
import { Proxy } from "./support/proxy.ts";
import { freePort, Server } from "./support/server.ts";

const LEASE = 1000;
const bound = { timeout: 20_000 };
const fast: HubOptions = { leaseTime: LEASE };

/** Starts a program that holds something until it is killed. */
async function holder(server: Server, what: "item" | "lock", name: string) {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("./support/holder.ts", import.meta.url).pathname],
      ...[server.url, what, name, `${LEASE}`],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = process.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return {
    kill: async () => {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}

/** Until something is so. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + bound.timeout;
  while (!await isSo()) {
    assert.ok(performance.now() < end, `it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// Refusals.

Deno.test("where no server is connect() says so, in its time", async () => {
  const check = says(TimeoutError, /No Redis server answers at redis:\/\/127/, /Start one/);
  await assert.rejects(connect(`redis://127.0.0.1:${freePort()}`, { timeout: 200 }), check);
});

Deno.test("where a server is silent connect() says so, in its time", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  const check = says(TimeoutError, /No Redis server answers/);
  await assert.rejects(connect(`redis://127.0.0.1:${port}`, { timeout: 300 }), check);
  listener.close();
  (await accepted).close();
});

Deno.test("what answers isn't Redis: connect() says what it has read, in its time", async () => {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const other = Deno.serve(options, () => new Response("not Redis"));
  const { port } = other.addr;
  const check = says(TimeoutError, /No Redis server answers/, /Unknown RESP type 72 "H"/);
  await assert.rejects(connect(`redis://127.0.0.1:${port}`, { timeout: 300 }), check);
  await other.shutdown();
});

Deno.test("a database or a command that the server refuses is told at once", async () => {
  await using server = await Server.start();
  const noDatabase = says(InvalidStateError, /refuses this client/, /DB index is out of range/);
  await assert.rejects(connect(`${server.url}/99`), noDatabase);
  await server.cli("acl", "setuser", "weak", "on", ">pw", "+ping", "+hello", "+info");
  const url = server.url.replace("//", "//weak:pw@");
  await assert.rejects(connect(url), says(InvalidStateError, /refuses this client \(NOPERM/));
  await using hub = await connect(`${server.url.replace("redis", "REDIS")}/1`);
  const queue = await hub.queue<number>("elsewhere");
  await queue.put(1);
  assert.equal(await server.cli("-n", "1", "llen", "mp:{elsewhere}:ready"), "1");
});

Deno.test("connect() can be aborted", async () => {
  const reason = new Error("no longer wanted");
  const url = `redis://127.0.0.1:${freePort()}`;
  await assert.rejects(connect(url, { signal: AbortSignal.abort(reason) }), reason);
  const stop = new AbortController();
  const connecting = connect(url, { signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(connecting, reason);
});

Deno.test("a URL and options that are none are refused", async () => {
  const urls = ["", "localhost", "http://localhost", 5, null, undefined, "redis://:6379"];
  const secret = ["redis://a:secret@h:99999", "http://a:secret@h", "redis://a:secret%zz@h"];
  for (const url of [...urls, ...secret, "redis://localhost/x", "redis://localhost/-1"]) {
    await assert.rejects(connect(url as string), (error: Error) => {
      says(TypeError, /^url is /, /redis:\/\//)(error);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  const options: [object, RegExp][] = [
    [{ prefix: "" }, /^prefix is /],
    [{ prefix: "a{b" }, /^prefix is /],
    [{ leaseTime: 5 }, /^leaseTime is 5/],
    [{ maxItemBytes: 0 }, /^maxItemBytes is 0/],
    [{ heartbeat: "heart" }, /^heartbeat is /],
    [{ ca: 5 }, /^ca is /],
    [{ timeout: -1 }, /^timeout is -1/],
    [{ password: "x" }, /^password is no option here/],
  ];
  for (const [option, message] of options) {
    await assert.rejects(connect("redis://127.0.0.1:1", option), { message });
  }
});

Deno.test("a wrong password is told, and a right one is taken", async () => {
  await using server = await Server.start({ args: ["--requirepass", "secret"] });
  const check = says(InvalidStateError, /refuses the user or the password/, /redis:\/\/user/);
  await assert.rejects(connect(server.url), check);
  const url = server.url.replace("redis://", "redis://default:wrong@");
  await assert.rejects(connect(url), (error: Error) => {
    check(error);
    assert.doesNotMatch(error.message.split("(")[0], /wrong/);
    return true;
  });
  await using hub = await connect(url.replace("wrong", "secret"));
  assert.doesNotMatch(`${hub.url} ${Deno.inspect(hub)}`, /secret/);
});

Deno.test("a server that evicts is refused", async () => {
  await using server = await Server.start({ args: ["--maxmemory-policy", "allkeys-lru"] });
  const check = says(InvalidStateError, /evicts data/, /maxmemory-policy is allkeys-lru/);
  await assert.rejects(connect(server.url), check);
});

Deno.test("a server that is too old is refused", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      conns.push(conn);
      (async () => {
        const buffer = new Uint8Array(4096), info = "redis_version:6.2.1\r\n";
        while (await conn.read(buffer).catch(() => null) !== null) {
          const asked = new TextDecoder().decode(buffer);
          const answer = asked.includes("INFO") ? `$${info.length}\r\n${info}\r\n` : "%0\r\n";
          await conn.write(new TextEncoder().encode(answer)).catch(() => {});
        }
      })();
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const check = says(InvalidStateError, /is Redis 6\.2\.1/, /7\.0 or later/);
  await assert.rejects(connect(`redis://127.0.0.1:${port}`), check);
  listener.close();
  for (const conn of conns) conn.close();
  await serving;
});

Deno.test("TLS and a password: with the authority it connects, without it doesn't", async () => {
  const folder = await Deno.makeTempDir();
  const openssl = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
      ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`],
    ],
  }).output();
  assert.ok(openssl.success);
  const tlsPort = freePort();
  {
    await using server = await Server.start({
      args: [
        ...["--tls-port", `${tlsPort}`, "--tls-cert-file", `${folder}/cert.pem`],
        ...["--tls-key-file", `${folder}/key.pem`, "--tls-auth-clients", "no"],
        ...["--requirepass", "secret"],
      ],
    });
    assert.ok(server.port);
    const ca = await Deno.readTextFile(`${folder}/cert.pem`);
    const url = `rediss://default:secret@localhost:${tlsPort}`;
    await using hub = await connect(url, { ca });
    const queue = await hub.queue<string>("secure");
    await queue.put("sealed");
    assert.equal(await queue.get(), "sealed");
    await assert.rejects(connect(url, { timeout: 300 }), TimeoutError);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a queue with other properties than asked for is refused, and opened without asking", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url);
  await hub.queue("bounded", { maxSize: 5 });
  await hub.joinableQueue("jobs", { attempts: 3 });
  const check = says(InvalidStateError, /"bounded" has a maxSize of 5, not 6/, /Leave maxSize out/);
  await assert.rejects(hub.queue("bounded", { maxSize: 6 }), check);
  await assert.rejects(hub.joinableQueue("jobs", { attempts: 4 }), /has a attempts of 3|attempts/);
  await assert.rejects(hub.joinableQueue("bounded"), says(InvalidStateError, /hub\.queue/));
  await assert.rejects(hub.queue("jobs"), says(InvalidStateError, /hub\.joinableQueue/));
  assert.equal((await hub.queue("bounded")).maxSize, 5);
  assert.equal((await hub.joinableQueue("jobs")).attempts, 3);
  for (const name of ["", "\ud800", 5, null, undefined]) {
    await assert.rejects(hub.queue(name as string), says(TypeError, /^name is /));
    assert.throws(() => hub.lock(name as string), says(TypeError, /^name is /));
  }
});

Deno.test("items that are too large, or can only be handed over, are refused at the call", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url, { maxItemBytes: 1000 });
  const queue = await hub.queue<unknown>("small");
  const isLarge = says(RangeError, /^item takes \d+ bytes, more than the hub's maxItemBytes/);
  await assert.rejects(queue.put("x".repeat(1000)), isLarge);
  await assert.rejects(queue.putMany(["a", "x".repeat(1000)]), /^RangeError: items\[1\] takes/);
  assert.throws(() => queue.putSync("x".repeat(1000)), isLarge);
  await queue.put("x".repeat(990));
  const [end, other] = Pipe();
  await assert.rejects(queue.put({ end }), says(TypeError, /^item\.end is a Connection/));
  await assert.rejects(queue.put(new Lock()), says(TypeError, /^item is a Lock/));
  end.close();
  other.close();
  assert.equal(await queue.qsize(), 1);
});

// Failures of the server.

Deno.test("a server that comes back with its file: waits go on, and nothing is lost or doubled", async () => {
  await using server = await Server.start({ persistent: true });
  await using hub = await connect(server.url, fast);
  assert.equal(hub.persistent, true);
  const queue = await hub.queue<number>("kept", { maxSize: 3 });
  await queue.putMany([1, 2, 3]);
  const put = queue.put(4);
  await server.kill();
  await until("it is noticed", () => !hub.connected);
  const got = queue.getMany(2);
  await server.restart();
  assert.deepEqual(await got, [1, 2]);
  await put;
  assert.deepEqual([await queue.get(), await queue.get()], [3, 4]);
  const waiting = queue.get();
  await server.kill();
  await server.restart();
  await queue.put(5);
  assert.equal(await waiting, 5);
});

Deno.test("a server that comes back empty is an error for all who wait and all who come", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url, fast);
  assert.equal(hub.persistent, false);
  const queue = await hub.joinableQueue<number>("lost", { maxSize: 1 });
  const empty = await hub.queue<number>("lost, too");
  await queue.put(1);
  const isLost = says(InvalidStateError, /has lost the queue "lost/, /Open it anew/);
  const waits = [queue.put(2), queue.join(), empty.get()].map((wait) =>
    assert.rejects(wait, isLost)
  );
  await until("it waits", async () => (await queue.statistics()).waitingToPut === 1);
  await server.kill();
  await server.restart();
  await Promise.all(waits);
  await assert.rejects(queue.get(), isLost);
  await assert.rejects(queue.qsize(), isLost);
  assert.throws(() => queue.getSync(), isLost);
  const anew = await hub.joinableQueue<number>("lost");
  assert.equal(await anew.qsize(), 0);
});

Deno.test("a server whose memory is full refuses what is put, and gives out what it has", async () => {
  await using server = await Server.start({ args: ["--maxmemory", "4mb"] });
  await using hub = await connect(server.url, fast);
  const queue = await hub.joinableQueue<string>("full");
  const item = "x".repeat(10_000);
  let put = 0;
  await assert.rejects(async () => {
    for (; put < 2000; put++) await queue.put(item);
  }, /OOM/);
  assert.ok(put > 10, `${put}`);
  // Who comes only now gets some, too.
  await using late = await connect(server.url, fast);
  const lease = await (await late.joinableQueue<string>("full")).lease(bound);
  await lease.done();
  for (let i = 1; i < put; i++) {
    assert.equal(await queue.get(bound), item);
    await queue.taskDone();
  }
  assert.equal(await queue.join(bound), true);
  await queue.put(item);
});

Deno.test("a large item goes to one that waits, and many small ones in parts", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url);
  const queue = await hub.queue<string>("large");
  const sizes = [3_000_000, 70_000, 5, 3_000_000];
  const gets = sizes.map(() => queue.get(bound));
  for (const size of sizes) await queue.put("x".repeat(size));
  assert.deepEqual((await Promise.all(gets)).map((text) => text.length), sizes);
  await queue.putMany(Array.from({ length: 10_000 }, (_, i) => `${i}`));
  let count = 0;
  while (count < 10_000) {
    for (const text of await queue.getMany(10_000)) assert.equal(text, `${count++}`);
  }
});

// Failures of connections.

Deno.test("cut, hung and half-open connections: what waits goes on, once", async () => {
  await using server = await Server.start();
  using proxy = new Proxy(server.port);
  await using far = await connect(proxy.url, fast);
  await using near = await connect(server.url, fast);
  const here = await far.queue<number>("cut"), there = await near.queue<number>("cut");
  let next = 0;
  const got: number[] = [];
  for (const fail of ["cut", "hang", "hang and cut"]) {
    const waiting = here.get(bound);
    await until("it waits", async () => (await there.statistics()).size === 0);
    if (fail.includes("hang")) proxy.hang();
    const putting = here.put(next++), other = there.put(next++);
    if (fail.includes("cut")) proxy.cut();
    if (fail === "hang") await until("it gives up", () => !far.connected);
    proxy.resume();
    await Promise.all([putting, other]);
    got.push(await waiting, await here.get(bound));
    assert.equal(await there.empty(), true);
  }
  assert.deepEqual(got.toSorted((a, b) => a - b), Array.from({ length: next }, (_, i) => i));
});

Deno.test("while there is no connection a timeout ends a wait, and an abort does", async () => {
  await using server = await Server.start({ persistent: true });
  await using hub = await connect(server.url, fast);
  const queue = await hub.joinableQueue<number>("away", { maxSize: 1 });
  await queue.put(1);
  await server.kill();
  await until("it is noticed", () => !hub.connected);
  await assert.rejects(queue.get({ timeout: 50 }), QueueEmpty);
  assert.equal(await queue.join({ timeout: 50 }), false);
  const reason = new Error("no longer wanted");
  await assert.rejects(queue.get({ signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  const stop = new AbortController();
  const put = assert.rejects(queue.put(2, { signal: stop.signal }), reason);
  stop.abort(reason);
  await put;
  await server.restart();
  assert.equal(await queue.get(bound), 1);
  await queue.taskDone();
});

// Failures of clients.

Deno.test("a killed client's item comes back to the head, with its attempts; then it is a dead letter", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url, fast);
  const jobs = await hub.joinableQueue<string>("jobs", { attempts: 2 });
  await jobs.putMany(["first", "second"]);
  const killed = await holder(server, "item", "jobs");
  await killed.kill();
  await until("it comes back", async () => await jobs.qsize() === 2);
  const lease = await jobs.lease(bound);
  assert.deepEqual([lease.item, lease.attempt], ["first", 2]);
  await lease.giveBack();
  await lease.giveBack();
  await assert.rejects(lease.done(), says(InvalidStateError, /given back/));
  assert.deepEqual(await jobs.dead.get(bound), { item: "first", attempts: 2 });
  assert.equal(await jobs.unfinished, 1);
  assert.equal((await jobs.lease(bound)).item, "second");
});

Deno.test("a client that computes without a pause keeps its leases; without a thread it loses them", async () => {
  await using server = await Server.start();
  await using watcher = await connect(server.url, { leaseTime: 300 });
  for (const heartbeat of ["thread", "loop"] as const) {
    await using hub = await connect(server.url, { leaseTime: 300, heartbeat });
    const name = `kept by a ${heartbeat}`;
    const jobs = await hub.joinableQueue<string>(name);
    const look = await watcher.joinableQueue<string>(name);
    await jobs.put("a job");
    const lease = await jobs.lease();
    // Returns when the thread runs.
    if (heartbeat === "thread") assert.throws(() => jobs.getSync({ timeout: 0 }), QueueEmpty);
    const other = look.lease({ timeout: 2500 });
    for (const end = performance.now() + 1500; performance.now() < end;);
    if (heartbeat === "thread") {
      await lease.done();
      await lease.done();
      await assert.rejects(other, QueueEmpty);
    } else {
      assert.equal((await other).attempt, 2);
      await assert.rejects(lease.done(), LeaseLostError);
    }
  }
});

Deno.test("what a blocking call has got isn't given to another one while the process computes", async () => {
  await using server = await Server.start();
  await using watcher = await connect(server.url, { leaseTime: 300 });
  await using hub = await connect(server.url, { leaseTime: 300 });
  const queue = await hub.queue<string>("computed");
  await queue.put("an item");
  assert.equal(queue.getSync(), "an item");
  for (const end = performance.now() + 1500; performance.now() < end;);
  const other = await watcher.queue<string>("computed");
  await assert.rejects(other.get({ timeout: 300 }), QueueEmpty);
});

Deno.test("a hub that is closed gives back what it had, and acknowledges what was got", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url);
  const jobs = await hub.joinableQueue<number>("jobs"), plain = await hub.queue<number>("plain");
  await jobs.putMany([1, 2]);
  await plain.putMany([1, 2]);
  const other = await connect(server.url);
  const theirs = await other.joinableQueue<number>("jobs");
  await theirs.lease();
  assert.equal(await (await other.queue<number>("plain")).get(), 1);
  const waiting = assert.rejects((await other.queue("nothing")).get(), InvalidStateError);
  await other.close();
  await waiting;
  await assert.rejects(theirs.get(), says(InvalidStateError, /closed the hub/));
  await assert.rejects(other.queue("x"), InvalidStateError);
  assert.deepEqual([await jobs.get(), await jobs.get()], [1, 2]);
  assert.equal(await plain.get(), 2);
  assert.equal((await plain.statistics()).size, 0);
});

Deno.test("a shutdown and a delete are seen by all", async () => {
  await using server = await Server.start();
  await using here = await connect(server.url);
  await using there = await connect(server.url);
  const mine = await here.queue<number>("ended"), theirs = await there.queue<number>("ended");
  const loop = (async () => {
    const got: number[] = [];
    for await (const n of theirs) got.push(n);
    return got;
  })();
  await mine.put(1);
  await until("it is got", async () => (await mine.statistics()).got === 1);
  await mine.shutdown();
  assert.deepEqual(await loop, [1]);
  const gone = await here.queue<number>("deleted");
  const wait = assert.rejects((await there.queue("deleted")).get(), InvalidStateError);
  await until("it waits", async () => await server.cli("zcard", "mp:{deleted}:waitget") === "1");
  await gone.delete();
  await wait;
  await assert.rejects(gone.put(1), says(InvalidStateError, /was deleted/));
});

Deno.test("a queue with expireAfter is gone when nobody has used it for so long", async () => {
  await using server = await Server.start();
  {
    await using hub = await connect(server.url, fast);
    const queue = await hub.queue<number>("short", { expireAfter: 1500 });
    await queue.put(1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(await queue.qsize(), 1);
  }
  await until("it is gone", async () => await server.cli("dbsize") === "0");
});

// Locks.

Deno.test("a lock is held by one, waits are served, and the fence grows", async () => {
  await using server = await Server.start();
  await using one = await connect(server.url, fast);
  await using two = await connect(server.url, fast);
  const locks = [one.lock("l"), one.lock("l"), two.lock("l")];
  let inside = 0, most = 0;
  const fences: number[] = [];
  await Promise.all(locks.flatMap((lock) =>
    [1, 2, 3].map(async () => {
      await using held = await lock.hold(bound);
      most = Math.max(most, ++inside);
      fences.push(held.fence);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    })
  ));
  assert.equal(most, 1);
  assert.deepEqual(fences, fences.toSorted((a, b) => a - b));
  assert.equal(new Set(fences).size, 9);
  assert.equal(await locks[0].tryAcquire(), true);
  assert.equal(await locks[2].tryAcquire(), false);
  assert.equal(await locks[1].acquire({ timeout: 20 }), false);
  await assert.rejects(locks[2].hold({ timeout: 20 }), TimeoutError);
  await assert.rejects(locks[2].release(), says(InvalidStateError, /isn't held/));
  await locks[0].release();
  assert.equal(await locks[2].acquire(bound), true);
});

Deno.test("a killed holder's lock is free when its lease ends, and a cut off holder is told", async () => {
  await using server = await Server.start();
  await using hub = await connect(server.url, fast);
  const killed = await holder(server, "lock", "k");
  const lock = hub.lock("k");
  assert.equal(await lock.tryAcquire(), false);
  await killed.kill();
  assert.equal(await lock.acquire(bound), true);
  using proxy = new Proxy(server.port);
  await using far = await connect(proxy.url, { ...fast, heartbeat: "loop" });
  const held = await far.lock("cut").hold();
  proxy.hang();
  const other = await hub.lock("cut").hold(bound);
  assert.ok(other.fence > held.fence);
  proxy.cut();
  proxy.resume();
  await until("it is told", () => held.signal.aborted);
  await assert.rejects(held.release(), LeaseLostError);
});

// Permissions.

Deno.test("the permission for the server is enough, also in a sandbox", async () => {
  await using server = await Server.start();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", `--allow-net=127.0.0.1:${server.port}`],
      new URL("./support/modest.ts", import.meta.url).pathname,
      server.url,
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(new TextDecoder().decode(stdout), "1 2 3\n");
  assert.equal(code, 0);
  await using hub = await connect(server.url);
  const queue: RemoteQueue<targets.Item> = await hub.queue("from a sandbox");
  const process = new Process({
    target: targets.give,
    args: [queue as never, 3, 2, "async"],
    module: targets.here,
    permissions: { net: [`127.0.0.1:${server.port}`] },
  });
  process.start();
  await process.result(bound);
  assert.deepEqual(await queue.getMany(2), [[3, 0], [3, 1]]);
  const outside = new Process({
    target: targets.give,
    args: [queue as never, 3, 2, "async"],
    module: targets.here,
    permissions: "none",
  });
  outside.start();
  await assert.rejects(outside.result(bound), /net access|NotCapable/i);
});

Deno.test("a wait for room that is over leaves the room to the next one", async () => {
  await using server = await Server.start();
  await using here = await connect(server.url);
  await using there = await connect(server.url);
  const mine = await here.queue<number>("room", { maxSize: 1 });
  const theirs = await there.queue<number>("room");
  await mine.put(1);
  const stop = new AbortController(), reason = new Error("no longer wanted");
  const late = assert.rejects(mine.put(2, { signal: stop.signal }), reason);
  await until("it waits", async () => await server.cli("zcard", "mp:{room}:waitput") === "1");
  const put = theirs.put(3);
  await until("both wait", async () => await server.cli("zcard", "mp:{room}:waitput") === "2");
  stop.abort(reason);
  await late;
  assert.equal(await mine.get(), 1);
  await put;
  assert.equal(await mine.get(), 3);
});
