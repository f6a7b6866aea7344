// The error of a failed process, as its starter sees it: errors of every kind arrive with their class, at any
// depth, and even the strangest thrown value is reported.

import assert from "node:assert/strict";
import { decode } from "../../lib/codec/decode.ts";
import { freeEncoder } from "../../lib/codec/encode.ts";
import { describeFailure, type Failure } from "../../lib/transfer/remote_error.ts";
import { headlineOf, recreateFailure } from "../../lib/transfer/recreate_error.ts";
import { BufferTooShort, Process, ProcessError, QueueEmpty, QueueFull } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import * as targets from "../support/targets/failure_targets.ts";

const module = targets.here;
const bound = { timeout: 20_000 };

/** What arrives of a failure: as a message, or, from a sandbox, as bytes. */
const ways: Record<string, (thrown: unknown) => Failure> = {
  "by port": (thrown) => structuredClone(describeFailure(thrown)),
  "as bytes": (thrown) => {
    const encoder = freeEncoder(),
      end = encoder.encode(describeFailure(thrown, false), 0, "failure");
    return decode(encoder.bytes.slice(0, end), 0, end) as Failure;
  },
};

/** What a process fails with that throws one of the errors of targets.fail. */
async function failureOf(
  name: string,
  options: { isLate?: boolean; permissions?: "none" } = {},
): Promise<ProcessError> {
  const { isLate, permissions } = options;
  // A sandbox by source: by reference `deno test` type-checks each one.
  const by = permissions && "source";
  const args: [string, boolean?] = [name, isLate];
  const process = new Process({ target: targets.fail, args, module, permissions, by });
  process.start();
  const error = await process.result(bound).then(() => undefined, (error) => error);
  assert.ok(error instanceof ProcessError, `not a ProcessError: ${error}`);
  await process.join(bound);
  return error;
}

/** What arrives of an error. */
function arrived(name: string, way = "by port"): Record<string, unknown> {
  const error = recreateFailure(ways[way](original(name)));
  assert.ok(error instanceof Error, `${name} arrives as ${error}`);
  return error as never;
}

/** What is thrown where it is thrown, to compare with. */
const original = (name: string) => targets.errors[name]() as Record<string, unknown>;

/** The classes an error is an instance of. */
function classesOf(error: unknown): string[] {
  const classes = [
    ...[TypeError, RangeError, AggregateError, SuppressedError, DOMException],
    ...[WebAssembly.CompileError, WebAssembly.LinkError, WebAssembly.RuntimeError],
    ...[BufferTooShort, QueueFull, QueueEmpty, ProcessError, ...Object.values(Deno.errors)],
  ];
  return classes.filter((one) => error instanceof one).map(({ name }) => name);
}

function checkSame(error: Record<string, unknown>, expected: Record<string, unknown>): void {
  const { name } = expected.constructor;
  const isForeign = expected.message === original("otherRealm").message;
  assert.deepEqual(classesOf(error), isForeign ? ["TypeError"] : classesOf(expected));
  assert.equal(error.name, name === "OutOfPaper" ? name : expected.name);
  assert.equal(error.message, expected.message);
  for (
    const key of [
      ...["code", "errno", "syscall", "path", "count", "exitCode", "bytes", "tray", "status"],
    ]
  ) {
    assert.deepEqual(error[key], expected[key], key);
  }
  assert.match(String(error.stack), /failure_targets/);
}

for (const way of Object.keys(ways)) {
  Deno.test(`${way} an error arrives as one of its class, with its name, message and stack`, () => {
    for (const name of Object.keys(targets.errors)) checkSame(arrived(name, way), original(name));
  });
}

for (const options of [{}, { isLate: true }, { permissions: "none" as const }]) {
  testInFull(
    `a process fails with such errors, with options ${JSON.stringify(options)}`,
    async () => {
      // deno-lint-ignore no-explicit-any
      const causeOf = async (name: string): Promise<any> => (await failureOf(name, options)).cause;
      const notFound = await causeOf("notFound");
      assert.ok(notFound instanceof Deno.errors.NotFound);
      assert.equal("code" in notFound && notFound.code, "ENOENT");
      assert.match(`${notFound.stack}`, /at .*fail/);
      const { error, suppressed } = await causeOf("suppressed");
      assert.ok(error instanceof RangeError);
      assert.deepEqual([suppressed.name, suppressed.status], ["HttpError", 404]);
      assert.equal((await causeOf("domException")).code, 25);
      assert.equal((await causeOf("inProperties")).list[0].inner.status, 404);
    },
  );
}

Deno.test("a SuppressedError keeps both its errors, and an AggregateError all", () => {
  for (const name of ["suppressed", "using"]) {
    const error = arrived(name) as unknown as SuppressedError;
    const expected = original(name) as unknown as SuppressedError;
    assert.equal(`${error.error}`, `${expected.error}`);
    assert.equal(`${error.suppressed}`, `${expected.suppressed}`);
  }
  const using = arrived("using") as unknown as SuppressedError;
  assert.equal(using.error.status, 500);
  assert.ok(using.suppressed instanceof Deno.errors.NotFound);
  const { errors } = arrived("aggregate") as unknown as AggregateError;
  assert.equal(errors[0].status, 404);
  assert.ok(errors[1] instanceof DOMException);
  assert.equal(errors[1].code, 0);
  assert.equal(errors[2], 7);
});

Deno.test("a DOMException has its code, an error of the file system too", () => {
  assert.equal((arrived("abort")).code, 20);
  assert.equal((arrived("domException")).code, 25);
  assert.equal((arrived("notFound")).code, "ENOENT");
  assert.equal((arrived("system")).errno, -2);
  assert.equal((arrived("node")).code, "ERR_ASSERTION");
  assert.equal((arrived("nodeType")).code, "ERR_INVALID_ARG_TYPE");
});

Deno.test("errors in properties arrive whole, in whatever they are", () => {
  for (const way of Object.keys(ways)) {
    // deno-lint-ignore no-explicit-any
    const error: any = arrived("inProperties", way);
    assert.equal(`${error.inner}`, "HttpError: status 404");
    assert.equal(error.inner.status, 404);
    assert.ok(error.inner.cause instanceof Deno.errors.NotFound);
    assert.ok(error.list[0] instanceof RangeError);
    assert.equal(error.list[1].error.name, "OutOfPaper");
    assert.equal(error.list[1].error.tray, 3);
    assert.equal(error.map.get("key").status, 500);
    assert.ok([...error.map.keys()][1] instanceof URIError);
    assert.ok([...error.set][0] instanceof EvalError);
    assert.deepEqual([error.when, error.bytes, error.big], [
      ...[new Date(5), new Uint8Array([1, 2, 3]), 2n ** 70n],
    ]);
    assert.ok("nothing" in error);
  }
});

Deno.test("a function in a property is left out, as in JSON; in an array its text stands for it", () => {
  // deno-lint-ignore no-explicit-any
  const error: any = arrived("inProperties");
  assert.deepEqual(error.half, {
    ...{ data: 1, symbol: "Symbol(s)" },
    list: [1, "[Function (anonymous)]", 3],
  });
  const { details } = arrived("ownClass");
  assert.deepEqual(details, { printer: "p1", sheets: [1, 2] });
});

Deno.test("cycles of errors arrive as cycles, and 500 causes as 500", () => {
  // deno-lint-ignore no-explicit-any
  const error: any = arrived("cyclic");
  assert.equal(error.self, error);
  assert.equal(error.list[1].error, error);
  assert.equal(error.cause.cause, error);
  assert.ok(error.cause instanceof RangeError);
  let deep: unknown = arrived("deep");
  for (let i = 499; i >= 0; i--) {
    assert.equal((deep as targets.HttpError).status, i);
    deep = (deep as Error).cause;
  }
  assert.equal(deep, undefined);
});

Deno.test("getters of an error are read once", async () => {
  const reads = new Int32Array(new SharedArrayBuffer(12));
  const process = new Process({ target: targets.countReads, args: [reads], module });
  process.start();
  const error = await process.result(bound).catch((error) => error);
  assert.deepEqual([...reads], [1, 1, 1]);
  assert.equal(error.cause.direct, 0);
  assert.deepEqual(error.cause.nested, { count: 0 });
  assert.equal(`${error.cause.cause}`, "Error: cause 0");
});

// What is hard to describe

/** What ProcessError.message ends with, and the cause. */
// deno-lint-ignore no-explicit-any
const answers: Record<string, [message: RegExp, check?: (cause: any) => void]> = {
  // V8 asks for the message when it makes the text of the stack.
  messageGetter: [/failed: RangeError: (as it was|\[Throws when read: .*\])$/, isRangeError],
  nameGetter: [/failed: RangeError: as it was$/, isRangeError],
  stackGetter: [/failed: RangeError: as it was$/, isRangeError],
  causeGetter: [/failed: RangeError: as it was$/, isRangeError],
  propertyGetter: [/failed: RangeError: as it was$/, (cause) => {
    assert.match(cause.detail, /Throws when read: Error: a getter, or a trap/);
  }],
  strangeMessage: [/failed: Error: \{ toString: null \}$/],
  strangeName: [/failed: Symbol\(strange\): x$/],
  strangeStack: [/failed: Error: x$/, (cause) => assert.equal(cause.stack, "Error: x")],
  strangeCause: [/failed: Error: x$/, (cause) => assert.deepEqual(cause.cause, { toString: null })],
  noPrototype: [/failed: \w*Error: bare$/],
  proxyOfError: [/failed: RangeError: behind a proxy$/, isRangeError],
  proxyGet: [/failed: \w*Error: behind a proxy$/, isRangeError],
  proxyAll: [/behind a proxy/],
  revoked: [/failed: \[Proxy\]$/],
  causeProxy: [/failed: Error: x$/, (cause) => assert.match(String(cause.cause), /a: 1/)],
  noToString: [/failed: \{ toString: null \}$/, (cause) => {
    assert.deepEqual(cause, { toString: null });
  }],
  nullPrototype: [/failed: \[Object: null prototype\] \{ code: 7 \}$/, (cause) => {
    assert.deepEqual(cause, { code: 7 });
  }],
  symbol: [/failed: Symbol\(thrown\)$/, (cause) => assert.equal(cause, "Symbol(thrown)")],
  function: [/failed: \[Function: thrown\]$/],
  class: [/failed: \[class OutOfPaper\]$/],
  withFunctions: [
    /failed: \{[^]*code: 7,[^]*retry: \[Function: retry\][^]*run: \[Function: run\]/,
    (cause) => {
      assert.deepEqual(cause, { code: 7, nested: { list: [1] } });
    },
  ],
  promise: [/failed: Promise \{ 1 \}$/],
  instance: [/failed: Jam \{ sheet: 3 \}$/, (cause) => assert.deepEqual(cause, { sheet: 3 })],
  array: [/failed: \[ 1, \[Function[^]*Symbol\(s\)/],
  objectGetter: [/failed: \{[^]*good: 1/, (cause) => assert.equal(cause.good, 1)],
  customInspect: [/failed: \{ a: 1 \}$/],
  toStringTag: [/failed: \{ a: 1 \}$/],
  hugeMessage: [/failed: Error: x+ … x+$/, (cause) => {
    assert.ok(cause.message.length > 2 ** 23 && cause.message.length < 2 ** 25);
  }],
  hugeString: [/failed: x+ … x+$/],
  deepCauses: [
    /failed: Error: outer$/,
    (cause) => assert.equal(cause.cause.cause.message, "outer"),
  ],
  deepData: [/failed: Error: deep data$/, (cause) => assert.ok(Array.isArray(cause.data[0][0]))],
  manyProperties: [/failed: Error: many$/, (cause) => {
    assert.equal(cause.p0, 0);
    assert.match(cause["…"], /^\d+ more properties$/);
  }],
  endless: [/failed: Error: endless$/, (cause) => assert.ok(cause.endless.a.b.c)],
};

function isRangeError(cause: unknown): void {
  assert.ok(cause instanceof RangeError, `not a RangeError: ${cause}`);
}

for (const way of Object.keys(ways)) {
  const test = way === "by port" ? testInFull : Deno.test;
  test(`${way} whatever is thrown is told as inspecting it would tell it`, () => {
    assert.deepEqual(Object.keys(answers), Object.keys(targets.riddles));
    for (const [name, [headline, check]] of Object.entries(answers)) {
      const failure = ways[way](targets.riddles[name]());
      assert.match(`failed: ${headlineOf(failure)}`, headline, name);
      assert.ok(headlineOf(failure).length < 10_000, name);
      check?.(recreateFailure(failure));
    }
  });
}

Deno.test("whatever a process throws is the cause of its failure", async () => {
  for (const permissions of [undefined, "none"] as const) {
    const names = ["proxyGet", "revoked", "noToString", "withFunctions"];
    const errors = await Promise.all(names.map((name) => failureOf(name, { permissions })));
    for (const [index, name] of names.entries()) {
      const [message, check] = answers[name], error = errors[index];
      assert.equal(error.exitCode, 1);
      assert.match(error.message, message, name);
      check?.(error.cause);
    }
  }
});

Deno.test("a Map and a Set in a property of an error arrive as those of the language", async () => {
  const target = () => {
    throw Object.assign(new Error("x"), { map: new Map([[1, "one"]]), set: new Set([2]) });
  };
  const process = new Process({ target, by: "source" });
  process.start();
  const { cause } = await process.result().catch((error) => error);
  assert.ok(cause.map instanceof Map && cause.set instanceof Set);
  assert.deepEqual([[...cause.map], [...cause.set]], [[[1, "one"]], [2]]);
});
