// Processes of the operating system: start, outcome, end and limits, by source and by reference.

import assert from "node:assert/strict";
import {
  activeChildren,
  Lock,
  Process,
  ProcessError,
  type ProcessOptions,
  type ProcessParameters,
  sleep,
} from "../../mod.ts";
import { Greeter, identify } from "../support/targets/os_targets.ts";

const may = (name: "run" | "read") => Deno.permissions.querySync({ name }).state === "granted";
const ignore = !may("run") || Deno.build.os === "windows";

/** Starts a process of the operating system. */
function start<A extends unknown[] = [], R = unknown>(
  options: ProcessOptions<A, R> & { args?: A },
): Process<A, R> {
  const all = { isolation: "os", by: "source", ...options } as ProcessOptions<A, R> & { args: A };
  const process = new Process<A, R>(...[all] as unknown as ProcessParameters<A, R>);
  process.start();
  return process;
}

function test(name: string, fn: () => Promise<void> | void): void {
  Deno.test({ name: `${name} (needs --allow-run)`, ignore, fn });
}

test("a process of the operating system returns a value of its arguments", async () => {
  const args: [number, Map<string, Date>] = [2, new Map([["day", new Date(5)]])];
  const process = start({ target: (n: number, dates: Map<string, Date>) => ({ n, dates }), args });
  assert.deepEqual(await process.result(), { n: 2, dates: args[1] });
  assert.equal(process.exitCode, 0);
  assert.equal(process.isAlive(), false);
  assert.deepEqual(activeChildren(), []);
});

test("the blocking calls work", () => {
  const process = start({ target: () => "done" });
  assert.equal(process.resultSync({ timeout: 30_000 }), "done");
  assert.equal(start({ target: () => {} }).joinSync({ timeout: 30_000 }), true);
});

test("an error crosses whole", async () => {
  const target = () => {
    throw Object.assign(new RangeError("too far", { cause: [1] }), { place: 7 });
  };
  const error = await start({ target }).result().catch((error) => error);
  assert.ok(error instanceof ProcessError);
  const cause = error.cause as RangeError & { place: number };
  assert.ok(cause instanceof RangeError);
  assert.equal(cause.message, "too far");
  assert.equal(cause.place, 7);
  assert.deepEqual(cause.cause, [1]);
  assert.match(cause.stack!, /RangeError: too far\n {4}at /);
  assert.equal(error.exitCode, 1);
});

test("it ends with the code of Deno.exit, any number", async () => {
  for (const code of [0, 3, 255, 300, 2 ** 31 - 2]) {
    const process = start({ target: (code: number) => Deno.exit(code), args: [code] });
    await process.join();
    assert.equal(process.exitCode, code);
  }
});

test("it ends by terminate() and kill() in the middle of a loop", async () => {
  for (const [end, code] of [["terminate", -15], ["kill", -9]] as const) {
    const process = start({
      target: () => {
        while (true);
      },
    });
    assert.equal(await process.join({ timeout: 300 }), false);
    process[end]();
    await process.join();
    assert.equal(process.exitCode, code);
    await assert.rejects(process.result(), { exitCode: code });
  }
});

test("its signal ends it, and the reason is the cause", async () => {
  const stop = new AbortController(), reason = new Error("not needed");
  const process = start({
    target: () => new Promise(() => setInterval(() => {}, 100)),
    signal: stop.signal,
  });
  stop.abort(reason);
  await assert.rejects(process.result(), { exitCode: -15, cause: reason });
});

test("a time limit ends it in the middle of a loop", async () => {
  const target = () => {
    while (true);
  };
  const process = start({ target, timeLimit: 100 });
  await assert.rejects(process.result(), { limit: "timeLimit", exitCode: -9 });
});

test("a time limit ends it while the thread of the program is blocked", () => {
  const target = () => {
    while (true);
  };
  assert.equal(start({ target, timeLimit: 100 }).joinSync({ timeout: 60_000 }), true);
});

test("a memory limit ends it, whatever fills the memory", async () => {
  const targets = {
    heap: () => {
      for (const all: unknown[] = [];;) all.push(new Array(1000).fill(1.5));
    },
    buffers: () => {
      for (const all: unknown[] = [];;) all.push(new Uint8Array(5e6).fill(1));
    },
    "one allocation": () => new Array(33_000_000).fill(1.5).length,
  };
  for (const [name, target] of Object.entries(targets)) {
    const error = await start({ target, memoryLimitMb: 64 }).result().catch((error) => error);
    assert.equal(error.limit, "memoryLimitMb", name);
    assert.equal(error.exitCode, -9);
  }
});

test("a result of more than maxResultBytes is an error in the process", async () => {
  const target = () => "x".repeat(2000);
  await assert.rejects(start({ target, maxResultBytes: 1000 }).result(), (error: ProcessError) => {
    return error.cause instanceof RangeError &&
      /result takes 200\d bytes/.test(error.cause.message);
  });
  assert.equal((await start({ target, maxResultBytes: 3000 }).result()).length, 2000);
});

test("it has no permission unless it is given some, and an empty environment", async () => {
  const target = async () => {
    const names = ["read", "write", "net", "env", "run", "sys", "ffi"] as const;
    const states = await Promise.all(names.map((name) => Deno.permissions.query({ name })));
    return states.map(({ state }) => state).join();
  };
  assert.equal(await start({ target }).result(), Array(7).fill("prompt").join());
  const read = () => {
    Deno.readTextFileSync("deno.json");
    return Deno.readTextFileSync("README.md").length;
  };
  const process = start({ target: read, permissions: { read: ["deno.json"] } });
  await assert.rejects(process.result(), (error: ProcessError) => {
    return error.cause instanceof Deno.errors.NotCapable && /README/.test(error.cause.message);
  });
  if (Deno.permissions.querySync({ name: "env" }).state !== "granted") return;
  Deno.env.set("OS_PROCESS_TEST", "a value");
  const environment = () => Object.keys(Deno.env.toObject());
  const given = await start({ target: environment, permissions: { env: true } }).result();
  assert.ok(given.includes("OS_PROCESS_TEST"));
  const one = () => Deno.env.get("OS_PROCESS_TEST");
  const permissions = { env: ["OS_PROCESS_TEST"] };
  assert.equal(await start({ target: one, permissions }).result(), "a value");
});

test("by reference its imports are there, and it knows who it is", async () => {
  if (!may("read")) return;
  const process = start({ target: identify, by: "reference", name: "reader" });
  const { name, pid } = process;
  const parent = "MainProcess";
  assert.deepEqual(await process.result(), { name, pid, read: false, parent, helped: 2 });
  const module = new URL("../support/targets/os_targets.ts", import.meta.url);
  const named = new Process({ target: "identify", module, isolation: "os" });
  named.start();
  assert.equal((await named.result() as { helped: number }).helped, 2);
});

test("a subclass with a run() runs in it", async () => {
  if (!may("read")) return;
  const process = new Greeter({ isolation: "os" });
  process.whom = "world";
  process.start();
  assert.equal(await process.result(), "hello world");
});

test("what can't cross is refused at the start, by its place", () => {
  const target = (_: unknown) => {};
  const refused = (args: [unknown], message: RegExp) => {
    assert.throws(() => start({ target, args }), (error: Error) => {
      return error instanceof TypeError && message.test(error.message);
    });
  };
  refused(
    [{ lock: new Lock() }],
    /^args\[0\]\.lock is a Lock, and shares memory with others: it can't cross/,
  );
  refused([[new SharedArrayBuffer(8)]], /^args\[0\]\[0\] is a SharedArrayBuffer/);
  refused([{ done: () => {} }], /^args\[0\]\.done is a function/);
  refused(
    [new Map([["a", new Int32Array(new SharedArrayBuffer(8))]])],
    /^args\[0\]\.get\("a"\) is an? Int32Array/,
  );
});

test("a daemon ends with the program, and others keep it alive", async () => {
  for (
    const [daemon, output] of [[true, "main ends\n"], [false, "main ends\nprocess ends\n"]] as const
  ) {
    const module = new URL("../../mod.ts", import.meta.url).href;
    const code = `import { Process } from ${JSON.stringify(module)};
const target = async () => { await new Promise((r) => setTimeout(r, 500)); console.log("process ends"); };
new Process({ target, isolation: "os", by: "source", daemon: ${daemon} }).start();
setTimeout(() => console.log("main ends"), 200);`;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-run",
        "--allow-read",
        `data:text/javascript,${encodeURIComponent(code)}`,
      ],
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(new TextDecoder().decode(stdout), output);
  }
});

test("it dies with its program, in the middle of a loop", async () => {
  const module = new URL("../../mod.ts", import.meta.url).href;
  const code = `import { Process } from ${JSON.stringify(module)};
const target = () => { console.log("loops"); for (;;); };
new Process({ target, isolation: "os", by: "source" }).start();`;
  const program = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-run",
      "--allow-read",
      `data:text/javascript,${encodeURIComponent(code)}`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = program.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /loops/);
  program.kill("SIGKILL");
  // The process has the program's standard output, which ends with the last process that has it.
  assert.equal((await reader.read()).done, true);
  await program.status;
});

Deno.test("without the right to run, start() says so", {
  ignore: Deno.permissions.querySync({ name: "run", command: "/bin/sh" }).state === "granted" ||
    Deno.build.os === "windows",
}, () => {
  assert.throws(() => start({ target: () => {} }), (error: Error) => {
    return error instanceof Deno.errors.NotCapable &&
      /^isolation: "os" needs the right to run \/bin\/sh/.test(error.message);
  });
});

Deno.test("bad options of isolation are refused by name", () => {
  const target = () => sleep(0);
  for (const isolation of ["process", "", 1, null, true, {}]) {
    assert.throws(
      () => new Process({ target, isolation: isolation as "os" }),
      (error: Error) =>
        error instanceof TypeError &&
        /^isolation is .* Give "worker" or "os"\./.test(error.message),
    );
  }
  for (const memoryLimitMb of [0, -1, NaN, 15]) {
    assert.throws(() => new Process({ target, isolation: "os", memoryLimitMb }), RangeError);
  }
  for (const timeLimit of [0, -1, NaN]) {
    assert.throws(() => new Process({ target, isolation: "os", timeLimit }), RangeError);
  }
  assert.throws(() => new Process({ target, isolation: "os", maxResultBytes: 0 }), RangeError);
});
