// The modules that queues of one process load: a program that uses only these loads nothing of shared memory.

import assert from "node:assert/strict";
import { dirname } from "node:path";

const local = new URL("../../local.ts", import.meta.url).href;

const isPermitted = (["read", "run"] as const).every((name) =>
  Deno.permissions.querySync({ name }).state === "granted"
);

Deno.test("the queues of one process make no shared memory", async () => {
  const { SharedArrayBuffer } = globalThis;
  let made = 0;
  globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
    construct(...args) {
      made++;
      return Reflect.construct(...args);
    },
  });
  try {
    // Nothing else in this file loads the package, so its modules see what stands there now.
    const { LifoQueue, PriorityQueue, Queue } = await import("../../local.ts");
    for (const Class of [Queue, LifoQueue, PriorityQueue]) {
      const queue = new Class<number>({ maxSize: 2 }), got: number[] = [];
      const getting = queue.get({ timeout: 60_000 });
      await queue.put(1);
      got.push(await getting);
      await queue.put(2);
      queue.shutdown();
      for await (const item of queue) got.push(item);
      assert.deepEqual(got, [1, 2]);
    }
    assert.equal(made, 0);
    new globalThis.SharedArrayBuffer(1);
    assert.equal(made, 1, "nobody counts");
  } finally {
    globalThis.SharedArrayBuffer = SharedArrayBuffer;
  }
});

/** Where modules of the queues of one process may be, besides their own. */
const LIGHT = [
  /^lib\/platform\/(primordials|added|containers|events|methods)\.ts$/,
  /^lib\/validate\//,
  /^lib\/queue\/(local\/.*|contract\.ts|faces\.ts)$/,
  /^lib\/wait\/(attempt|options|streams|call_site|yield)\.ts$/,
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
