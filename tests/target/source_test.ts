// Functions by source: all their forms, and the meaning of names in them.

import assert from "node:assert/strict";
import { Process, ProcessError, sleep as pause } from "@multiproc/multiprocessing";
import * as multi from "@multiproc/multiprocessing";
import { named as namedInMts } from "../support/targets/scope_targets.mts";
import { Lock as PlainLock } from "../support/targets/scope_targets.ts";
import { named as namedInTsx } from "../support/targets/scope_targets.tsx";
import { testInFull } from "../support/length.ts";

/** No wait here lasts longer. */
const bound = { timeout: 30_000 };

// deno-lint-ignore no-explicit-any
async function run(target: (...args: any[]) => unknown, ...args: unknown[]): Promise<unknown> {
  const process = new Process({ target, args, by: "source" });
  process.start();
  return await process.result(bound);
}

/** The message of what a function failed with. */
// deno-lint-ignore no-explicit-any
async function failure(target: (...args: any[]) => unknown, ...args: unknown[]): Promise<string> {
  const error = await run(target, ...args).then(() => undefined, (error) => error);
  assert.ok(error instanceof ProcessError && error.cause instanceof ReferenceError, `${error}`);
  return error.cause.message;
}

Deno.test("functions of all forms go by source", async () => {
  const object = {
    method(n: number) {
      return n * 2;
    },
    async later(n: number) {
      return await Promise.resolve(n * 2);
    },
    "quoted name"(n: number) {
      return n * 2;
    },
    function(n: number) {
      return n * 2;
    },
    async(n: number) {
      return n * 2;
    },
    class(n: number) {
      return n * 2;
    },
    get(n: number) {
      return n * 2;
    },
    7(n: number) {
      return n * 2;
    },
    field: function (n: number) {
      return n * 2;
    },
  };
  class Holder {
    static of(n: number) {
      return n * 2;
    }
    static async later(n: number) {
      return await n * 2;
    }
    own(n: number) {
      return n * 2;
    }
  }
  // deno-lint-ignore no-explicit-any
  const forms: ((n: number) => any)[] = [
    function (n: number) {
      return n * 2;
    },
    async function (n: number) {
      return await n * 2;
    },
    function named(n: number) {
      return n * 2;
    },
    async function named(n: number) {
      return await n * 2;
    },
    (n: number) => n * 2,
    (n) => {
      return n * 2;
    },
    async (n: number) => await n * 2,
    (n: number, { factor } = { factor: 2 }) => n * factor,
    (...[n]: number[]) => n * 2,
    ...Object.values(object),
    Holder.of,
    Holder.later,
    Holder.prototype.own,
    new Function("n", "return n * 2") as (n: number) => number,
  ];
  const results = await Promise.all(forms.map((form) => run(form, 2)));
  assert.deepEqual(results, forms.map(() => 4), `${forms.map(({ name }) => name)}`);
});

Deno.test("a generator function by source returns a generator, which can't cross", async () => {
  const process = new Process({
    target: function* (n: number) {
      yield n;
    },
    args: [1],
    by: "source",
  });
  process.start();
  await assert.rejects(process.result(bound), ProcessError);
});

Deno.test("no export of the package hides a global", async () => {
  assert.equal(await run(() => new Event("x").type), "x");
  assert.equal(
    await run(() => [typeof Event, new EventTarget() instanceof EventTarget].join()),
    "function,true",
  );
  const constructed = await run(() =>
    `${new globalThis.Event("y").type} ${Event === globalThis.Event}`
  );
  assert.equal(constructed, "y true");
});

Deno.test("what the module imports from the package is there, under the module's name for it", async () => {
  assert.equal(await run(async (ms: number) => (await pause(ms), "paused"), 1), "paused");
  assert.equal(await run(() => new multi.Event().isSet()), false);
  assert.equal(await run(() => [typeof multi.Queue, "boot" in multi].join()), "function,false");
  // By way of another module.
  assert.equal(await run(() => new PlainLock().tryAcquire()), true);
});

/** Not the package's. */
function sleep(seconds: number): string {
  return `${seconds} s`;
}
const wait = () => "own", status = 1;

Deno.test("names of the module's own are never taken for the package's, nor for globals", async () => {
  assert.match(await failure(() => sleep(1)), /uses "sleep", which is outside of it/);
  assert.match(await failure(() => wait()), /uses "wait"/);
  assert.match(await failure(() => status), /uses "status"/);
  assert.match(await failure(() => typeof sleep), /uses "sleep"/);
  // Deno and the web have it.
  const name = "local";
  assert.match(await failure(() => name), /uses "name"/);
  const closed = ((fetch: number) => () => fetch)(5);
  assert.match(await failure(closed), /uses "fetch"/);
  assert.match(await failure(((...close: number[]) => () => close)(5)), /uses "close"/);
  assert.match(
    await failure((({ event }: { event: number }) => () => event)({ event: 5 })),
    /uses "event"/,
  );
});

Deno.test("so it is in modules of all kinds", async () => {
  for (const named of [namedInMts, namedInTsx]) {
    assert.equal(named(), "local");
    assert.match(await failure(named), /uses "name"/);
  }
});

Deno.test("what the module doesn't import from the package isn't there", async () => {
  // @ts-expect-error nothing has this name here
  assert.match(await failure(() => new Barrier(1)), /uses "Barrier"/);
});

testInFull("a function's own names shadow everything", async () => {
  assert.equal(await run((sleep: number) => sleep, 1), 1);
  assert.equal(await run(({ sleep, wait: [Event] }) => sleep + Event, { sleep: 1, wait: [2] }), 3);
  const inner = () => {
    function sleep(n: number) {
      return n;
    }
    const wait = sleep(1), { status = 2 } = {} as { status?: number };
    class Lock {
      held = 3;
    }
    for (const name of [4]) return [wait, status, new Lock().held, name];
  };
  assert.deepEqual(await run(inner), [1, 2, 3, 4]);
  const factorial = function sleep(n: number): number {
    return n < 2 ? 1 : n * sleep(n - 1);
  };
  assert.equal(await run(factorial, 4), 24);
});

Deno.test("a global that the module doesn't bind around the function is the global", async () => {
  const other = (name: string) => name;
  assert.equal(other("x"), "x");
  assert.equal(
    await run(() => typeof URL + typeof structuredClone + typeof performance.now),
    "function".repeat(3),
  );
});

Deno.test("a process by source starts others by source, with the same names", async () => {
  const nested = async (ms: number) => {
    const process = new Process({
      target: async () => (await pause(1), new multi.Lock().tryAcquire()),
    });
    process.start();
    await pause(ms);
    return await process.result();
  };
  assert.equal(await run(nested, 1), true);
  const shadowing = async () => {
    const name = "local";
    const process = new Process({ target: () => name });
    process.start();
    return await process.result().then(() => "ran", (error) => `${error.cause.message}`);
  };
  assert.match(`${await run(shadowing)}`, /uses "name"/);
});

Deno.test("names that every object has mean nothing special", async () => {
  const target = (given: object) => {
    const { constructor, toString, hasOwnProperty } = given;
    return [
      constructor.name,
      typeof toString,
      typeof hasOwnProperty,
      `${given.valueOf === given.valueOf}`,
    ];
  };
  assert.deepEqual(await run(target, {}), ["Object", "function", "function", "true"]);
});
