// What a program, or a library that it loads, adds to Object.prototype or Array.prototype is no option of
// this library's, and no part of its messages.

import assert from "node:assert/strict";
import { type Connection, Lock, Pipe, Process, Queue } from "../../mod.ts";
import { Queue as LocalQueue } from "../../local.ts";
import { answerOf, processSteps, steps } from "../support/spoiling/scenario.ts";

const { defineProperty } = Object, { deleteProperty } = Reflect;

/** Adds properties to a prototype; returns how to take them away. */
function pollute(prototype: object, names: readonly string[], value: unknown, enumerable = true) {
  for (let i = 0; i < names.length; i++) {
    defineProperty(prototype, names[i], {
      __proto__: null,
      value,
      writable: true,
      enumerable,
      configurable: true,
    } as PropertyDescriptor);
  }
  return () => {
    for (let i = 0; i < names.length; i++) deleteProperty(prototype, names[i]);
  };
}

/** Every option of this library, and words that it, the language and Deno look for in objects. */
const NAMES = [
  ...["timeout", "signal", "maxSize", "maxBytes", "name", "transfer", "maxLength", "immediate"],
  ...[
    "offset",
    "size",
    "duplex",
    "action",
    "lock",
    "compare",
    "target",
    "args",
    "daemon",
    "module",
  ],
  ...["by", "permissions", "memoryLimitMb", "timeLimit", "sealed", "keep", "message", "code"],
  ...["cause", "type", "kind", "ports", "program", "exposed", "content", "once", "done", "value"],
  ...["start", "pull", "highWaterMark", "env", "workerData", "transferList", "resourceLimits"],
];
const VALUES: Record<string, unknown> = {
  "a number": -1,
  "a text": "polluted",
  "a function": () => {
    throw new Error("called");
  },
};

async function answersOf(all: typeof steps): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  const names = Object.keys(all);
  for (let i = 0; i < names.length; i++) answers[names[i]] = await answerOf(all[names[i]]);
  return answers;
}

for (const [what, value] of Object.entries(VALUES)) {
  Deno.test(`nothing changes for any primitive if Object.prototype has ${what} by an option's name`, async () => {
    const expected = await answersOf(steps);
    // By each name alone, as one may hide another, and by all.
    const sets = what === "a text" ? [NAMES, ...NAMES.map((name) => [name])] : [NAMES];
    for (const names of sets) {
      const restore = pollute(Object.prototype, names, value);
      let answers: Record<string, string>;
      try {
        answers = await answersOf(steps);
      } finally {
        restore();
      }
      assert.deepEqual(answers, expected, names.join());
    }
  });

  Deno.test(`nothing changes for processes if Object.prototype has ${what} by all those names`, async () => {
    const expected = await answersOf(processSteps);
    const restore = pollute(Object.prototype, NAMES, value);
    let answers: Record<string, string>;
    try {
      answers = await answersOf(processSteps);
    } finally {
      restore();
    }
    assert.deepEqual(answers, expected);
  });
}

Deno.test("nothing changes if Object.prototype has what the language looks for, and no functions", async () => {
  const all = { ...steps, ...processSteps }, expected = await answersOf(all);
  for (const isEnumerable of [true, false]) {
    const restore = pollute(Object.prototype, ["then", "toJSON"], "polluted", isEnumerable);
    let answers: Record<string, string>;
    try {
      answers = await answersOf(all);
    } finally {
      restore();
    }
    assert.deepEqual(answers, expected);
  }
});

Deno.test("nothing changes if Array.prototype has enumerable functions and values", async () => {
  const all = { ...steps, ...processSteps }, expected = await answersOf(all);
  const restores = [
    pollute(Array.prototype, ["last", "remove", "timeout"], () => "polluted"),
    pollute(Array.prototype, ["first", "7"], "polluted"),
  ];
  let answers: Record<string, string>;
  try {
    answers = await answersOf(all);
  } finally {
    for (const restore of restores) restore();
  }
  assert.deepEqual(answers, expected);
});

Deno.test("options that are inherited from elsewhere than Object.prototype are options", async () => {
  class Patience {
    get timeout() {
      return 0;
    }
  }
  const restore = pollute(Object.prototype, ["timeout"], 60_000);
  try {
    const queue = new Queue<number>(), local = new LocalQueue<number>();
    assert.equal(await queue.get(new Patience()).catch(({ name }) => name), "QueueEmpty");
    assert.equal(
      await local.get(Object.create({ timeout: 0 })).catch(({ name }) => name),
      "QueueEmpty",
    );
  } finally {
    restore();
  }
});

/** In a child: adds to the prototypes there, and uses what it was given, and what it makes. */
async function polluted(names: string[], queue: Queue<number>, end: Connection<number>) {
  for (const name of names) {
    Object.defineProperty(Object.prototype, name, {
      value: -1,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  const inner = new Process({ target: () => 5, by: "source" });
  inner.start();
  const lock = new Lock();
  using _held = await lock.hold();
  const isTaken = await lock.acquire({ timeout: 1 });
  return { sum: await queue.get() + await end.recv() + await inner.result(), isTaken };
}

Deno.test("a child that has such additions works, starts processes, and its result arrives", async () => {
  const queue = new Queue<number>(), [here, there] = Pipe<number>();
  const process = new Process({
    target: polluted,
    by: "source",
    args: [[...NAMES, "then", "toJSON"], queue, there],
  });
  process.start();
  await queue.put(1);
  await here.send(10);
  const result = await process.result();
  assert.deepEqual({ ...result }, { sum: 16, isTaken: false });
  here.close();
});
