// A value that crosses to another process is read once, and refused at the call if it can't be read there: as
// arguments, fields of a subclass, results, items of queues and messages of pipes.

import assert from "node:assert/strict";
import { Pipe, Process, ProcessError, Queue, SimpleQueue } from "../../mod.ts";
import * as targets from "../support/targets/crossing_targets.ts";

const module = targets.here;
const bound = { timeout: 20_000 };

/** The ways a value can go, and come back. */
const ways: Record<string, (value: unknown) => Promise<unknown>> = {
  "an argument": async (value) => {
    const process = new Process({ target: targets.giveFirst, args: [value], module });
    process.start();
    return await process.result(bound);
  },
  "an argument of a sandbox": async (value) => {
    const process = new Process({
      target: targets.giveFirst,
      args: [value],
      module,
      by: "source",
      permissions: "none",
    });
    process.start();
    return await process.result(bound);
  },
  "an item of a queue": async (value) => {
    const queue = new Queue();
    queue.putNowait(value);
    return await queue.get(bound);
  },
  "one of many items": async (value) => {
    const queue = new Queue();
    await queue.putMany([value]);
    return (await queue.getMany(1, bound))[0];
  },
  "an item of a queue that has to wait": async (value) => {
    const queue = new Queue({ maxSize: 1 });
    queue.putNowait(0);
    const putting = queue.put(value);
    await queue.get();
    await putting;
    return await queue.get(bound);
  },
  "an item of a SimpleQueue": async (value) => {
    const queue = new SimpleQueue();
    await queue.put(value);
    return await queue.get();
  },
  "a message": async (value) => {
    const [here, there] = Pipe();
    await here.send(value);
    return await there.recv(bound);
  },
  "a message that has to wait": async (value) => {
    const [here, there] = Pipe({ maxSize: 1 });
    here.sendNowait(0);
    const sending = here.send(value);
    await there.recv();
    await sending;
    return await there.recv(bound);
  },
};

/** The same for what can also be handed over. */
const posting: Record<string, (value: unknown) => Promise<unknown>> = {
  "an argument beside a queue": async (value) => {
    const process = new Process({
      target: targets.giveFirst,
      args: [value, new Queue()],
      module,
    });
    process.start();
    return await process.result(bound);
  },
  "a message with a queue": async (value) => {
    const [here, there] = Pipe<[unknown, Queue]>();
    await here.send([value, new Queue()]);
    return (await there.recv(bound))[0];
  },
  "a message with a queue that has to wait": async (value) => {
    const [here, there] = Pipe<unknown>({ maxSize: 1 });
    here.sendNowait(0);
    const sending = here.send({ queue: new Queue(), value });
    await there.recv();
    await sending;
    return (await there.recv(bound) as { value: unknown }).value;
  },
  "a message with shared memory": async (value) => {
    const [here, there] = Pipe<unknown>();
    await here.send([new Int32Array(new SharedArrayBuffer(4)), value]);
    return (await there.recv(bound) as unknown[])[1];
  },
  "a message with a buffer that is moved": async (value) => {
    const [here, there] = Pipe<unknown>();
    const buffer = new ArrayBuffer(8);
    await here.send({ value, buffer }, { transfer: [buffer] });
    return (await there.recv(bound) as { value: unknown }).value;
  },
};

/** Values with one getter that counts how often it is read. */
const withGetter: Record<string, (getter: PropertyDescriptor) => unknown> = {
  "of an object": (getter) => Object.defineProperty({ before: 1 }, "it", getter),
  "of an object in others": (getter) => ({
    list: [new Map([["key", { deep: Object.defineProperty({}, "it", getter) }]])],
    set: new Set([1]),
  }),
  "of an element": (getter) => Object.defineProperty([1, 2, 3], 1, getter),
  "with a name of an array": (getter) => Object.defineProperty([1, 2, 3], "name", getter),
  "of an object of a class": (getter) => {
    class Task {
      id = 1;
    }
    return Object.defineProperty(new Task(), "it", getter);
  },
  "of what it gives itself": (getter) => ({
    get outer() {
      return Object.defineProperty({}, "it", getter);
    },
  }),
};

for (const [way, cross] of Object.entries({ ...ways, ...posting })) {
  Deno.test(`a getter in ${way} is read once`, async () => {
    for (const [what, make] of Object.entries(withGetter)) {
      let reads = 0;
      const get = () => ++reads;
      const value = make({ get, enumerable: true, configurable: true });
      await cross(value);
      assert.equal(reads, 1, what);
    }
  });
}

Deno.test("getters of a subclass's fields, and of a result, are read once", async () => {
  const fields = new targets.Fields();
  let reads = 0;
  const get = () => ++reads;
  Object.defineProperty(fields, "direct", { get, enumerable: true, configurable: true });
  fields.nested = {
    get count() {
      return ++reads;
    },
  };
  fields.start();
  assert.deepEqual(await fields.result(bound), { direct: 1, nested: { count: 2 } });
  assert.equal(reads, 2);
  for (const isWithQueue of [false, true]) {
    const counts = new Int32Array(new SharedArrayBuffer(4));
    const process = new Process({
      target: targets.returnCounting,
      args: [counts, isWithQueue],
      module,
    });
    process.start();
    await process.result(bound);
    assert.equal(counts[0], 1);
  }
});

/** Values nested so deep. */
const nested: Record<string, (depth: number) => unknown> = {
  arrays: (depth) => {
    let value: unknown = [];
    for (let i = 1; i < depth; i++) value = [value];
    return value;
  },
  objects: (depth) => {
    let value: unknown = {};
    for (let i = 1; i < depth; i++) value = { next: value };
    return value;
  },
  Maps: (depth) => {
    let value: unknown = new Map();
    for (let i = 1; i < depth; i++) value = new Map([["key", value]]);
    return value;
  },
  causes: (depth) => {
    let value = new Error("innermost");
    for (let i = 1; i < depth; i++) value = new Error("outer", { cause: value });
    return value;
  },
};

// The others are the same calls.
const distinct = ["an argument", "an item of a queue", "one of many items", "a message"];
const deepWays = Object.entries({ ...ways, ...posting }).filter(([way]) => {
  return distinct.includes(way) || way.startsWith("a message with");
});

for (const [way, cross] of deepWays) {
  Deno.test(`${way} nested 1,900 deep crosses, and one nested deeper is refused`, async () => {
    for (const [what, make] of Object.entries(nested)) {
      await cross(make(what === "causes" ? 950 : 1900));
      const isFirst = way === "an argument" && what === "objects";
      for (const depth of isFirst ? [2100, 3000, 10_000, 1_000_000] : [3000, 20_000]) {
        const refused = { name: "RangeError", message: /nested deeper than 2000 levels/ };
        await assert.rejects(cross(make(depth)), refused, `${depth} ${what}`);
      }
    }
  });
}

Deno.test("start() says which argument or field is nested too deep, and nothing is started", () => {
  const deep = nested.objects(3000);
  const start = (...args: unknown[]) => {
    new Process({ target: targets.giveFirst, args: args as [unknown], module }).start();
  };
  assert.throws(() => start(1, deep), /^RangeError: args is nested.*, in args\[1\]\.next\.next\./);
  assert.throws(() => start({ tree: [0, deep] }), /, in args\[0\]\.tree\[1\]/);
  assert.throws(() => start(new Map([["key", deep]])), /, in args\[0\]\.get\("key"\)/);
  assert.throws(() => start(new Queue(), deep), /, in args\[1\]\.next/);
  const fields = new targets.Fields();
  fields.nested = deep;
  assert.throws(() => fields.start(), /^RangeError: this is nested.*, in this\.nested\.next/);
});

Deno.test("a result that is nested too deep is the failure of its process", async () => {
  for (const permissions of [undefined, "none"] as const) {
    for (const depth of [3000, 100_000]) {
      const by = "source" as const;
      const process = new Process({
        ...{ target: targets.returnNested, args: [depth] as [number], module, by, permissions },
      });
      process.start();
      const error = await process.result(bound).catch((error) => error);
      assert.ok(error instanceof ProcessError);
      assert.ok(error.cause instanceof RangeError);
      assert.match(error.message, /failed: RangeError: result is nested deeper.*, in result\[0\]/);
    }
  }
});

Deno.test("a process holds its arguments until its end, whether it uses them or not", async () => {
  const [here, there] = Pipe<string>(), ready = new Queue<string>();
  await using process = new Process({ target: targets.makeGarbage, args: [there, ready], module });
  process.start();
  await ready.get(bound);
  assert.equal(here.pollNowait(), false, "the other end was closed");
  here.sendNowait("still there");
});

Deno.test("large buffers cross, and so do views on one of them", async () => {
  const buffer = new ArrayBuffer(2 ** 20), floats = new Float64Array(buffer, 8, 100);
  floats[3] = 1.5;
  const value = { buffer, floats, bytes: new Uint8Array(buffer), small: new Uint8Array([1, 2]) };
  const given = await ways["an argument"](value) as typeof value;
  assert.equal(given.floats[3], 1.5);
  assert.equal(given.floats.buffer, given.buffer);
  assert.equal(given.bytes.buffer, given.buffer);
  assert.equal(given.buffer.byteLength, 2 ** 20);
  assert.deepEqual(given.small, new Uint8Array([1, 2]));
  assert.equal(buffer.byteLength, 2 ** 20);
});
