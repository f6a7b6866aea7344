// What the queues of one process load: a program that only has those pays for nothing that processes share.

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";

const local = new URL("../../local.ts", import.meta.url).href;

/** A text as a module. */
const moduleOf = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;

const isPermitted = (["read", "run"] as const).every((name) =>
  Deno.permissions.querySync({ name }).state === "granted"
);

Deno.test("the queues of one process make no shared memory", async () => {
  const watch = moduleOf(`
    globalThis.made = 0;
    globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
      construct(...args) {
        globalThis.made++;
        return Reflect.construct(...args);
      },
    });
  `);
  const use = moduleOf(`
    import ${JSON.stringify(watch)};
    import { parentPort } from "node:worker_threads";
    import { LifoQueue, PriorityQueue, Queue } from ${JSON.stringify(local)};
    const got = [];
    for (const Class of [Queue, LifoQueue, PriorityQueue]) {
      const queue = new Class({ maxSize: 2 });
      const getting = queue.get({ timeout: 60_000 });
      await queue.put(1);
      got.push(await getting);
      await queue.put(2);
      queue.shutdown();
      for await (const item of queue) got.push(item);
    }
    new SharedArrayBuffer(1); // the watch works
    parentPort.postMessage([got.join(), globalThis.made]);
  `);
  const worker = new Worker(new URL(use));
  try {
    const said = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    assert.deepEqual(said, ["1,2,1,2,1,2", 1]);
  } finally {
    await worker.terminate();
  }
});

/** Where modules of the queues of one process may be, besides their own. */
const LIGHT = [
  /^lib\/platform\/(primordials|added|containers|events|methods)\.ts$/,
  /^lib\/validate\//,
  /^lib\/queue\/(local\/.*|contract\.ts|faces\.ts)$/,
  /^lib\/wait\/(options|streams|call_site|yield)\.ts$/,
  /^lib\/codec\/clone_protocol\.ts$/,
  /^(local|lib\/errors|lib\/printing)\.ts$/,
];

Deno.test({
  name: "the queues of one process load no room of shared memory (needs --allow-read, --allow-run)",
  ignore: !isPermitted,
  async fn() {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--no-remote", "--json", local],
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: { specifier: string }[];
    };
    const root = new URL(`${dirname(local)}/`).href;
    const paths = modules.map(({ specifier }) => specifier.replace(root, ""));
    assert.ok(paths.includes("local.ts"), `${paths}`);
    const heavy = paths.filter((path) => !LIGHT.some((light) => light.test(path)));
    assert.deepEqual(heavy, []);
    assert.ok(paths.length < 35, `there are ${paths.length}`);
  },
});
