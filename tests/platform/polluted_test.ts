// Properties that a program, or a library that it loads, adds to Object.prototype or Array.prototype are no options of
// this library's, and no parts of its messages. (tests/full/spoiling.ts adds each name alone.)

import assert from "node:assert/strict";
import { type Connection, Lock, Pipe, Pool, Process, Queue } from "../../mod.ts";
import { Queue as LocalQueue } from "../../local.ts";
import {
  answersOf,
  NAMES,
  NAMES_OF_FUNCTIONS,
  pollute,
  polluteByGetters,
} from "../support/spoiling/pollute.ts";
import { ENDLESS_FOR_POOLS, poolSteps, processSteps, steps } from "../support/spoiling/scenario.ts";
import { testInFull } from "../support/length.ts";

const VALUES: Record<string, unknown> = {
  "a number": -1,
  "a text": "polluted",
  "a function": () => {
    throw new Error("called");
  },
};

for (const [what, value] of Object.entries(VALUES)) {
  Deno.test(`nothing changes for any primitive if Object.prototype has ${what} by the options' names`, async () => {
    const expected = await answersOf(steps);
    const restore = pollute(Object.prototype, NAMES, value);
    let answers: Record<string, string>;
    try {
      answers = await answersOf(steps);
    } finally {
      restore();
    }
    assert.deepEqual(answers, expected);
  });

  // Of a text tests/full/spoiling.ts.
  if (what === "a text") continue;
  const test = what === "a number" ? testInFull : Deno.test;
  test(`nothing changes for processes if Object.prototype has ${what} by all those names`, async () => {
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

testInFull(
  "nothing changes if Object.prototype has what the language looks for, and no functions",
  async () => {
    for (const isEnumerable of [true, false]) {
      const all = isEnumerable ? { ...steps, ...processSteps } : steps;
      const expected = await answersOf(all);
      const restore = pollute(Object.prototype, ["then", "toJSON"], "polluted", isEnumerable);
      let answers: Record<string, string>;
      try {
        answers = await answersOf(all);
      } finally {
        restore();
      }
      assert.deepEqual(answers, expected);
    }
  },
);

const nothing = () => undefined;
/** Functions by the names that descriptors, iterators and JSON are asked for, in several forms. */
const FUNCTIONS: Record<string, (names: readonly string[]) => () => void> = {
  "functions that answer nothing": (names) => pollute(Object.prototype, names, nothing),
  "functions that throw": (names) => pollute(Object.prototype, names, VALUES["a function"]),
  "classes": (names) => pollute(Object.prototype, names, class Added {}, false),
  "getters of functions": (names) => polluteByGetters(Object.prototype, names, () => nothing),
};

/** Deno before 2.9.6 rejects promises of its own ("invalid_argument") where a worker ends while such getters are there. */
const DENO_IS_OLDER = ["2.9.4", "2.9.5"].includes(Deno.version.deno);

for (const [what, add] of Object.entries(FUNCTIONS)) {
  const test = what.startsWith("functions") ? Deno.test : testInFull;
  test(`nothing changes if Object.prototype has ${what} by names that the language looks for`, async () => {
    // Of each form other steps, and by tests/full/spoiling.ts all steps of all forms.
    const all = what === "getters of functions" && !DENO_IS_OLDER
      ? { ...steps, ...processSteps }
      : what === "functions that throw"
      ? { ...steps, "pool": Object.values(poolSteps)[0] }
      : steps;
    const expected = await answersOf(all, ENDLESS_FOR_POOLS);
    const restore = add(NAMES_OF_FUNCTIONS);
    let answers: Record<string, string>;
    try {
      answers = await answersOf(all, ENDLESS_FOR_POOLS);
    } finally {
      restore();
    }
    assert.deepEqual(answers, expected);
  });
}

testInFull("nothing changes if Array.prototype has enumerable functions and values", async () => {
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

testInFull(
  "a child that has such additions works, starts processes, and its result arrives",
  async () => {
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
  },
);

const later = { timeout: 20_000 }, soon = { timeout: 5 };
const addOne = (n: number) => n + 1,
  loop = () => {
    while (true);
  };
const fail = () => {
  throw new RangeError("of the target");
};

/**
 * What has nothing but primitives for results. An object that the language is to resolve a promise with is asked for
 * its then() first, and so `await queue.get()` of an object is lost with any program that has one for all objects.
 */
const stepsOfPrimitives: typeof steps = {
  async queue() {
    const queue = new Queue<unknown>();
    await queue.put(1);
    const waiting = [queue.get(later), queue.get(later)], first = await waiting[0];
    await queue.put(2);
    queue.putNowait({ a: 3 });
    queue.putSync({ a: 4 });
    const { a: third } = queue.getNowait() as { a: number },
      { a } = queue.getSync() as { a: number };
    return `${first}${await waiting[1]}${third}${a}` +
      await queue.get(soon).catch((error: Error) => error.name);
  },
  async locks() {
    const lock = new Lock();
    await lock.acquire();
    const waiting = lock.acquire(later);
    lock.release();
    return `${await waiting}${await lock.acquire(soon)}`;
  },
  async pipe() {
    const { 0: here, 1: there } = Pipe<number>();
    await here.send(1);
    const received = await there.recv(later);
    here.close();
    there.close();
    return `${received}`;
  },
  async processes() {
    const process = new Process({ target: addOne, args: [1], by: "source" });
    process.start();
    const result = await process.result(later);
    const confined = new Process({ target: addOne, args: [2], by: "source", permissions: "none" });
    confined.start();
    const blocked = confined.joinSync(later) && confined.resultNowait();
    const failing = new Process({ target: fail, by: "source" });
    failing.start();
    const error = await failing.result(later).catch((error) => error.cause.name);
    const endless = new Process({ target: loop, by: "source" });
    endless.start();
    endless.terminate();
    {
      await using disposed = new Process({ target: loop, by: "source" });
      disposed.start();
    }
    return `${result}${blocked}${error}${await endless.join(later)}${process.exitCode}`;
  },
  async pool() {
    const pool = new Pool({ processes: 1, by: "source" });
    const one = await pool.apply(addOne, [1], later), blocked = pool.applySync(addOne, [2], later);
    const { 0: first } = pool.mapSync(addOne, [3], later);
    const error = await pool.apply(fail, [], later).catch(({ name }) => name);
    pool.close();
    return `${one}${blocked}${first}${error}${await pool.join(later)}`;
  },
};

/** What then() of all objects does: Deno's own code, which starts workers, can't go on with the others. */
const THENS: Record<string, { then: unknown; all: typeof steps }> = {
  "never calls back": { then: () => {}, all: stepsOfPrimitives },
  "throws": { then: VALUES["a function"], all: withoutWorkers(stepsOfPrimitives) },
  "calls back": {
    then: (resolve: (value: unknown) => void) => resolve(7),
    all: withoutWorkers(stepsOfPrimitives),
  },
};

function withoutWorkers({ queue, locks, pipe }: typeof steps): typeof steps {
  return { queue, locks, pipe };
}

for (const [what, { then, all }] of Object.entries(THENS)) {
  Deno.test(`nothing hangs if all objects have a then() that ${what}`, async () => {
    const expected = await answersOf(all, ENDLESS_FOR_POOLS);
    const restore = pollute(Object.prototype, ["then"], then, false);
    let answers: Record<string, string>;
    try {
      answers = {};
      // Not by answersOf(), which resolves with an object.
      for (const name of Object.keys(all)) answers[name] = await all[name]();
    } finally {
      restore();
    }
    assert.deepEqual(answers, expected);
  });
}
