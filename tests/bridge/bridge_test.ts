// Queues and connections in the arguments of a process of the operating system.

import assert from "node:assert/strict";
import {
  type Connection,
  JoinableQueue,
  Pipe,
  Process,
  type ProcessOptions,
  type ProcessParameters,
  Queue,
  SimpleQueue,
  wait,
} from "../../mod.ts";

const ignore = Deno.permissions.querySync({ name: "run" }).state !== "granted" ||
  Deno.build.os === "windows";

/** Starts a process of the operating system. */
function start<A extends unknown[], R>(
  target: (...args: A) => R | Promise<R>,
  ...args: A
): Process<A, R> {
  const options = { target, args, isolation: "os", by: "source" } as ProcessOptions<A, R>;
  const process = new Process<A, R>(...[options] as unknown as ProcessParameters<A, R>);
  process.start();
  return process;
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name} (needs --allow-run)`, ignore, fn });
}

/** Longer than anything here takes. */
const bound = { timeout: 60_000 };

test("items go through queues, and bounds hold the process back", async () => {
  const numbers = new Queue<number>(), squares = new Queue<number>({ maxSize: 2 });
  const process = start(
    async (numbers: Queue<number>, squares: Queue<number>) => {
      for await (const n of numbers) await squares.put(n * n);
      squares.shutdown();
    },
    numbers,
    squares,
  );
  await numbers.putMany([1, 2, 3, 4, 5]);
  numbers.shutdown();
  while (squares.qsize() < 2) await process.join({ timeout: 10 });
  await process.join({ timeout: 100 });
  assert.equal(squares.qsize(), 2);
  const got: number[] = [];
  for await (const n of squares) got.push(n);
  assert.deepEqual(got, [1, 4, 9, 16, 25]);
  await process.result(bound);
});

test("every call of a queue answers as in a thread", async () => {
  const target = async (queue: Queue<unknown>) => {
    const seen: unknown[] = [queue.maxSize, queue.empty(), queue.full(), queue.qsize(), queue.name];
    const failure = async (work: () => unknown) => {
      try {
        return await work();
      } catch (error) {
        return (error as Error).name;
      }
    };
    queue.putNowait(1);
    queue.putSync(new Map([[1, new Date(0)]]));
    await queue.put([2n]);
    seen.push(queue.full(), queue.qsize(), queue.statistics().put);
    seen.push(await failure(() => queue.putNowait(0)));
    seen.push(await failure(() => queue.put(0, { timeout: 1 })));
    seen.push(await failure(() => queue.putSync(0, { timeout: 1 })));
    seen.push(await failure(() => queue.put(() => {})));
    seen.push(queue.getNowait(), queue.getSync(), await queue.get());
    seen.push(
      await failure(() => queue.getNowait()),
      await failure(() => queue.get({ timeout: 1 })),
    );
    seen.push(await failure(() => queue.getSync({ timeout: 1 })));
    seen.push(await failure(() => queue.get({ timeout: -1 })));
    await queue.putMany([1, 2, 3]);
    seen.push(
      queue.getManyNowait(2),
      await queue.getMany(5),
      await failure(() => queue.getMany(0)),
    );
    queue.maxSize = 7;
    seen.push(queue.maxSize);
    await ReadableStream.from(["a", "b"]).pipeTo(queue.writable);
    const items: unknown[] = [];
    for await (const item of queue) items.push(item);
    seen.push(items, await failure(() => queue.get()), await failure(() => queue.put(1)));
    queue.close();
    seen.push(queue.closed, await failure(() => queue.get()));
    return seen;
  };
  const thread = new Process({ target, args: [new Queue({ maxSize: 3 })], by: "source" });
  thread.start();
  const expected = await thread.result(bound);
  assert.deepEqual(await start(target, new Queue({ maxSize: 3 })).result(bound), expected);
});

test("a joinable and a simple queue", async () => {
  const joinable = new JoinableQueue<number>(), simple = new SimpleQueue<string>();
  await joinable.putMany([1, 2]);
  const process = start(
    async (joinable: JoinableQueue<number>, simple: SimpleQueue<string>) => {
      const before = joinable.unfinished;
      for (let i = 0; i < 2; i++) {
        await joinable.get();
        joinable.taskDone();
      }
      await simple.put("done");
      return [
        before,
        joinable.unfinished,
        await joinable.join(),
        joinable.joinSync({ timeout: 1 }),
      ];
    },
    joinable,
    simple,
  );
  assert.equal(await joinable.join(bound), true);
  assert.equal(await simple.get(bound), "done");
  assert.deepEqual(await process.result(bound), [2, 0, true, true]);
});

test("messages and bytes go through a pipe, and its end is noticed on both sides", async () => {
  const [here, there] = Pipe<unknown>();
  const process = start(
    async (connection: Connection<unknown>) => {
      await connection.send((await connection.recv() as string).toUpperCase());
      connection.sendSync(connection.recvSync());
      await connection.sendBytes(Uint8Array.of(1, 2, 3), { offset: 1 });
      const bytes = new Uint8Array(4);
      const count = await connection.recvBytesInto(bytes, { offset: 1 });
      const polled = [connection.pollNowait(), connection.pollSync({ timeout: 1 })];
      const end = await connection.recv().catch((error) => error.name);
      return [count, [...bytes], polled, end];
    },
    there,
  );
  assert.throws(() => there.sendNowait(1), /given to Process/);
  await here.send("hello");
  assert.equal(await here.recv(bound), "HELLO");
  await here.send({ n: 1 });
  assert.deepEqual(await here.recv(bound), { n: 1 });
  assert.deepEqual([...await here.recvBytes(bound)], [2, 3]);
  await here.sendBytes(Uint8Array.of(7, 8));
  await process.join({ timeout: 300 });
  here.close();
  assert.deepEqual(await process.result(bound), [2, [0, 7, 8, 0], [false, false], "EOFError"]);

  const [mine, its] = Pipe<string>();
  const sender = start(
    async (connection: Connection<string>) => await connection.send("last"),
    its,
  );
  assert.equal(await mine.recv(bound), "last");
  await assert.rejects(mine.recv(bound), { name: "EOFError" });
  await sender.result(bound);
});

test("a get that is aborted, or whose process is killed, has taken nothing", async () => {
  const queue = new Queue<number>(), other = new Queue<string>(), told = new Queue<unknown>();
  const process = start(
    async (queue: Queue<number>, other: Queue<string>, told: Queue<unknown>) => {
      const signal = AbortSignal.timeout(1);
      await told.put(await queue.get({ signal }).catch((error) => error.name));
      const { length, 0: ready } = await wait([queue, other]);
      await told.put([length, ready === other, await other.get()]);
      return await queue.get();
    },
    queue,
    other,
    told,
  );
  assert.equal(await told.get(bound), "TimeoutError");
  await other.put("now");
  assert.deepEqual(await told.get(bound), [1, true, "now"]);
  await queue.put(1);
  assert.equal(await process.result(bound), 1);

  const getter = start(
    async (queue: Queue<number>, other: Queue<string>) => {
      const getting = queue.get();
      await other.put("waits");
      await getting;
    },
    queue,
    other,
  );
  assert.equal(await other.get(bound), "waits");
  getter.kill();
  await getter.join();
  await queue.put(2);
  assert.equal(queue.getNowait(), 2);
});

test("what is sent is bounded by maxResultBytes, and an object of the bridge stays where it is", async () => {
  const queue = new Queue<unknown>();
  const process = start(async (queue: Queue<unknown>) => {
    const large = await queue.put("x".repeat(2 ** 21)).catch((error) => error.message);
    const itself = await queue.put({ queue }).catch((error) => error.message);
    return [large, itself];
  }, queue);
  const [large, itself] = await process.result(bound) as string[];
  assert.match(
    large,
    /^put\(\) takes \d+ bytes, and a process of the operating system sends at most 1048576/,
  );
  assert.match(itself, /queue is a queue of another process/);
  assert.equal(queue.qsize(), 0);
});

test("limits hold a process with queues as any other", async () => {
  const queue = new Queue<number>(), limits = { memoryLimitMb: 16, timeLimit: 60_000 };
  const target = async (queue: Queue<number>) => await queue.put(await queue.get() + 1);
  const process = new Process({
    ...{ target, args: [queue], isolation: "os", by: "source", ...limits },
  });
  process.start();
  await queue.put(1);
  await process.result(bound);
  assert.equal(queue.getNowait(), 2);
});

test("a process that sends what is no frame is ended, and nothing else", async () => {
  const queue = new Queue<number>();
  const attacks: ((queue: Queue<number>) => Promise<void>)[] = [
    async () => {
      const { writeSync } = (await import("node:fs")).default;
      writeSync(3, Uint8Array.of(255, 255, 255, 255, 20));
      for (;;);
    },
    async () => {
      const { writeSync } = (await import("node:fs")).default;
      writeSync(3, Uint8Array.of(0, 0, 0, 0, 99));
      for (;;);
    },
    async () => {
      const { writeSync } = (await import("node:fs")).default;
      const random = crypto.getRandomValues(new Uint8Array(5000));
      writeSync(3, Uint8Array.of(random.length & 255, random.length >> 8, 0, 0, 20, ...random));
      for (;;);
    },
  ];
  for (const target of attacks) {
    const process = new Process({
      ...{ target, args: [queue], isolation: "os", by: "source", sealed: false },
    });
    process.start();
    await assert.rejects(process.result(bound), { exitCode: -9 });
  }
  await queue.put(1);
  assert.equal(queue.getNowait(), 1);
});
