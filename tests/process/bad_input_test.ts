// Bad input: each is refused at the call, with the right class of error and in words that name
// what was wrong and say what to do; and what was refused leaves the object as it was.

import assert from "node:assert/strict";
import {
  Barrier,
  InvalidStateError,
  JoinableQueue,
  Pipe,
  Process,
  ProcessError,
  Queue,
  QueueEmpty,
  QueueShutDown,
  sleep,
  TimeoutError,
  type WaitOptions,
} from "../../mod.ts";
import * as targets from "../support/targets/bad_input_targets.ts";

const module = targets.here;
const canRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

type ErrorClass = abstract new (...args: never[]) => Error;

/** What the compiler would refuse, too. */
// deno-lint-ignore no-explicit-any -- it has to pass for every type
function wrong(value: unknown): any {
  return value;
}

/** Checks that a call throws this class of error, and that its message has all the patterns. */
function refused(call: () => unknown, errorClass: ErrorClass, ...patterns: RegExp[]): void {
  let thrown: unknown;
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {});
  } catch (error) {
    thrown = error;
  }
  checkError(thrown, errorClass, patterns);
}

/** The same of a call that returns a promise: it must reject, and not throw. */
async function rejected(
  call: () => Promise<unknown>,
  errorClass: ErrorClass,
  ...patterns: RegExp[]
): Promise<void> {
  const promise = call();
  checkError(await promise.then(() => undefined, (error) => error), errorClass, patterns);
}

/** The same of what a process failed with. */
async function failed(process: Process, errorClass: ErrorClass, ...p: RegExp[]) {
  process.start();
  const error = await process.result(bound).then(() => undefined, (error) => error);
  checkError(error, ProcessError, []);
  assert.equal(error.exitCode, 1);
  checkError(error.cause, errorClass, p);
}

function checkError(error: unknown, errorClass: ErrorClass, patterns: RegExp[]): void {
  assert.ok(error instanceof errorClass, `not a ${errorClass.name}: ${error}`);
  for (const pattern of patterns) assert.match(error.message, pattern);
  assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/, "a sentence, and what to do");
}

// Targets

Deno.test({
  name: "a target that its module doesn't export is named, with the ways out (needs --allow-read)",
  ignore: !canRead,
  fn: async () => {
    const patterns = [
      /"notExported" is not exported by file:.*bad_input_targets\.ts/,
      ...[/Export it/, /module/, /by: "source"/],
    ];
    const { notExported } = targets.hidden;
    const process = new Process({ target: notExported, module, by: "reference" });
    refused(() => process.start(), TypeError, ...patterns);
    await failed(new Process({ target: "notExported", module }), TypeError, ...patterns);
  },
});

Deno.test({
  name: "an export that isn't the target is not run in its place (needs --allow-read)",
  ignore: !canRead,
  fn: () => {
    const process = new Process({ target: targets.hidden.impostor, module, by: "reference" });
    const patterns = [/"give".* is not the function given/, /by: "source"/];
    refused(() => process.start(), TypeError, ...patterns);
  },
});

Deno.test({
  name: "an export that is no function is refused as a target (needs --allow-read)",
  ignore: !canRead,
  fn: () =>
    failed(
      new Process({ target: "notAFunction", module }),
      TypeError,
      /"notAFunction".* is not a function/,
      /Export a function/,
    ),
});

Deno.test({
  name: "a module that isn't there is named (needs --allow-read)",
  ignore: !canRead,
  fn: async () => {
    const process = new Process({ target: "work", module: new URL("./nowhere.ts", module) });
    process.start();
    await assert.rejects(process.result(bound), (error) => {
      assert.ok(error instanceof ProcessError);
      assert.match(error.message, /nowhere\.ts/);
      return true;
    });
  },
});

Deno.test("a target by source that uses an outside name is told which, and both ways out", async () => {
  await failed(
    new Process({ target: targets.usesOutside, args: ["you"], module, by: "source" }),
    ReferenceError,
    /usesOutside uses "greeting"/,
    /by source/,
    /in args/,
    /by: "reference"/,
  );
});

Deno.test("a target by source that imports by a relative path is told that it leads nowhere", async () => {
  for (const permissions of ["inherit", "none"] as const) {
    await failed(
      new Process({
        target: async function imports() {
          await import("../support/seed.ts");
        },
        by: "source",
        permissions,
      }),
      TypeError,
      /^imports imports (a relative path|"\.\/support\/seed\.ts"), which leads nowhere/,
      /whole URL/,
      /by: "reference"/,
    );
  }
});

Deno.test({
  name: "a target by reference that may not be read is refused at once (needs no --allow-read)",
  ignore: canRead,
  fn: () => {
    const process = new Process({ target: targets.give, args: [1], module, by: "reference" });
    const patterns = [/may not read it/, /--allow-read/, /by: "source"/];
    refused(() => process.start(), Deno.errors.NotCapable, ...patterns);
    assert.equal(process.pid, undefined);
  },
});

Deno.test("so is one that uses an outside name in a callback", async () => {
  await failed(
    new Process({ target: targets.usesOutsideLater, args: ["you"], module, by: "source" }),
    ReferenceError,
    /usesOutsideLater uses "greeting"/,
    /in args/,
    /by: "reference"/,
  );
});

Deno.test("another ReferenceError in a target by source is left as it is", async () => {
  const process = new Process({ target: targets.readsBeforeItIsThere, module, by: "source" });
  process.start();
  await assert.rejects(process.result(bound), (error) => {
    assert.ok(error instanceof ProcessError && error.cause instanceof ReferenceError);
    assert.match(error.cause.message, /^Cannot access 'later' before initialization$/);
    return true;
  });
});

Deno.test("an anonymous target can't travel by reference", () => {
  const [anonymous] = [() => 1];
  const process = new Process({ target: anonymous, module, by: "reference" });
  refused(() => process.start(), TypeError, /anonymous/, /export it/, /by: "source"/);
  assert.equal(process.pid, undefined);
});

Deno.test({
  name: "an anonymous target written in the options is called so (needs --allow-read)",
  ignore: !canRead,
  fn: () => {
    // JavaScript gives this function the name of the property it is written into: "target".
    const process = new Process({ target: () => 1, module, by: "reference" });
    refused(() => process.start(), TypeError, /anonymous/, /export/i, /by: "source"/);
  },
});

Deno.test("a built-in or bound function can't travel by source", () => {
  const bound = targets.give.bind(null, 1);
  for (const target of [Math.max, bound]) {
    const process = new Process({ target: wrong(target), module, by: "source" });
    refused(
      () => process.start(),
      TypeError,
      new RegExp(`"${target.name}" has no source text`),
      /function of your own/,
    );
  }
});

Deno.test("a private method can't travel by source", () => {
  class Holder {
    #work() {
      return 1;
    }
    get work() {
      return this.#work;
    }
  }
  const process = new Process({ target: new Holder().work, module, by: "source" });
  refused(() => process.start(), TypeError, /#work/, /private/);
});

Deno.test("a name can't travel by source", () => {
  const process = new Process({ target: "give", module, by: "source" });
  refused(() => process.start(), TypeError, /"give"/, /function itself/);
});

Deno.test("a process without anything to run is refused", () => {
  refused(() => new Process(), TypeError, /nothing to run/, /target/, /run\(\)/);
  refused(() => new Process({}), TypeError, /nothing to run/);
  refused(() => new Process({ name: "idle" }), TypeError, /nothing to run/);
});

Deno.test("a subclass with a run() takes no target beside it", () => {
  class Both extends Process {
    override run() {}
  }
  refused(() => new Both({ target: () => {} }), TypeError, /Both has its own run\(\)/, /one of/);
});

Deno.test("options of the wrong type are named with what they are", () => {
  const target = targets.give;
  const cases: [options: Record<string, unknown>, ...patterns: RegExp[]][] = [
    [{ target: 5 }, /target is a number/, /a function/],
    [{ target: null }, /target is null/],
    [{ target: {} }, /target is an object/],
    [{ target, args: "abc" }, /args is .*"abc"/, /an array/],
    [{ target, args: { 0: 1 } }, /args is an object/],
    [{ target, args: null }, /args is null/],
    [{ target, name: "" }, /name is .*""/, /a string/],
    [{ target, name: 7 }, /name is a number/],
    [{ target, daemon: "yes" }, /daemon is .*"yes"/, /true or false/],
    [{ target, daemon: 1 }, /daemon is a number/],
    [{ target, module: "./work.ts" }, /module is .*"\.\/work\.ts"/, /import\.meta\.url/],
    [{ target, module: 5 }, /module is a number/],
    [{ target, by: "value" }, /by is .*"value"/, /"reference" or "source"/],
    [{ target, signal: new AbortController() }, /signal is an object/, /an AbortSignal/],
  ];
  for (const [options, ...patterns] of cases) {
    refused(() => new Process(wrong(options)), TypeError, ...patterns);
  }
  assert.throws(() => new Process(wrong(null)), TypeError);
  refused(() => new Process(wrong(targets.give)), TypeError, /target/);
});

Deno.test("permissions that mean nothing are refused by name", () => {
  const cases: [permissions: unknown, ...patterns: RegExp[]][] = [
    ["all", /permissions is a string, "all"/, /"inherit", "none"/],
    [true, /permissions is a boolean/],
    [null, /permissions is null/],
    [["read"], /permissions is an array/],
    [{ reed: true }, /permissions\.reed is no permission/, /read, write/],
    [{ read: "./data" }, /permissions\.read is a string, ".\/data"/, /an array of strings/],
    [{ net: 80 }, /permissions\.net is a number/],
    [{ env: null }, /permissions\.env is null/],
    [{ read: ["/a", 7] }, /permissions\.read\[1\] is a number/, /a path/],
    [{ read: [new URL("https://example.com/")] }, /permissions\.read\[0\] is an object/],
    [{ net: [new URL("file:///a")] }, /permissions\.net\[0\] is an object/],
    [{ env: [""] }, /permissions\.env\[0\] is a string, ""/],
  ];
  for (const [permissions, ...patterns] of cases) {
    refused(
      () => new Process(wrong({ target: targets.give, args: [1], permissions })),
      TypeError,
      ...patterns,
    );
  }
});

Deno.test("a limit is a number above 0", () => {
  for (const limit of ["timeLimit", "memoryLimitMb"]) {
    const make = (value: unknown) => () =>
      new Process(wrong({ target: targets.give, args: [1], [limit]: value }));
    for (const value of [0, -1, NaN, -Infinity]) {
      refused(make(value), RangeError, new RegExp(`^${limit} is ${value}`));
    }
    for (const value of ["1000", null, {}, 5n]) {
      refused(
        make(value),
        TypeError,
        new RegExp(`^${limit} is .*, not a number|^${limit} is null`),
      );
    }
  }
  refused(
    () => new Process(wrong({ target: targets.give, args: [1], memoryLimitMb: 15.9 })),
    RangeError,
    /^memoryLimitMb is 15\.9, too little/,
    /at least 16/,
  );
});

Deno.test("the permissions of a process can't be changed", async () => {
  const process = new Process({ target: targets.give<number>, args: [1], module });
  const change = () => wrong(process).permissions = "none";
  refused(change, InvalidStateError, /given to its constructor/);
  process.start();
  refused(change, InvalidStateError, /given to its constructor/);
  assert.equal(await process.result(bound), 1);
  refused(change, InvalidStateError);
});

// Arguments and results

Deno.test("an argument that can't cross is named with its place", () => {
  const cases: [argument: unknown, ...patterns: RegExp[]][] = [
    [{ onDone() {} }, /args\[1\]\.onDone is a function/],
    [[1, [() => 1]], /args\[1\]\[1\]\[0\] is a function/],
    [new Map([["key", { deep: Symbol("s") }]]), /args\[1\]\.get\("key"\)\.deep is a symbol/],
    [new Set([Promise.resolve()]), /\[\.\.\.args\[1\]\]\[0\] is a Promise/],
    [{ "a b": new WeakMap() }, /args\[1\]\["a b"\] is a WeakMap/],
    [new Error("x", { cause: () => {} }), /args\[1\]\.cause is a function/],
  ];
  for (const [argument, ...patterns] of cases) {
    const process = new Process({ target: targets.give, args: wrong(["ok", argument]), module });
    refused(() => process.start(), TypeError, ...patterns);
    assert.equal(process.pid, undefined);
    assert.equal(process.isAlive(), false);
  }
});

Deno.test("an argument that can't cross is named also beside a queue", () => {
  const args = [new Queue(), { onDone() {} }];
  const process = new Process({ target: targets.give, args: wrong(args), module });
  refused(() => process.start(), TypeError, /args\[1\]\.onDone is a function/);
});

Deno.test("a process whose start was refused can be started once that is mended", async () => {
  const argument: { onDone?: () => void; text: string } = { onDone() {}, text: "mended" };
  const process = new Process({ target: targets.give<unknown>, args: [argument], module });
  refused(() => process.start(), TypeError, /args\[0\]\.onDone is a function/);
  refused(() => process.terminate(), InvalidStateError, /was not started/);
  delete argument.onDone;
  process.start();
  assert.deepEqual(await process.result(bound), { text: "mended" });
});

Deno.test("a Process among the arguments is refused", () => {
  const other = new Process({ target: targets.give, args: [1], module });
  for (const argument of [other, { other }, [other], new Map([["other", other]])]) {
    const process = new Process({ target: targets.give<unknown>, args: [argument], module });
    refused(() => process.start(), TypeError, /args\[0\].* is a Process/);
  }
});

Deno.test("a Queue where it can't be handed over is refused, not emptied", () => {
  class Holder {
    queue = new Queue();
  }
  const process = new Process({ target: targets.give<unknown>, args: [new Holder()], module });
  refused(() => process.start(), TypeError, /args\[0\]\.queue is a Queue/);
  const error = new Error("full of it", { cause: new Queue() });
  const other = new Process({ target: targets.give<unknown>, args: [error], module });
  refused(() => other.start(), TypeError, /args\[0\]\.cause is a Queue/);
});

Deno.test("a field of a subclass that can't cross is named with its place", () => {
  class Calling extends Process {
    options = { onDone() {} };
    override run() {}
  }
  const process = new Calling({ module });
  refused(() => process.start(), TypeError, /this\.options\.onDone is a function/);
});

Deno.test("a result that can't cross fails the process, and is named with its place", async () => {
  await failed(
    new Process({ target: targets.returnFunction, module }),
    TypeError,
    /result\.list\[1\]\.onDone is a function/,
  );
  await failed(
    new Process({ target: targets.returnSymbolLater, module }),
    TypeError,
    /result is a symbol/,
  );
});

Deno.test("a Process as a result is refused", async () => {
  const target = function makeProcess() {
    return { child: new Process({ target: function nothing() {}, by: "source" }) };
  };
  const process = new Process({ target, by: "source" });
  await failed(process, TypeError, /result\.child is a Process/);
});

// States

Deno.test("a second start is refused, and the first goes on", async () => {
  const process = new Process({ target: targets.give<string>, args: ["once"], module });
  process.start();
  refused(() => process.start(), InvalidStateError, new RegExp(process.name), /new Process/);
  assert.equal(await process.result(bound), "once");
  refused(() => process.start(), InvalidStateError, /started before/);
  assert.equal(await process.result(bound), "once");
});

Deno.test("what needs a started process is refused before the start", async () => {
  const process = new Process({ target: targets.give<string>, args: ["later"], module });
  const patterns = (call: string) => [
    new RegExp(`${process.name} was not started`),
    new RegExp(`start\\(\\) before ${call}\\(\\)`),
  ];
  for (const call of ["join", "result"] as const) {
    await rejected(() => process[call](), InvalidStateError, ...patterns(call));
  }
  for (const call of ["joinSync", "resultSync", "resultNowait", "terminate", "kill"] as const) {
    refused(() => process[call](), InvalidStateError, ...patterns(call));
  }
  process.start();
  assert.equal(await process.result(bound), "later");
  assert.equal(process.exitCode, 0);
});

Deno.test("the result of a process that was terminated says so", async () => {
  const process = new Process({ target: targets.wait, args: [new Queue<string>()], module });
  process.start();
  process.terminate();
  for (let i = 0; i < 2; i++) {
    await assert.rejects(process.result(bound), (error) => {
      assert.ok(error instanceof ProcessError);
      assert.match(error.message, new RegExp(`^${process.name} was terminated`));
      assert.equal(error.exitCode, -15);
      assert.equal(error.cause, undefined);
      return true;
    });
  }
  assert.equal(await process.join(), true);
});

Deno.test("a process that is alive can't be closed, and goes on", async () => {
  const queue = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [queue], module });
  process.start();
  refused(() => process.close(), InvalidStateError, /is alive/, /terminate/);
  queue.putNowait("still there");
  assert.equal(await process.result(bound), "still there");
});

Deno.test("a closed process is of no more use", async () => {
  const process = new Process({ target: targets.give<string>, args: ["gone"], module });
  process.start();
  await process.join(bound);
  process.close();
  for (const call of ["join", "result"] as const) {
    await rejected(() => process[call](), InvalidStateError, /was closed/);
  }
  for (const call of ["joinSync", "resultSync", "resultNowait", "terminate", "kill"] as const) {
    refused(() => process[call](), InvalidStateError, /was closed/);
  }
  refused(() => process.start(), InvalidStateError, /new Process/);
});

Deno.test({
  name: "a module that starts processes as it is imported is stopped (needs --allow-read)",
  ignore: !canRead,
  fn: () =>
    failed(
      new Process({ target: "work", module: targets.unguarded }),
      InvalidStateError,
      /as it is imported/,
      /if \(import\.meta\.main\)/,
    ),
});

// Queues: how they are made

Deno.test("a maxSize that isn't a whole number in its range is refused", () => {
  for (const maxSize of [-1, NaN, 1.5, Infinity, -Infinity, 2 ** 31]) {
    refused(
      () => new Queue({ maxSize }),
      RangeError,
      new RegExp(`^maxSize is ${maxSize}\\.`),
      /whole number from 0/,
    );
  }
  for (const [maxSize, what] of [["5", /string/], [null, /null/], [5n, /bigint/], [{}, /object/]]) {
    refused(() => new Queue({ maxSize: wrong(maxSize) }), TypeError, /maxSize is/, wrong(what));
  }
});

Deno.test("a maxBytes that isn't a whole number in its range is refused", () => {
  for (const maxBytes of [-1, NaN, 100.5, Infinity, 0, 63, 2 ** 31 + 1]) {
    refused(
      () => new Queue({ maxBytes }),
      RangeError,
      new RegExp(`^maxBytes is ${maxBytes}\\.`),
      /whole number from 64/,
    );
  }
  refused(() => new JoinableQueue({ maxBytes: wrong("1 GB") }), TypeError, /maxBytes is .*string/);
});

Deno.test("a queue's name must be a string that isn't empty", async () => {
  refused(() => new Queue({ name: "" }), TypeError, /name is empty/);
  refused(() => new Queue({ name: wrong(5) }), TypeError, /name is/, /string/);
  await rejected(() => Queue.open(""), TypeError, /name is empty/);
  await rejected(() => Queue.open(wrong(undefined)), TypeError, /name is .*undefined/);
});

Deno.test("two queues of one name in one process are refused, and the first goes on", async () => {
  const name = "there is one of me";
  const queue = new Queue<string>({ name });
  refused(() => new Queue({ name }), InvalidStateError, new RegExp(`"${name}"`), /Queue\.open/);
  refused(() => new JoinableQueue({ name }), InvalidStateError, /another name/);
  assert.equal(await Queue.open(name, { timeout: 0 }), queue);
  queue.close();
  const next = new Queue<string>({ name });
  assert.equal(await Queue.open(name, bound), next);
  next.close();
});

Deno.test("opening a queue of a name nobody has says so", async () => {
  for (const timeout of [0, 5]) {
    await rejected(
      () => Queue.open("nobody", { timeout }),
      TimeoutError,
      /"nobody"/,
      /new Queue\(\{ name: "nobody" \}\)/,
    );
  }
});

// Queues: what they are given

type Put = (queue: Queue<unknown>, item: unknown, options?: WaitOptions) => unknown;

const puts: Record<string, Put> = {
  put: (queue, item, options) => queue.put(item, options),
  putNowait: (queue, item) => queue.putNowait(item),
  putSync: (queue, item, options) => queue.putSync(item, options),
  putMany: (queue, item, options) => queue.putMany([item], options),
  putManyNowait: (queue, item) => queue.putManyNowait([item]),
  putManySync: (queue, item, options) => queue.putManySync([item], options),
};

const gets: Record<string, (queue: Queue<unknown>, options?: WaitOptions) => unknown> = {
  get: (queue, options) => queue.get(options),
  getNowait: (queue) => queue.getNowait(),
  getSync: (queue, options) => queue.getSync(options),
  getMany: (queue, options) => queue.getMany(2, options),
  getManyNowait: (queue) => queue.getManyNowait(2),
  getManySync: (queue, options) => queue.getManySync(2, options),
};

/** A call by one of the faces: refused at the call, or by a rejection where it is asynchronous. */
function fails(face: string, call: () => unknown, errorClass: ErrorClass, ...patterns: RegExp[]) {
  if (/Nowait|Sync/.test(face)) return refused(call, errorClass, ...patterns);
  return rejected(() => wrong(call()), errorClass, ...patterns);
}

Deno.test("an item larger than maxBytes is refused at once, by every put", async () => {
  const queue = new Queue<unknown>({ maxBytes: 256 });
  for (const [face, put] of Object.entries(puts)) {
    await fails(
      face,
      () => put(queue, "x".repeat(300)),
      RangeError,
      /^items?(\[0\])? takes \d+ bytes/,
      /maxBytes of 256/,
      /larger maxBytes/,
    );
    assert.equal(queue.qsize(), 0);
  }
  queue.putNowait("fits");
  assert.equal(queue.getNowait(), "fits");
});

Deno.test("an item that can't be cloned is named with its place, by every put", async () => {
  const queue = new Queue<unknown>();
  for (const [face, put] of Object.entries(puts)) {
    const root = /Many/.test(face) ? "items\\[0\\]" : "item";
    await fails(
      face,
      () => put(queue, { list: [1, { onDone() {} }] }),
      TypeError,
      new RegExp(`^${root}\\.list\\[1\\]\\.onDone is a function`),
    );
    await fails(face, () => put(queue, Symbol("s")), TypeError, new RegExp(`^${root} is a symbol`));
    assert.equal(queue.qsize(), 0);
  }
  await rejected(
    () => queue.putMany(["good", new Map([["key", () => 1]]), "good"]),
    TypeError,
    /^items\[1\]\.get\("key"\) is a function/,
  );
  assert.equal(queue.qsize(), 0);
  queue.putNowait("good");
  assert.equal(queue.getNowait(), "good");
});

Deno.test("a Queue and a Process don't travel through a Queue, and the message says how they do", async () => {
  const queue = new Queue<unknown>();
  const other = new Queue<unknown>();
  const process = new Process({ target: targets.give, args: [1], module });
  for (const [face, put] of Object.entries(puts)) {
    await fails(face, () => put(queue, { other }), TypeError, /\.other is a Queue/, /in args/);
    await fails(face, () => put(queue, [other]), TypeError, /\[0\] is a Queue/);
    await fails(face, () => put(queue, process), TypeError, /is a Process/);
  }
  assert.equal(queue.qsize(), 0);
});

Deno.test("what isn't iterable can't be put as many", async () => {
  const queue = new Queue<unknown>();
  await assert.rejects(queue.putMany(wrong(5)), TypeError);
  await assert.rejects(queue.putMany(wrong(null)), TypeError);
  assert.throws(() => queue.putManyNowait(wrong({})), TypeError);
  assert.equal(queue.qsize(), 0);
});

Deno.test("an iterable that throws halfway has put nothing", async () => {
  const queue = new Queue<number>();
  function* items() {
    yield 1;
    yield 2;
    throw new RangeError("no third");
  }
  await assert.rejects(queue.putMany(items()), /no third/);
  assert.equal(queue.qsize(), 0);
});

Deno.test("getMany of no items, or of part of one, is refused, and nothing is taken", async () => {
  const queue = new Queue<number>();
  queue.putNowait(1);
  for (const max of [0, -1, NaN, 1.5, Infinity]) {
    const pattern = new RegExp(`^max is ${max}\\. `);
    await rejected(() => queue.getMany(max), RangeError, pattern, /whole number from 1/);
    refused(() => queue.getManyNowait(max), RangeError, pattern);
    refused(() => queue.getManySync(max), RangeError, pattern);
  }
  await rejected(() => queue.getMany(wrong("3")), TypeError, /^max is .*string/);
  assert.deepEqual(await queue.getMany(2), [1]);
});

Deno.test("taskDone more often than there were items is refused, and the count stays right", async () => {
  const queue = new JoinableQueue<number>();
  refused(() => queue.taskDone(), RangeError, /taskDone\(\)/, /once for each item/);
  queue.putNowait(1);
  assert.equal(queue.unfinished, 1);
  assert.equal(await queue.join({ timeout: 0 }), false);
  queue.getNowait();
  queue.taskDone();
  refused(() => queue.taskDone(), RangeError, /more often/);
  assert.equal(await queue.join(bound), true);
});

// Queues: states

Deno.test("after shutdown every put is refused, and what is in can still be got", async () => {
  const queue = new Queue<unknown>();
  queue.putNowait("left");
  queue.shutdown();
  for (const [face, put] of Object.entries(puts)) {
    await fails(face, () => put(queue, 1), QueueShutDown, /was shut down/, /new queue/);
  }
  assert.equal(queue.qsize(), 1);
  assert.equal(await queue.get(), "left");
  for (const [face, get] of Object.entries(gets)) {
    await fails(face, () => get(queue), QueueShutDown, /was shut down/, /empty/);
  }
  queue.shutdown();
});

Deno.test("after close every use by this process is refused", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("left");
  queue.close();
  assert.equal(queue.closed, true);
  for (const [face, put] of Object.entries(puts)) {
    await fails(face, () => put(queue, 1), InvalidStateError, /closed the queue/, /before close/);
  }
  for (const [face, get] of Object.entries(gets)) {
    await fails(face, () => get(queue), InvalidStateError, /closed the queue/);
  }
  await rejected(() => queue[Symbol.asyncIterator]().next(), InvalidStateError, /closed the queue/);
  await rejected(() => queue.readable.getReader().read(), InvalidStateError, /closed the queue/);
  refused(() => queue.taskDone(), InvalidStateError, /closed the queue/);
  await rejected(() => queue.join(), InvalidStateError, /closed the queue/);
  refused(() => queue.joinSync(), InvalidStateError, /closed the queue/);
  refused(() => queue.shutdown(), InvalidStateError, /closed the queue/);
  queue.close();
});

Deno.test("close ends the waits of this process", async () => {
  const queue = new Queue<string>({ maxSize: 1 });
  const getting = queue.get(bound);
  queue.close();
  await rejected(() => getting, InvalidStateError, /closed the queue/);
  const full = new Queue<string>({ maxSize: 1 });
  full.putNowait("only");
  const putting = full.put("more", bound);
  full.close();
  await rejected(() => putting, InvalidStateError, /closed the queue/);
});

Deno.test("a closed queue isn't given to a process", () => {
  const queue = new Queue<string>();
  queue.close();
  const process = new Process({ target: targets.wait, args: [queue], module });
  refused(() => process.start(), InvalidStateError, /closed the queue/);
});

// Waiting

interface Face {
  name: string;
  call: (options: WaitOptions) => unknown;
}

/** Everything that takes a timeout; the queue has an item and room, the process is alive. */
function waitingFaces(queue: JoinableQueue<unknown>, process: Process): Face[] {
  const faces: Record<string, Face["call"]> = {
    "JoinableQueue.join": (options) => queue.join(options),
    "JoinableQueue.joinSync": (options) => queue.joinSync(options),
    "Process.join": (options) => process.join(options),
    "Process.joinSync": (options) => process.joinSync(options),
    "Process.result": (options) => process.result(options),
    "Process.resultSync": (options) => process.resultSync(options),
    "Queue.open": (options) => Queue.open("nobody has this", options),
  };
  for (const [name, get] of Object.entries(gets)) faces[name] = (options) => get(queue, options);
  for (const [name, put] of Object.entries(puts)) {
    faces[name] = (options) => put(queue, "more", options);
  }
  return Object.entries(faces).map(([name, call]) => ({ name, call }))
    .filter(({ name }) => !name.endsWith("Nowait"));
}

Deno.test("a timeout that isn't a time is refused by every face, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  const ways = /milliseconds from 0 up/;
  for (const { name, call } of waitingFaces(queue, process)) {
    for (const timeout of [NaN, -1, -Infinity]) {
      const pattern = new RegExp(`^timeout is ${timeout}\\.`);
      await fails(name, () => call({ timeout }), RangeError, pattern, ways);
    }
    for (const [timeout, what] of [["5", /a string/], [null, /null/], [5n, /a bigint/]]) {
      await fails(name, () => call({ timeout: wrong(timeout) }), TypeError, wrong(what), ways);
    }
    assert.equal(queue.qsize(), 1, name);
  }
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("options that are none, as Python's are, are refused by every face, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  for (const { name, call } of waitingFaces(queue, process)) {
    for (const options of [0.1, true, false, null, "5", [5]]) {
      const patterns = [/^The options are (an? )?\w+/, /\{ timeout: 1000 \}, in milliseconds/];
      await fails(name, () => call(wrong(options)), TypeError, ...patterns);
    }
    for (const option of ["timeOut", "block", "ms"]) {
      const patterns = [new RegExp(`^${option} is no option here`), /timeout/];
      await fails(name, () => call(wrong({ [option]: 5 })), TypeError, ...patterns);
    }
    assert.equal(queue.qsize(), 1, name);
  }
  const signal = AbortSignal.timeout(60_000);
  refused(
    () => queue.getSync(wrong({ signal })),
    TypeError,
    /^signal is no option here\. The only/,
  );
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("an option that there isn't is refused with the names of those there are", async () => {
  const target = () => {};
  const all: [make: (options: never) => unknown, wrongName: string, rightNames: RegExp][] = [
    [(options) => new Queue(options), "maxsize", /maxSize, maxBytes and name/],
    [(options) => new JoinableQueue(options), "size", /maxSize/],
    [(options) => Pipe(options), "duplexed", /duplex, maxSize and maxBytes/],
    [(options) => new Barrier(2, options), "parties", /action and timeout/],
    [(options) => new Queue().shutdown(options), "now", /The only one is immediate/],
    [(options) => new Process({ target, ...Object(options) }), "kwargs", /target, args/],
  ];
  for (const [make, name, rightNames] of all) {
    const pattern = new RegExp(`^${name} is no option here`);
    refused(() => make({ [name]: 5 } as never), TypeError, pattern, rightNames);
  }
  for (const [make] of all.slice(0, -1)) {
    for (const options of [10, true, null, "x"]) {
      refused(() => make(options as never), TypeError, /^The options are/);
    }
  }
  refused(() => new Process(wrong(target)), TypeError, /^The options are a function/);
  await rejected(() => sleep(1, wrong({ timeout: 5 })), TypeError, /The only one is signal/);
  await rejected(() => sleep(1, wrong(5)), TypeError, /^The options are a number/);
});

Deno.test("a sleep of no time at all is refused", async () => {
  await rejected(() => sleep(NaN), RangeError, /^ms is NaN\./);
  await rejected(() => sleep(-1), RangeError, /^ms is -1\./);
  await rejected(() => sleep(wrong("5")), TypeError, /^ms is a string/);
});

Deno.test("a signal that is aborted already rejects with its reason, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  const reason = new Error("before it began");
  const options = { signal: AbortSignal.abort(reason) };
  for (const { name, call } of waitingFaces(queue, process)) {
    if (name.endsWith("Sync")) continue;
    await assert.rejects(async () => await call(options), (error) => error === reason, name);
    assert.equal(queue.qsize(), 1, name);
  }
  await assert.rejects(sleep(1, options), (error) => error === reason);
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("a signal that is none is refused by every face, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  for (const { name, call } of waitingFaces(queue, process)) {
    if (name.endsWith("Sync")) continue;
    for (const signal of [new AbortController(), "now", 5]) {
      await fails(name, () => call({ signal: wrong(signal) }), TypeError, /^signal is/);
    }
    assert.equal(queue.qsize(), 1, name);
  }
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("a process whose signal is aborted already doesn't start", () => {
  const reason = new Error("before it began");
  const signal = AbortSignal.abort(reason);
  const process = new Process({ target: targets.give, args: [1], module, signal });
  assert.throws(() => process.start(), (error) => error === reason);
  assert.equal(process.pid, undefined);
  assert.equal(process.isAlive(), false);
});

Deno.test("a get that timed out has taken nothing", async () => {
  const queue = new Queue<string>();
  await rejected(() => queue.get({ timeout: 1 }), QueueEmpty, /empty/);
  refused(() => queue.getSync({ timeout: 1 }), QueueEmpty, /empty/);
  refused(() => queue.getNowait(), QueueEmpty, /empty/);
  queue.putNowait("one");
  queue.putNowait("two");
  assert.deepEqual(await queue.getMany(5), ["one", "two"]);
});
