// Pools whose workers are programs: what the calls give, what fails and how, and what becomes of tasks when workers
// and callers die.

import assert from "node:assert/strict";
import { Lock, Queue } from "../../mod.ts";
import {
  BrokenPoolError,
  CancelledError,
  connect,
  type Hub,
  InvalidStateError,
  type RemotePool,
  type RemotePoolOptions,
  type Task,
  TaskError,
  TimeoutError,
} from "../../redis.ts";
import { says } from "../queue/contract/implementation.ts";
import * as tasks from "../support/targets/redis_tasks.ts";
import { Server } from "./support/server.ts";
import { tasksFile, WorkerProgram } from "./support/worker.ts";

const bound = { timeout: 20_000 };
const LEASE = 1000;

let server: Server, shared: WorkerProgram;
Deno.test.beforeAll(async () => {
  server = await Server.start();
  shared = await WorkerProgram.start(server.url, "shared", "--processes", "2");
});
Deno.test.afterAll(async () => {
  await shared.kill();
  await server[Symbol.asyncDispose]();
});

/** A test with a hub, and with the pool of the worker that all such tests share. */
function poolTest(
  name: string,
  run: (pool: RemotePool, hub: Hub) => Promise<void>,
  options?: RemotePoolOptions,
): void {
  Deno.test(name, async () => {
    await using hub = await connect(server.url, { leaseTime: LEASE });
    await using pool = hub.pool("shared", options);
    await run(pool, hub);
  });
}

/** Resolves when the task that uses the option has sent its first message. */
function firstMessage(): { onMessage: (value: unknown) => void; begun: Promise<unknown> } {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return { onMessage: resolve, begun: promise };
}

poolTest("apply, submit, map, starmap, the imaps and load give what a Pool gives", async (pool) => {
  assert.equal(await pool.ready(bound), true);
  assert.equal(await pool.apply(tasks.square, [7]), 49);
  const task = pool.submit(tasks.add, [1, 2], { name: "sum" });
  assert.equal(await task, 3);
  assert.deepEqual([task.name, task.done(), typeof task.worker], ["sum", true, "string"]);
  const numbers = Array.from({ length: 500 }, (_, i) => i), squares = numbers.map((n) => n * n);
  assert.deepEqual(await pool.map(tasks.square, numbers), squares);
  assert.deepEqual(await pool.starmap(tasks.add, [[1, 2], [3, 4]]), [3, 7]);
  assert.deepEqual(await Array.fromAsync(pool.imap(tasks.square, numbers)), squares);
  const unordered = await Array.fromAsync(pool.imapUnordered(tasks.square, numbers));
  assert.deepEqual(unordered.sort((a, b) => a - b), squares);
  for await (const [index, result] of pool.imapIndexed(tasks.square, [5, 6])) {
    assert.equal(result, (index + 5) ** 2);
  }
  // Another machine has the file elsewhere.
  const far = pool.load<typeof tasks>("file:///elsewhere/targets/redis_tasks.ts");
  assert.equal(await far.add(2, 3), 5);
  const data = { map: new Map([[1, new Date(5)]]), bytes: new Uint8Array(70_000).fill(3) };
  assert.deepEqual(await pool.apply(tasks.echo, [data]), data);
});

poolTest("an endless source is read as far as need be, and closed", async (pool) => {
  let read = 0, isClosed = false;
  function* naturals() {
    try {
      for (;;) yield read++;
    } finally {
      isClosed = true;
    }
  }
  for await (const n of pool.imap(tasks.square, naturals(), { bufferSize: 10 })) {
    if (n === 400) break;
  }
  assert.ok(isClosed && read <= 40, `${read}`);
});

poolTest(
  "messages of a task, its name, index and attempt, and the progress of a map arrive",
  async (pool) => {
    const messages: unknown[] = [];
    const onMessage = (message: unknown) => messages.push(message);
    assert.equal(await pool.apply(tasks.beginAndSleep, [1], { onMessage }), 1);
    assert.deepEqual(messages, ["begun"]);
    assert.deepEqual(await pool.apply(tasks.describeTask, [], { name: "me" }), ["me", 0, 1]);
    const those = await pool.map(tasks.describeTask as (n: number) => unknown, [0, 0, 0]);
    assert.deepEqual(those, [0, 1, 2].map((i) => ["describeTask", i, 1]));
    let last: unknown;
    await pool.map(tasks.square, [1, 2, 3], {
      onProgress: ({ done, total }) => last = [done, total],
    });
    assert.deepEqual(last, [3, 3]);
  },
);

poolTest(
  "an error arrives whole: class, message, fields, cause, the line there and the one here",
  async (pool) => {
    const error = await pool.apply(tasks.refuse, [7]).then(() => null, (error) => error);
    assert.ok(error instanceof TaskError);
    assert.match(error.message, /^refuse\(7\) failed: OddError: odd: 7/);
    assert.deepEqual([error.task, error.index, error.item, error.attempts, error.exitCode], [
      ...["refuse", 0, "[ 7 ]", 1, 1],
    ]);
    assert.match(error.stack!, /tests\/redis\/pool\.ts/);
    const cause = error.cause as tasks.OddError;
    assert.ok(cause instanceof Error);
    assert.deepEqual([cause.name, cause.message, cause.code], ["OddError", "odd: 7", 7]);
    assert.match(cause.stack!, /redis_tasks\.ts/);
    assert.ok(cause.cause instanceof RangeError);
    const results = await pool.map(tasks.refuseOdd, [2, 3, 4], { returnExceptions: true });
    assert.deepEqual([results[0], results[2]], [2, 4]);
    assert.ok(results[1] instanceof TaskError && results[1].index === 1);
    await assert.rejects(pool.map(tasks.refuseOdd, [0, 2, 5]), { index: 2 });
  },
);

poolTest("a result that can't cross fails its own task, and says where", async (pool) => {
  const check = (place: RegExp) => (error: TaskError) => {
    assert.ok(error instanceof TaskError);
    assert.match((error.cause as Error).message, place);
    return true;
  };
  await assert.rejects(pool.apply(tasks.uncloneable), check(/^result\.deep\[0\]\.f is a function/));
  await assert.rejects(pool.apply(tasks.queueInside), check(/^result\.queue is a Queue/));
  await assert.rejects(
    pool.apply(tasks.large, [2 ** 24 + 5]),
    check(/^result takes \d+ bytes, more/),
  );
  assert.equal(await pool.apply(tasks.square, [3]), 9);
});

poolTest("arguments that can't cross fail their own call, and say where", async (pool) => {
  const check = (place: RegExp) => (error: TaskError) => {
    assert.match((error.cause as Error).message, place);
    return true;
  };
  await assert.rejects(
    pool.apply(tasks.echo, [{ f: () => 1 }]),
    check(/^args\[0\]\.f is a function/),
  );
  await assert.rejects(pool.apply(tasks.echo, [new Lock()]), check(/^args\[0\] is a Lock/));
  await assert.rejects(pool.map(tasks.echo, [1, new Queue()]), check(/^items\[1\] is a Queue/));
  await assert.rejects(
    pool.apply(tasks.echo, ["x".repeat(2 ** 24)]),
    check(/^args takes \d+ bytes/),
  );
});

poolTest(
  "what a worker can't have is refused at the call, or by the worker in words",
  async (pool) => {
    const local = (n: number) => n;
    const check = says(TypeError, /"local" can't travel by reference/, /Export it from a module/);
    await assert.rejects(pool.apply(local, [1]), check);
    await assert.rejects(pool.map(local, [1]), check);
    assert.throws(() => pool.submit(local, [1]), check);
    assert.throws(() => pool.imap(local, [1]), check);
    const isNone = (error: TaskError) => {
      assert.match(
        `${error.cause}`,
        /TypeError: This worker was started without a module here\.ts/,
      );
      return true;
    };
    await assert.rejects(pool.load<{ f(): void }>("file:///here.ts").f(), isNone);
    const at = (message: RegExp) => (error: TaskError) => {
      assert.match(`${error.cause}`, message);
      return true;
    };
    const module = pool.load<Record<string, () => void>>(new URL(`file://${tasksFile}`));
    await assert.rejects(module.nothing(), at(/"nothing" is not exported by redis_tasks\.ts/));
    await assert.rejects(module.notAFunction(), at(/is a number\. Export a function/));
    assert.throws(
      () => pool.load<typeof tasks>("data:text/javascript,").square,
      says(TypeError, /a worker can't have/),
    );
    assert.throws(
      () => pool.load("here.ts"),
      says(TypeError, /load\(\) was given a string, "here\.ts"/),
    );
    function* generator() {}
    await assert.rejects(pool.apply(generator as never), says(TypeError, /generator function/));
  },
);

poolTest(
  "options that don't exist, and values that make no sense, are refused at the call",
  async (pool, hub) => {
    const task: [object, RegExp][] = [
      [{ priority: 1 }, /^priority is no option here/],
      [{ transfer: [] }, /^transfer is no option here/],
      [{ timeOut: 1 }, /^timeOut is no option here/],
      [{ timeout: -1 }, /^timeout is -1/],
      [{ retries: -1 }, /^retries is -1/],
      [{ timeLimit: "x" }, /^timeLimit is a string, "x"/],
      [{ onMessage: 5 }, /^onMessage is (5|a number)/],
    ];
    for (const [option, message] of task) {
      await assert.rejects(pool.apply(tasks.square, [1], option), { message });
      assert.throws(() => pool.submit(tasks.square, [1], option), { message });
      await assert.rejects(pool.map(tasks.square, [1], option), { message });
      assert.throws(() => pool.imap(tasks.square, [1], option), { message });
    }
    await assert.rejects(pool.map(tasks.square, [1], { chunkSize: 0 }), /chunkSize is 0/);
    await assert.rejects(
      pool.map(tasks.square, 5 as never),
      /^TypeError: map\(\) was given a number as items/,
    );
    await assert.rejects(
      pool.apply(tasks.square, 5 as never),
      /^TypeError: apply\(\) was given a number/,
    );
    const ofPools: [object, RegExp][] = [
      [{ processes: 2 }, /^processes is no option here/],
      [{ retries: 1.5 }, /^retries is 1\.5/],
      [{ timeLimit: -1 }, /^timeLimit is -1/],
      [{ maxQueueSize: 0 }, /^maxQueueSize is 0/],
      [{ module: "tasks.ts" }, /^module is .*"tasks\.ts"/],
    ];
    for (const [option, message] of ofPools) {
      assert.throws(() => hub.pool("x", option), {
        message,
      });
    }
    for (const name of ["", "\ud800", 5, undefined]) {
      assert.throws(() => hub.pool(name as string), says(TypeError, /^name is /));
    }
  },
);

poolTest(
  "three clocks: timeout ends the task, timeLimit kills its process, that of result() ends the wait",
  async (pool) => {
    await assert.rejects(pool.apply(tasks.spin, [60_000], { timeout: 300 }), TimeoutError);
    const limited = pool.apply(tasks.spin, [60_000], { timeLimit: 100 });
    await assert.rejects(limited, { limit: "timeLimit", message: /reached its timeLimit/ });
    const task = pool.submit(tasks.sleep, [100]);
    await assert.rejects(task.result({ timeout: 1 }), TimeoutError);
    assert.equal(await task, 100);
  },
);

poolTest("cancelling ends what spins and takes out what waits, and hits no other", async (pool) => {
  const spins = [1, 2].map(() => {
    const { onMessage, begun } = firstMessage();
    return { task: pool.submit(tasks.beginAndSpin, [60_000], { onMessage }), begun };
  });
  await Promise.all(spins.map(({ begun }) => begun));
  const waiting = pool.submit(tasks.square, [1]), next = pool.submit(tasks.square, [2]);
  assert.deepEqual([spins[0].task.running(), waiting.running()], [true, false]);
  assert.equal(waiting.cancel("not wanted"), true);
  await assert.rejects(waiting.result(), { name: "CancelledError", cause: "not wanted" });
  const stop = new AbortController();
  const aborted = pool.apply(tasks.square, [3], { signal: stop.signal });
  stop.abort(new Error("stopped"));
  await assert.rejects(aborted, CancelledError);
  for (const { task } of spins) task.cancel();
  await assert.rejects(spins[0].task.result(), CancelledError);
  assert.equal(await next, 4);
  const figures = await pool.statistics();
  assert.deepEqual([figures.workers, figures.processes], [1, 2]);
});

poolTest(
  "a process that exits costs its task its retries; then it is a dead letter",
  async (pool) => {
    const error = await pool.apply(tasks.exit, [3], { retries: 2 }).catch((error) => error);
    assert.ok(error instanceof TaskError, `${error}`);
    assert.deepEqual([error.attempts, error.exitCode], [3, 3]);
    assert.match(error.message, /^exit\(3\) was lost: its worker .* exited with code 3/);
    const { item, attempts } = await pool.dead.get(bound);
    assert.deepEqual([item.name, item.exportName, item.args, attempts], ["exit", "exit", [3], 3]);
    // The other items of a chunk are none the worse.
    const mixed = await pool.map(tasks.echo, [1, 2], { chunkSize: 2 });
    assert.deepEqual(mixed, [1, 2]);
  },
);

poolTest("a bound of the backlog: submit() throws, apply() waits", async (pool) => {
  const blocked = [1, 2].map(() => pool.submit(tasks.sleep, [300]));
  const overfull = () => {
    for (let i = 0; i < 10; i++) pool.submit(tasks.square, [i]).result().catch(() => {});
  };
  assert.throws(overfull, { name: "QueueFull" });
  assert.equal(await pool.apply(tasks.square, [9]), 81);
  await Promise.all(blocked);
}, { maxQueueSize: 2 });

poolTest("a closed pool takes nothing more, and its calls are still done", async (pool, hub) => {
  const own = hub.pool("shared");
  const last = own.submit(tasks.sleep, [50]);
  await assert.rejects(own.join(), says(InvalidStateError, /Call close\(\) or terminate\(\)/));
  own.close();
  assert.throws(() => own.submit(tasks.square, [1]), says(InvalidStateError, /was closed/));
  assert.equal(await own.join(bound), true);
  assert.equal(await last, 50);
  const ended = hub.pool("shared"), spinning = ended.submit(tasks.spin, [60_000]);
  ended.terminate();
  await assert.rejects(spinning.result(), CancelledError);
  assert.equal(await ended.join(bound), true);
  assert.equal(await hub.pool("shared").shutdown({ cancelFutures: true }), true);
  assert.equal(await pool.apply(tasks.square, [5]), 25);
});

// Workers that die.

/** A pool of its own for a test whose workers die. */
async function mortal(name: string, options?: RemotePoolOptions) {
  const hub = await connect(server.url, { leaseTime: LEASE });
  const pool = hub.pool(name, options);
  const start = () =>
    WorkerProgram.start(server.url, name, "--processes", "1", "--lease-time", `${LEASE}`);
  return { hub, pool, start };
}

Deno.test("a killed worker's task is run by another one, as attempt 2; the item of a chunk, too", async () => {
  const { hub, pool, start } = await mortal("killed");
  await using first = await start();
  const { onMessage, begun } = firstMessage();
  const task = pool.submit(tasks.beginAndSleep, [3000], { onMessage });
  const waiting = pool.submit(tasks.describeTask);
  await begun;
  await first.kill();
  await using second = await start();
  assert.equal(await task, 2);
  assert.equal((await waiting)[2], 1);
  const many = firstMessage();
  const mapped = pool.map(tasks.beginAndSleep, [1000, 1000], {
    chunkSize: 2,
    onMessage: many.onMessage,
  });
  await many.begun;
  await second.kill();
  await using _ = await start();
  assert.deepEqual(await mapped, [2, 2]);
  await hub.close();
});

Deno.test("a task whose worker programs die as often as its retries allow fails, and is a dead letter", async () => {
  const { hub, pool, start } = await mortal("too often", { retries: 0 });
  await using first = await start();
  const { onMessage, begun } = firstMessage();
  const task = pool.submit(tasks.beginAndSleep, [60_000], { onMessage });
  await begun;
  await first.kill();
  await using _ = await start();
  const error = await task.exception(bound);
  assert.match(`${error}`, /beginAndSleep\(60000\) was lost: its worker was killed/);
  assert.equal(error!.attempts, 1);
  assert.equal((await pool.dead.get(bound)).item.name, "beginAndSleep");
  await hub.close();
});

Deno.test("a task that computes for longer than the lease keeps it", async () => {
  const { hub, pool, start } = await mortal("long");
  await using _first = await start();
  await using _second = await start();
  assert.equal(await pool.apply(tasks.beginAndSpin, [3 * LEASE]), 1);
  await hub.close();
});

Deno.test("a worker that was cut off for longer than its lease: one outcome, and it goes on", async () => {
  const { hub, pool, start } = await mortal("hung");
  await using hung = await start();
  const { onMessage, begun } = firstMessage();
  const task = pool.submit(tasks.beginAndSleep, [1500], { onMessage });
  await begun;
  hung.signal("SIGSTOP");
  {
    await using other = await start();
    assert.equal(await task, 2);
    hung.signal("SIGCONT");
    other.signal("SIGTERM");
    assert.equal(await other.code(), 0);
  }
  // The one that was hung takes tasks again, once it has noticed.
  assert.deepEqual(await pool.map(tasks.square, [1, 2, 3]), [1, 4, 9]);
  assert.equal((await pool.statistics()).waiting, 0);
  await hub.close();
});

Deno.test("SIGTERM: what runs is finished, what waits goes to others; the program ends with 0", async () => {
  const { hub, pool, start } = await mortal("graceful");
  await using worker = await start();
  const { onMessage, begun } = firstMessage();
  const running = pool.submit(tasks.beginAndSleep, [700], { onMessage });
  await begun;
  const waiting = [1, 2, 3].map((n) => pool.submit(tasks.describeTask, [], { name: `${n}` }));
  worker.signal("SIGTERM");
  assert.equal(await worker.code(), 0);
  assert.equal(await running, 1);
  assert.deepEqual(waiting.map((task) => task.done()), [false, false, false]);
  await using _ = await start();
  assert.deepEqual((await Promise.all(waiting)).map(([, , attempt]) => attempt), [1, 1, 1]);
  await hub.close();
});

Deno.test("the second Ctrl-C ends a worker at once, and others run its task anew", async () => {
  const { hub, pool, start } = await mortal("impatient");
  await using worker = await start();
  const { onMessage, begun } = firstMessage();
  const task = pool.submit(tasks.beginAndSpin, [1500], { onMessage });
  await begun;
  worker.signal("SIGINT");
  while (!worker.errors.includes("once more")) await new Promise((done) => setTimeout(done, 10));
  worker.signal("SIGINT");
  await worker.code();
  await using _ = await start();
  assert.equal(await task, 2);
  await hub.close();
});

// Callers that go, and the server.

Deno.test("tasks of a caller that is gone are not begun", async () => {
  const { hub, pool, start } = await mortal("forsaken");
  const forsaken = pool.submit(tasks.square, [1]);
  while (await pool.qsize() === 0);
  // As when its program has ended, and a minute has passed.
  const keys = await server.cli("keys", "mp:{forsaken}:pool:to:*:meta");
  await server.cli("del", ...keys.split("\n"));
  const other = await connect(server.url), witness = other.pool("forsaken");
  const after = witness.submit(tasks.square, [2]);
  await using _ = await start();
  assert.equal(await after, 4);
  assert.equal((await witness.statistics()).done, 2);
  await assert.rejects(forsaken.result(), BrokenPoolError);
  await witness.shutdown();
  await other.close();
  await hub.close();
});

Deno.test("a server that has lost the pool: an error for its callers, and the worker ends with 1", async () => {
  await using own = await Server.start();
  await using hub = await connect(own.url, { leaseTime: LEASE });
  const pool = hub.pool("lost");
  await using worker = await WorkerProgram.start(own.url, "lost", "--lease-time", `${LEASE}`);
  const { onMessage, begun } = firstMessage();
  const running = pool.submit(tasks.beginAndSleep, [60_000], { onMessage });
  const isBroken = assert.rejects(running.result(), says(BrokenPoolError, /has lost the queue/));
  await begun;
  await own.kill();
  await own.restart();
  await isBroken;
  assert.throws(() => pool.submit(tasks.square, [1]), BrokenPoolError);
  assert.equal(await worker.code(), 1);
  assert.match(worker.errors, /has lost the queue/);
});

Deno.test("deleting a pool, and closing the hub, are told to whoever waits", async () => {
  const { hub, pool } = await mortal("deleted");
  const waiting = pool.submit(tasks.square, [1]);
  const isOver = assert.rejects(waiting.result(), BrokenPoolError);
  await pool.delete();
  await isOver;
  assert.equal(await server.cli("keys", "mp:{deleted}*"), "");
  const closed = hub.pool("closed").submit(tasks.square, [1]);
  const isClosed = assert.rejects(closed.result(), says(BrokenPoolError, /closed the hub/));
  await hub.close();
  await isClosed;
  assert.throws(() => hub.pool("late"), InvalidStateError);
});

Deno.test("a server whose memory is full refuses calls, and the calls that it has are done", async () => {
  await using own = await Server.start({ args: ["--maxmemory", "6mb"] });
  await using hub = await connect(own.url, { leaseTime: LEASE });
  const pool = hub.pool("full"), accepted: Task<unknown>[] = [];
  const text = "x".repeat(20_000);
  let refused: TaskError | undefined;
  while (refused === undefined) {
    const task = pool.submit(tasks.echo, [text]);
    // In their order: the first that is refused ends it.
    await pool.qsize();
    await new Promise((resolve) => setTimeout(resolve));
    if (task.done()) refused = await task.exception(bound);
    else accepted.push(task);
    assert.ok(accepted.length < 1000);
  }
  assert.match(`${refused}`, /OOM/);
  await using _ = await WorkerProgram.start(own.url, "full", "--lease-time", `${LEASE}`);
  for (const task of accepted) assert.equal(await task, text);
  assert.equal(await pool.apply(tasks.square, [3]), 9);
});

// The program.

Deno.test("the worker's arguments: what is wrong is said, with the usage, and the exit code is 2", async () => {
  const right = [server.url, "--name", "x", "--module", tasksFile];
  const wrong: [string[], RegExp][] = [
    [[], /The URL of the server is missing/],
    [right.slice(0, 3), /--module is missing/],
    [[server.url, "--module", "x.ts"], /--name is missing/],
    [[...right, "--proceses", "2"], /--proceses is no option here/],
    [[...right, "--processes", "many"], /--processes is many, not a number/],
    [[...right, "--name"], /--name needs a value/],
    [[...right, "other"], /other is one server too many/],
  ];
  await Promise.all(wrong.map(async ([args, message]) => {
    await using program = new WorkerProgram(args);
    assert.equal(await program.code(), 2);
    assert.match(program.errors, message);
    assert.match(program.errors, /--tasks-per-process N/);
  }));
});

Deno.test("a worker that can't begin says why, and ends with 1", async () => {
  const name = ["--name", "x"], module = ["--module", tasksFile];
  const cases: [string[], string[], RegExp][] = [
    [["http://x", ...name, ...module], ["-N", "-R"], /url is a string, "http:\/\/x"/],
    [[server.url, ...name, "--module", "/nowhere.ts"], ["-N", "-R"], /nowhere\.ts can't be loaded/],
    [[server.url, ...name, ...module], ["-N"], /can't be loaded: Requires read access/],
    [[server.url, ...name, ...module, "--processes", "0"], ["-N", "-R"], /processes is 0/],
    [
      ["redis://127.0.0.1:1", ...name, ...module, "--timeout", "50"],
      ["-N", "-R"],
      /No Redis server/,
    ],
  ];
  await Promise.all(cases.map(async ([args, permissions, message]) => {
    await using program = new WorkerProgram(args, permissions);
    assert.equal(await program.code(), 1);
    assert.match(program.errors, message);
  }));
});
