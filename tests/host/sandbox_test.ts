// Processes with fewer permissions than their starter, and processes with limits: their rights,
// their ends, and what they can't do to their starter. Their attempts to escape
// are in tests/child/sandbox_escape_test.ts.

import assert from "node:assert/strict";
import { resolveObjectURL } from "node:buffer";
import {
  activeChildren,
  Barrier,
  currentProcess,
  Pipe,
  Process,
  ProcessError,
  type ProcessOptions,
  type ProcessParameters,
  type ProcessPermissions,
  Queue,
  SharedArray,
} from "../../mod.ts";
import { inFull, testInFull } from "../support/length.ts";
import { granted, needs, run as runProgram } from "../support/programs.ts";
import * as targets from "../support/targets/sandbox_targets.ts";

const { here: module } = targets;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 60_000 };

/** Nothing at all. */
const nothing: ProcessPermissions = {
  ...{ read: false, write: false, net: false, env: false },
  ...{ run: false, sys: false, ffi: false, import: false },
};

const mayRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Starts a process and waits for its result. */
function run<A extends unknown[], R>(...parameters: ProcessParameters<A, R>): Promise<R> {
  const process = new Process<A, R>(...parameters);
  process.start();
  return process.result(bound);
}

/** What a process fails with. */
async function failureOf<A extends unknown[], R>(
  ...parameters: ProcessParameters<A, R>
): Promise<ProcessError> {
  const error = await run<A, R>(...parameters).then(() => undefined, (error) => error);
  assert.ok(error instanceof ProcessError, `not a ProcessError: ${error}`);
  return error;
}

/** Checks that a process was refused something. */
function isRefusal(error: ProcessError): void {
  assert.equal((error.cause as Error).name, "NotCapable", `${error} ${error.cause}`);
}

/** The three ways to hold a process: with its own permissions, with a limit too, with a limit only. */
const confined = { permissions: "none" } as const;
const sandboxedThread = { permissions: "none", timeLimit: 60_000 } as const;
const limited = { memoryLimitMb: 200 } as const;

Deno.test('a process with "none" may do nothing, and its arguments and result cross', async () => {
  await Promise.all([confined, sandboxedThread].map(async (bounds) => {
    const by = "source" as const;
    const told = run({ target: targets.tellPermissions, by, ...bounds });
    isRefusal(await failureOf({ target: targets.readFile, args: [module], by, ...bounds }));
    assert.deepEqual(await told, nothing);
  }));
});

testInFull("what a confined process returns is a value, and not too large", async () => {
  await Promise.all([confined, sandboxedThread].map(async (bounds) => {
    const by = "source", map = new Map<string, unknown>([["date", new Date(7)]]);
    map.set("self", map);
    const [given, handing, thrown] = await Promise.all([
      run({ target: (m: typeof map) => m, args: [map], by, ...bounds }),
      failureOf({ target: () => ({ made: new Queue() }), by, ...bounds }),
      failureOf({
        target: () => {
          throw new RangeError("too far", { cause: { at: 1n } });
        },
        by,
        ...bounds,
      }),
    ]);
    assert.deepEqual(given, map);
    assert.match(`${handing.cause}`, /^TypeError: result\.made is a Queue/);
    assert.deepEqual((thrown.cause as Error).cause, { at: 1n });
  }));
  const target = () => new Uint8Array(17 * 2 ** 20);
  const large = await failureOf({
    ...{ target, by: "source", permissions: "none", memoryLimitMb: 64, maxResultBytes: 2 ** 24 },
  });
  assert.match(`${large.cause}`, /^RangeError: result takes \d+ bytes, .* at most 16777216/);
});

Deno.test("what isn't named is not granted", async () => {
  const permissions = { read: false, net: [] };
  assert.deepEqual(
    await run({ target: targets.tellPermissions, permissions, by: "source" }),
    nothing,
  );
});

testInFull("confined processes use queues, blocking and not", async () => {
  await Promise.all([confined, sandboxedThread, limited].map(async (bounds) => {
    const queue = new Queue<number>();
    await run({ target: targets.put, args: [queue, 100], by: "source", ...bounds });
    for (let i = 0; i < 100; i++) assert.equal(queue.getNowait(), i);
    const waiting = new Process({
      target: targets.getSync,
      args: [queue],
      by: "source",
      ...bounds,
    });
    waiting.start();
    await queue.put(7);
    assert.equal(await waiting.result(bound), 7);
    queue.close();
  }));
});

testInFull(
  "the action of a barrier runs only in processes with the rights of the one that made it",
  async () => {
    for (const bounds of [confined, sandboxedThread, {}]) {
      const [here, there] = Pipe<Barrier, unknown>();
      const { sendBarrier: target } = targets;
      const process = new Process({ target, args: [there], by: "source", ...bounds });
      process.start();
      const barrier = await here.recv(bound);
      if ("permissions" in bounds) {
        await assert.rejects(barrier.wait(), {
          name: "NotCapable",
          message: /^The action "action"/,
        });
        assert.ok(barrier.broken);
        assert.equal(Reflect.get(globalThis, "trace"), undefined);
      } else {
        assert.equal(barrier.waitSync(), 0);
        assert.equal(Reflect.get(globalThis, "trace"), "left");
        Reflect.deleteProperty(globalThis, "trace");
      }
      here.close();
      await process.result(bound);
    }
    // What a confined process is given by its starter may run there, and nowhere else again.
    const barrier = new Barrier(1, { action: () => {} });
    const [here, there] = Pipe<unknown>();
    const target = async (barrier: Barrier, connection: typeof there) => {
      await barrier.wait();
      await connection.send(barrier);
    };
    await run({ target, args: [barrier, there], by: "source", ...confined });
    const back = await here.recv(bound) as Barrier;
    await assert.rejects(back.wait(), { name: "NotCapable" });
    here.close();
  },
);

Deno.test({
  name: "a target by reference has its imports, though it may read nothing (needs --allow-read)",
  ignore: !mayRead,
  fn: async () => {
    const by = "reference" as const;
    const path = new URL(module).pathname;
    // One after the other: `deno test` type-checks the first.
    for (const bounds of [confined, sandboxedThread]) {
      assert.equal(await run({ target: targets.useHelper, args: [21], module, by, ...bounds }), 42);
      isRefusal(await failureOf({ target: targets.readFile, args: [path], module, by, ...bounds }));
    }
  },
});

Deno.test({
  name: "a list of paths grants these and no others (needs --allow-read)",
  ignore: !mayRead,
  fn: async () => {
    const mine = new URL(module), other = new URL(import.meta.url);
    const length = Deno.readTextFileSync(mine).length;
    const cases = [{}, { timeLimit: 60_000 }].flatMap((more) =>
      [mine, mine.pathname].map((path) => {
        return { permissions: { read: [path] }, by: "source" as const, ...more };
      })
    );
    await Promise.all(cases.map(async (bounds) => {
      const { readFile } = targets;
      assert.equal(await run({ target: readFile, args: [mine.pathname], ...bounds }), length);
      isRefusal(await failureOf({ target: readFile, args: [other.pathname], ...bounds }));
      const told = await run({ target: targets.tellPermissions, ...bounds });
      assert.deepEqual(told, { ...nothing, read: [mine.pathname] });
    }));
  },
});

Deno.test({
  name: "with a limit, a list of paths and a target by reference are refused in words " +
    "(needs --allow-read)",
  ignore: !mayRead,
  fn: async () => {
    const permissions = { read: [new URL(module)] };
    const make = (by?: "reference") =>
      new Process({ target: targets.useHelper, args: [1], module, by, permissions, ...limited });
    assert.throws(() => make("reference").start(), /permissions\.read is an array.*by: "source"/);
    // By itself it goes by source, where the helper isn't.
    const process = make();
    process.start();
    await assert.rejects(process.result(bound), /uses "twice", which is outside of it/);
    assert.deepEqual(activeChildren(), []);
  },
});

Deno.test({
  name: "what the text of a confined target imports is not loaded for it (needs --allow-read)",
  ignore: !mayRead,
  fn: async () => {
    const url = new URL("../../deno.json", import.meta.url).href;
    // Deno loads what a module's text names together with the module.
    const target = new Function(
      `return import("${url}", { with: { type: "json" } }).then((module) => module.default.name)`,
    ) as () => Promise<string>;
    assert.equal(await run({ target, by: "source" }), "@multiproc/multiprocessing");
    for (const bounds of [confined, sandboxedThread]) {
      const error = await failureOf({ target, by: "source", ...bounds });
      assert.match((error.cause as Error).message, /^Requires read access/);
    }
  },
});

testInFull("a process can't get more than its starter has", async () => {
  const asked: [permissions: Deno.PermissionOptionsObject, place: RegExp][] = [];
  if (!mayRead) asked.push([{ read: true }, /^permissions\.read asks .* all of it.*--allow-read/]);
  for (const name of ["net", "env", "run", "sys", "ffi"] as const) {
    if (Deno.permissions.querySync({ name }).state === "granted") continue;
    asked.push([{ [name]: true }, new RegExp(`^permissions\\.${name} asks for more .* all of it`)]);
  }
  if (Deno.permissions.querySync({ name: "env" }).state !== "granted") {
    asked.push([{ env: ["HOME"] }, /^permissions\.env\[0\] asks for more .* "HOME"/]);
  }
  for (const [permissions, place] of asked) {
    const process = new Process({ target: targets.tellPermissions, module, permissions });
    assert.throws(() => process.start(), (error: Error) => {
      assert.ok(error instanceof Deno.errors.NotCapable, `${error}`);
      assert.match(error.message, place);
      return true;
    });
    assert.equal(process.isAlive(), false);
  }
  const odd = new Process({
    target: targets.tellPermissions,
    permissions: { sys: ["nonsense" as "hostname"] },
  });
  assert.throws(() => odd.start(), /permissions.* mean.* nothing to Deno: .*"nonsense"/);
  // Nor can what a confined process starts.
  const children: [bounds: ProcessOptions, permissions: unknown, depth: number][] = [
    [confined, "inherit", 0],
    [confined, "inherit", 1],
    [confined, { read: true }, 0],
    [confined, { read: [module] }, 0],
    [sandboxedThread, "inherit", 0],
    [sandboxedThread, { read: true }, 0],
  ];
  await Promise.all(children.map(async ([bounds, permissions, depth]) => {
    const args: Parameters<typeof targets.startChild> = [module, permissions as "inherit", depth];
    const target = targets.startChild, by = "source";
    const came = await run({ ...bounds as ProcessOptions<typeof args, string>, target, args, by });
    assert.match(came, /NotCapable/);
  }));
});

Deno.test("currentProcess and a Process tell what may be done", () => {
  const own = currentProcess().permissions;
  assert.equal(own.read, mayRead);
  assert.deepEqual(Object.keys(own).sort(), Object.keys(nothing).sort());
  const none = new Process({ target: targets.tellPermissions, permissions: "none" });
  assert.deepEqual(none.permissions, nothing);
  assert.deepEqual(new Process({ target: targets.tellPermissions }).permissions, own);
});

Deno.test("a process that inherits can't revoke a right of its starter", async () => {
  const told = await run({ target: targets.revoke, by: "source" });
  assert.equal(told.length, 2);
  for (const text of told) assert.match(text, /^InvalidStateError: .*shares its permissions/);
  const own = await run({ target: targets.revoke, by: "source", permissions: { read: mayRead } });
  assert.deepEqual(own, ["prompt", "prompt"]);
  assert.equal(currentProcess().permissions.read, mayRead);
});

testInFull(
  "where no process can be sealed, none starts, and a pool says that it can't work",
  async () => {
    const { code, out, errors } = await runProgram("unsealable.ts", [], [
      ...["--allow-all", "--unstable-worker-options", "--v8-flags=--expose-gc"],
    ]);
    assert.equal(code, 0, errors);
    assert.deepEqual(out, ["1", "1", "1", "BrokenPoolError This Deno can't be sealed:"]);
  },
);

testInFull(
  "a confined process can't revoke the object URLs of others, and can its own",
  async () => {
    const target = (given: string) => {
      const [runtime] = /blob:null\/[\w-]+/.exec(`${failing().stack}`) ?? [];
      const own = URL.createObjectURL(new Blob(["own"]));
      for (const url of [runtime, given, own]) {
        for (const text of [`${url}`, ` ${url} `, { toString: () => url }]) {
          URL.revokeObjectURL(text as string);
        }
      }
      function failing(): Error {
        try {
          new Queue({ maxSize: -1 });
        } catch (error) {
          return error as Error;
        }
        return new Error("none");
      }
      return { runtime, own };
    };
    for (const limits of [confined, sandboxedThread]) {
      const bounds = { ...limits, sealed: false };
      const given = URL.createObjectURL(new Blob(["given"]));
      const { runtime, own } = await run({ target, args: [given], by: "source", ...bounds });
      assert.ok(runtime !== undefined && resolveObjectURL(runtime) !== undefined, `${runtime}`);
      assert.ok(resolveObjectURL(given) !== undefined);
      assert.equal(resolveObjectURL(own), undefined);
      URL.revokeObjectURL(given);
    }
  },
);

testInFull("a confined process that requests a right is told the state", async () => {
  const told = [confined, sandboxedThread].map((bounds) => {
    return run({ target: targets.request, by: "source", ...bounds });
  });
  for (const states of await Promise.all(told)) assert.deepEqual(states, ["prompt", "prompt"]);
});

testInFull("a process that lives too long is killed, whatever it does", async () => {
  const cases = (["inherit", "none"] as const).flatMap((permissions) =>
    ([targets.spin, targets.spinInTasks] as (() => unknown)[]).map(async (target) => {
      const error = await failureOf({ target, by: "source", permissions, timeLimit: 100 });
      assert.match(error.message, /was killed: it reached its timeLimit of 100 ms/);
      assert.equal(error.exitCode, -9);
      assert.equal(error.limit, "timeLimit");
    })
  );
  await Promise.all(cases);
  assert.deepEqual(activeChildren(), []);
});

Deno.test("a time limit is kept while main is blocked", () => {
  const process = new Process({ target: targets.spin, by: "source", timeLimit: 100 });
  process.start();
  assert.equal(process.joinSync(bound), true);
  assert.equal(process.exitCode, -9);
});

testInFull("a process that ends in time keeps its result and exit code", async () => {
  const by = "source", permissions = "none", target = targets.tellPermissions;
  await Promise.all([30_000, Infinity].map(async (timeLimit) => {
    assert.deepEqual(await run({ target, by, timeLimit, permissions }), nothing);
  }));
  await Promise.all([confined, sandboxedThread, limited].map(async (bounds) => {
    const error = await failureOf({ target: targets.exit, args: [5], by: "source", ...bounds });
    assert.equal(error.exitCode, 5);
    assert.equal(error.limit, undefined);
  }));
});

testInFull("a process that takes too much memory is killed, and the program lives", async () => {
  const cases = (["inherit", "none"] as const).flatMap((permissions) =>
    (["at once", "after an await", "with arrays of one length"] as const).map(async (how) => {
      const error = await failureOf({
        target: targets.fill,
        args: [how],
        by: "source",
        permissions,
        memoryLimitMb: 32,
      });
      assert.match(error.message, /was killed: it reached its memoryLimitMb of 32 MB/);
      assert.equal(error.exitCode, -9);
      assert.equal(error.limit, "memoryLimitMb");
    })
  );
  await Promise.all(cases);
  assert.deepEqual(activeChildren(), []);
});

testInFull("what a process with a memory limit starts has no more memory", async () => {
  const target = async (memoryLimitMb: number | undefined) => {
    const target = () => {
      const all: unknown[] = [];
      while (true) all.push({ numbers: [all.length, Math.random()] });
    };
    const child = new Process({ target, by: "source", memoryLimitMb });
    child.start();
    return await child.result().catch((error) => error.message);
  };
  const few: ["inherit" | "none", number | undefined][] = [
    ["inherit", 1000],
    ["none", undefined],
    ["none", 20],
  ];
  const limits = inFull<typeof few>([...few, ["inherit", undefined], ["inherit", 20], [
    "none",
    1000,
  ]], few);
  await Promise.all(limits.map(async ([permissions, inner]) => {
    const bounds = { permissions, memoryLimitMb: 32 };
    const said = await run({ target, args: [inner], by: "source", ...bounds });
    assert.match(said, new RegExp(`memoryLimitMb of ${Math.min(inner ?? 32, 32)} MB`));
  }));
});

testInFull("a process with a limit that makes arrays without end is stopped in time", async () => {
  for (const permissions of ["inherit", "none"] as const) {
    const all = new SharedArray("i32", 1);
    const target = (rounds: SharedArray<"i32">) => {
      const kept: number[][] = [];
      for (;;) {
        kept.push(new Array(1000).fill(0));
        if (kept.length > 1000) kept.length = 0;
        rounds[0]++;
      }
    };
    const bounds = { permissions, timeLimit: 300 };
    await failureOf({ target, args: [all], by: "source", ...bounds });
    const [rounds] = all;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(rounds > 1000 && all[0] === rounds, `it goes on: ${rounds}, then ${all[0]}`);
  }
});

Deno.test("arrays of a process with a limit are as ever", async () => {
  const target = (): unknown[] => {
    class Own extends Array {}
    // deno-lint-ignore no-array-constructor -- that is what is tested
    const arrays = [new Array(3), Array(1, 2), new Array("x"), Array.from("ab"), Array.of(7)];
    return [
      ...arrays.map((array) => [array instanceof Array, Array.isArray(array), array.length]),
      new Own(2) instanceof Own && new Own(2).map(() => 1) instanceof Own,
      Array.name,
    ];
  };
  assert.deepEqual(await run({ target, by: "source", memoryLimitMb: 100 }), [
    ...[3, 2, 1, 2, 1].map((length) => [true, true, length]),
    true,
    "Array",
  ]);
});

Deno.test("terminate stops a process in a sandboxed thread in the middle of a loop", async () => {
  const started = new SharedArray("i32", 1);
  const process = new Process({
    target: targets.spin,
    args: [started],
    by: "source",
    ...sandboxedThread,
  });
  process.start();
  while (started[0] === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  process.terminate();
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, -15);
  assert.equal(await process.result().catch((error) => error.limit), undefined);
});

Deno.test({
  name: `without worker-options Deno ends the program, and says what is missing ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await runProgram("without_worker_options.ts", [], [
      "--no-config",
    ]);
    assert.deepEqual({ code, out }, { code: 70, out: ["before"] });
    assert.match(errors, /--unstable-worker-options/);
  },
});
