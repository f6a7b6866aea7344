// Invalid targets and options of processes: each is refused in words that name a way out.

import assert from "node:assert/strict";
import { InvalidStateError, Process, ProcessError } from "../../mod.ts";
import { failed, refused, wrong } from "../support/refusals.ts";
import * as targets from "../support/targets/bad_input_targets.ts";

const module = targets.here;
const canRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

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
      /^imports imports (a relative path|"\.\.\/support\/seed\.ts"), which leads nowhere/,
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
    [{ target, warm: "yes" }, /warm is .*"yes"/, /true or false/],
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
