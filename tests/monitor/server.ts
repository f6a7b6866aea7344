// The server of the monitor: who may read, what is never told, when it ends. `deno task test:monitor` runs these tests:
// they need a package of npm.

import assert from "node:assert/strict";
import {
  activeChildren,
  inspect,
  InvalidStateError,
  Lock,
  Pool,
  Process,
  Queue,
  RLock,
  Semaphore,
  sleep,
} from "../../mod.ts";
import type { Snapshot } from "../../lib/monitor/protocol.ts";
import { type Monitor, serveMonitor } from "../../monitor.ts";
import { run } from "../support/programs.ts";
import { bound } from "../support/sync.ts";
import { program, started } from "./support/started.ts";

/** Asks for something under the URL of the page. */
async function get(monitor: Monitor, path = "", init?: RequestInit): Promise<Response> {
  return await fetch(`${monitor.url}${path}`, { ...init, redirect: "manual" });
}

/** What the page shows. */
async function data(url: string, query = ""): Promise<Snapshot> {
  return await (await fetch(`${url}data?${query}`)).json();
}

/** Waits until what the page shows is as expected. */
async function shows(
  url: string,
  test: (shown: Snapshot) => boolean,
  query = "",
): Promise<Snapshot> {
  const end = performance.now() + 20_000;
  for (;;) {
    const shown = await data(url, query);
    if (test(shown)) return shown;
    assert.ok(performance.now() < end, JSON.stringify(shown, null, 1));
    await sleep(100);
  }
}

/** Sends a request as bytes, with a Host of its own. */
async function raw(monitor: Monitor, lines: string[]): Promise<string> {
  const port = Number(new URL(monitor.url).port);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

Deno.test("who doesn't know the token is told nothing, in the same words for whatever is asked", async () => {
  await using monitor = await serveMonitor();
  const { origin, pathname } = new URL(monitor.url), token = pathname.slice(1, -1);
  assert.match(token, /^[0-9a-f]{64}$/);
  const wrong = token.replace(/./, (digit) => digit === "0" ? "1" : "0");
  const paths = ["/", "/data", "/favicon.ico", `/${token}`, `/${wrong}/`, `/${wrong}/data`];
  paths.push(`/${token}0/`, `/${token.slice(1)}/`, `//${token}/`, `/${token.toUpperCase()}x/data`);
  for (const path of paths) {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const response = await fetch(`${origin}${path}`, { method });
      const { status, headers } = response;
      assert.deepEqual([status, await response.text()], [403, "Forbidden"], `${method} ${path}`);
      assert.equal(headers.get("access-control-allow-origin"), null);
      assert.equal(headers.get("allow"), null);
    }
  }
  const response = await get(monitor);
  assert.equal(response.status, 200);
  await response.body?.cancel();
  assert.equal((await get(monitor, "nothing")).status, 404);
});

Deno.test("a request under another name, or from another origin, is refused", async () => {
  await using monitor = await serveMonitor();
  const { host, port, pathname } = new URL(monitor.url), path = `${pathname}data`;
  const status = async (...headers: string[]) =>
    Number(/^HTTP\/1\.1 (\d+)/.exec(await raw(monitor, [`GET ${path} HTTP/1.1`, ...headers]))?.[1]);
  for (
    const name of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:1`,
      `0.0.0.0:${port}`,
    ]
  ) {
    assert.equal(await status(`Host: ${name}`), 403, name);
  }
  assert.equal(await status(`Host: localhost:${port}`), 200);
  for (
    const origin of [
      "http://evil.example",
      "null",
      "http://127.0.0.1:1",
      `https://${host}`,
      `http://${host}.evil.example`,
    ]
  ) {
    assert.equal(await status(`Host: ${host}`, `Origin: ${origin}`), 403, origin);
  }
  assert.equal(await status(`Host: ${host}`, `Origin: http://${host}`), 200);
  for (const site of ["cross-site", "same-site"]) {
    assert.equal(await status(`Host: ${host}`, `Sec-Fetch-Site: ${site}`), 403, site);
  }
  assert.equal(await status(`Host: ${host}`, "Sec-Fetch-Site: none"), 200);
});

Deno.test("it can be read, and nothing else", async () => {
  await using monitor = await serveMonitor();
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    for (const path of ["", "data"]) {
      const response = await get(monitor, path, { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
      await response.body?.cancel();
    }
  }
  for (const path of ["", "data", "main.js"]) {
    const response = await get(monitor, path, { method: "HEAD" });
    assert.deepEqual([response.status, await response.text()], [200, ""]);
  }
});

Deno.test("the page runs its own scripts only, and asks nobody else", async () => {
  await using monitor = await serveMonitor();
  const nonces = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const response = await get(monitor), text = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    const [, nonce] = /script-src 'nonce-([^']+)';/.exec(policy) ?? [];
    nonces.add(nonce);
    assert.match(policy, /^default-src 'none';.*require-trusted-types-for 'script'/);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    for (const [tag] of text.matchAll(/<(?:script|link rel="stylesheet")[^>]*>/g)) {
      assert.ok(tag.includes(`nonce="${nonce}"`), tag);
    }
    assert.doesNotMatch(text, /NONCE|\son\w+=|style=|https?:(?!\/\/www\.w3\.org)/);
    for (const name of ["cache-control", "referrer-policy", "x-content-type-options"]) {
      assert.match(response.headers.get(name) ?? "", /^no-?\w+/);
    }
  }
  assert.equal(nonces.size, 2);
});

Deno.test("what is in queues, arguments and results is never told", async () => {
  await using monitor = await serveMonitor();
  const queue = new Queue({ name: "told" });
  await queue.put({ text: "a secret" });
  const echo = (item: unknown) => item;
  await using pool = new Pool({ processes: 1, name: "told pool" });
  await pool.map(echo, ["a secret", "a secret"]);
  const busy = pool.apply((_: string) => new Promise(() => {}), ["a secret"], {
    name: "told task",
  });
  busy.catch(() => {});
  const shown = await shows(
    monitor.url,
    ({ pools }: Snapshot) => pools[0]?.workers[0]?.running.length > 0,
  );
  assert.deepEqual(shown.queues.rows.map(({ name }) => name), ["told"]);
  assert.deepEqual(Object.keys(shown.pools[0].slowest[0]), ["task", "index", "ms"]);
  assert.equal(shown.pools[0].workers[0].running[0].task, "told task");
  assert.doesNotMatch(JSON.stringify(shown), /secret/);
  pool.terminate();
});

Deno.test("queues have length and rates; locks a holder and waiters; semaphores their permits", async () => {
  await using monitor = await serveMonitor();
  const queue = new Queue<number>({ name: "numbers", maxSize: 100 });
  const lock = new Lock(), rlock = new RLock(), semaphore = new Semaphore(3);
  await lock.acquire();
  await rlock.acquire();
  await semaphore.acquire();
  const waiter = new Process({
    target: async (lock: Lock) => await lock.acquire(),
    args: [lock],
    name: "waiter",
  });
  waiter.start();
  const numbers = ({ queues }: Snapshot) => queues.rows.find(({ name }) => name === "numbers");
  await shows(monitor.url, (shown) => numbers(shown)?.putRate === 0);
  await queue.putMany([1, 2, 3, 4, 5]);
  await queue.getMany(2);
  const shown = await shows(monitor.url, (shown) => {
    return numbers(shown)?.size === 3 &&
      shown.locks.rows.some(({ waiterCount }) => waiterCount === 1);
  });
  const { locks, waitsFor, processes } = shown, row = numbers(shown)!;
  assert.deepEqual([row.name, row.maxSize, row.put, row.got], ["numbers", 100, 5, 2]);
  assert.ok(row.putRate! > row.gotRate! && row.gotRate! > 0, JSON.stringify(row));
  const pids = new Map(processes.map(({ name, pid }) => [name, pid]));
  const main = pids.get("MainProcess"), other = pids.get("waiter");
  const byKind = (kind: string) => locks.rows.find((lock) => lock.kind === kind)!;
  assert.equal(byKind("Lock").heldBy, main);
  assert.deepEqual([byKind("Lock").waiters[0].pid, byKind("Lock").waiters[0].call], [
    other,
    "Lock.acquire",
  ]);
  assert.equal(byKind("RLock").heldBy, main);
  assert.equal(byKind("Semaphore").detail, "2 of 3 permits free");
  assert.deepEqual([waitsFor[0].from, waitsFor[0].to], [other, main]);
  lock.release();
  assert.equal(await waiter.result(bound), true);
});

Deno.test("of many queues the page gets some, by order and by filter", async () => {
  const queues = Array.from({ length: 1000 }, (_, i) => new Queue<number>({ name: `many ${i}` }));
  await using monitor = await serveMonitor();
  queues[700].putManyNowait(Array(1000).fill(1));
  const known = ({ queues }: Snapshot) => queues.rows[0]?.name === "many 700";
  const bySize = await shows(monitor.url, known, "order=size");
  assert.ok(bySize.queues.rows.length <= 40);
  assert.equal(bySize.queues.rows[0].name, "many 700");
  const filtered = await data(monitor.url, "filter=many 99");
  assert.deepEqual(filtered.queues.rows.map(({ name }) => name).sort().slice(0, 3), [
    "many 99",
    "many 990",
    "many 991",
  ]);
  assert.equal(filtered.queues.matching, 11);
  assert.equal((await data(monitor.url, "filter=none of them")).queues.matching, 0);
});

Deno.test("the monitor is no child to be joined, and isn't shown", async () => {
  await using monitor = await serveMonitor();
  assert.ok(activeChildren().every(({ name }) => name !== "monitor"));
  const named = ({ processes }: { processes: { name: string }[] }) =>
    processes.filter(({ name }) => name === "monitor").length;
  assert.deepEqual([named(inspect()), named(await data(monitor.url))], [0, 0]);
});

Deno.test("shutdown() ends it at once, with connections open, and another one can begin", async () => {
  const monitor = await serveMonitor(), { finished } = monitor;
  const response = await get(monitor);
  await response.body?.cancel();
  const port = Number(new URL(monitor.url).port);
  const open = await Deno.connect({ hostname: "127.0.0.1", port });
  await open.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  await assert.rejects(serveMonitor(), InvalidStateError);
  await Promise.all([monitor.shutdown(), monitor.shutdown()]);
  await finished;
  assert.equal(await open.read(new Uint8Array(1)).catch(() => null), null);
  open.close();
  await assert.rejects(
    Deno.connect({ hostname: "127.0.0.1", port }),
    Deno.errors.ConnectionRefused,
  );
  await using again = await serveMonitor({ port });
  assert.equal(new URL(again.url).port, `${port}`);
  assert.notEqual(again.url, monitor.url);
});

Deno.test("a port that is taken, a wrong option and a process that was started are errors", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(serveMonitor({ port: taken.addr.port }), Deno.errors.AddrInUse);
  await assert.rejects(serveMonitor({ port: 65_536 }), RangeError);
  await assert.rejects(serveMonitor({ port: "80" as never }), TypeError);
  await assert.rejects(serveMonitor({ prot: 80 } as never), TypeError);
  const child = new Process({
    target: "inChild",
    module: program("child.ts"),
  });
  child.start();
  assert.equal(await child.result(bound), "InvalidStateError");
});

Deno.test("it needs the permission for 127.0.0.1 and no other, and says so", async () => {
  const [denied, granted] = await Promise.all([
    run(program("ends.ts"), [], ["--no-prompt"]),
    run(program("ends.ts"), [], ["--no-prompt", "--allow-net=127.0.0.1"]),
  ]);
  assert.notEqual(denied.code, 0);
  assert.match(denied.errors, /NotCapable: serveMonitor\(\).*--allow-net=127\.0\.0\.1/);
  assert.deepEqual(granted, { code: 0, out: ["200", "end of main"], errors: "" });
});

Deno.test("finished keeps a program alive, and a request still gets an answer", async () => {
  await using stays = await started("ends.ts", "stay");
  assert.equal((await data(stays.url)).processes[0].name, "MainProcess");
  await sleep(1500); // longer than it takes to end
  assert.equal((await data(stays.url)).processes[0].state, "running");
});

for (const how of ["blocked", "computing"]) {
  Deno.test(`while main is ${how}, the page lives, and knows its queues and who waits`, async () => {
    await using stuck = await started("blocked.ts", how);
    const shown = await shows(stuck.url, ({ queues, processes }: Snapshot) => {
      const main = processes.find(({ name }) => name === "MainProcess");
      // The rate is known of queues that main has told of.
      return queues.rows[0]?.waiterCount > 0 && queues.rows[0].putRate !== null &&
        (how === "computing" ? main!.state === "running" : main!.state === "blocked");
    });
    assert.equal(shown.queues.rows[0].name, "answers");
    const before = shown.at;
    await shows(stuck.url, ({ at }: Snapshot) => at > before);
  });
}

Deno.test("a queue that the program lets go is forgotten", async () => {
  await using program = await started("forgets.ts", "", ["--v8-flags=--expose-gc"]);
  const { queues } = await shows(program.url, ({ queues }: Snapshot) => queues.total === 1);
  assert.equal(queues.rows[0].name, "kept");
});
