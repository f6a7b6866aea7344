// terminate() and kill() before a process runs, and in the middle of a large operation.

import assert from "node:assert/strict";
import { InvalidStateError, Process, Queue, sleep } from "../../mod.ts";
import { bound, checkEnded, type End, ends, fewAtOnce, kinds } from "../support/kill.ts";
import { testInFull } from "../support/length.ts";

// Before it runs

for (const end of Object.keys(ends) as End[]) {
  Deno.test(`${end}() right after start() ends a process`, async () => {
    const cases = Object.entries(kinds).flatMap(([kind, options]) =>
      [false, options.permissions === undefined].map((blocking) => async () => {
        const ran = new Queue<string>();
        const process = new Process({
          target: (ran: Queue<string>) => ran.putSync("ran"),
          args: [ran],
          by: "source",
          // In a thread that is there already it could end by itself before it is told to.
          warm: false,
          ...options,
        });
        process.start();
        process[end]();
        if (blocking) assert.equal(process.joinSync(bound), true, kind);
        await checkEnded(process, ends[end]);
        assert.equal(ran.qsize(), 0, kind);
      })
    );
    await fewAtOnce(cases);
  });
}

Deno.test("a process whose signal is aborted while its arguments are read is terminated", async () => {
  const controller = new AbortController(), { signal } = controller, ran = new Queue<string>();
  const trap = {
    get value() {
      controller.abort();
      return 1;
    },
  };
  const process = new Process({
    target: (_: unknown, ran: Queue<string>) => ran.putSync("ran"),
    args: [trap, ran],
    by: "source",
    signal,
  });
  process.start();
  await checkEnded(process, -15);
  assert.equal(ran.qsize(), 0);
});

Deno.test("a process can't be ended while its arguments are read, and starts", async () => {
  const refused: unknown[] = [];
  const trap = {
    get value() {
      for (const end of Object.keys(ends) as End[]) {
        try {
          process[end]();
        } catch (error) {
          refused.push(error);
        }
      }
      return 1;
    },
  };
  const process: Process<[{ value: number }], number> = new Process({
    target: ({ value }: { value: number }) => value,
    args: [trap],
    by: "source",
  });
  process.start();
  assert.equal(await process.result(bound), 1);
  assert.ok(refused.length >= 2 && refused.every((error) => error instanceof InvalidStateError));
});

const mayRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** What a module does while it loads, in a worker that can't be told of it otherwise. */
const loading: Record<string, string> = {
  "awaits": "await new Promise(() => setInterval(() => {}, 1000));",
  "blocks": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
  "loops": "for (;;);",
};
for (const [what, text] of Object.entries(loading)) {
  Deno.test({
    name:
      `a process whose module ${what} as it loads is terminated and killed (needs --allow-read)`,
    ignore: !mayRead,
    fn: async () => {
      await fewAtOnce((Object.keys(ends) as End[]).map((end) => async () => {
        const name = crypto.randomUUID();
        const tell = `new BroadcastChannel(${JSON.stringify(name)}).postMessage("loading");`;
        const source = `${tell} ${text} export function work() {}`;
        const module = `data:text/javascript,${encodeURIComponent(source)}`;
        const channel = new BroadcastChannel(name);
        const loads = new Promise((resolve) => channel.onmessage = resolve);
        const process = new Process({ target: "work", module, by: "reference" });
        process.start();
        await loads;
        channel.close();
        process[end]();
        await checkEnded(process, ends[end]);
      }));
    },
  });
}

const mayServe = mayRead &&
  (["net", "import"] as const).every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
Deno.test({
  name: "a process that waits for a module is terminated and killed " +
    "(needs --allow-read --allow-net --allow-import)",
  ignore: !mayServe,
  fn: async () => {
    const asked: Record<string, () => void> = {};
    const answers: (() => void)[] = [];
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/first")) {
        const body = `import "/last${pathname.slice(6)}"; export function work() {}`;
        return new Response(body, { headers: { "content-type": "text/javascript" } });
      }
      asked[pathname.slice(5)]();
      return new Promise((resolve) =>
        answers.push(() => resolve(new Response("", { status: 404 })))
      );
    });
    await fewAtOnce((Object.keys(ends) as End[]).map((end) => async () => {
      const id = `/${crypto.randomUUID()}.js`;
      const waits = new Promise<void>((resolve) => asked[id] = resolve);
      const module = `http://127.0.0.1:${server.addr.port}/first${id}`;
      const process = new Process({ target: "work", module, by: "reference" });
      process.start();
      await waits;
      process[end]();
      await checkEnded(process, ends[end]);
    }));
    for (const answer of answers) answer();
    await server.shutdown();
  },
});

// In the middle of something large

/** In ms: so long two items take, about. */
const WHILE = 200;

for (const [face, end] of [["putSync", "kill"], ["put", "terminate"]] as const) {
  testInFull(
    `after ${end}() in ${face} of 100 MB, all items are whole, and so is the next`,
    async () => {
      const queue = new Queue<Uint8Array | string>(), ready = new Queue<string>();
      const process = new Process({
        target: async (
          queue: Queue<Uint8Array | string>,
          ready: Queue<string>,
          face: "putSync" | "put",
        ) => {
          const large = new Uint8Array(100_000_000).fill(7);
          ready.putSync("ready");
          for (;;) await queue[face](large);
        },
        args: [queue, ready, face],
        by: "source",
      });
      process.start();
      await ready.get(bound);
      await sleep(Math.random() * WHILE);
      process[end]();
      await checkEnded(process, ends[end]);
      await queue.put("next", bound);
      const other = new Process({
        target: async (queue: Queue<Uint8Array | string>) => {
          for (;;) {
            const item = await queue.get();
            if (typeof item === "string") return item;
            const isWhole = item.length === 100_000_000 && item.every((byte) => byte === 7);
            if (!isWhole) return "a damaged one";
          }
        },
        args: [queue],
        by: "source",
      });
      other.start();
      assert.equal(await other.result(bound), "next");
      assert.equal(queue.qsize(), 0);
    },
  );
}
