// The package as users get it: from JSR, into an empty cache. A registry on loopback serves
// the files that `deno publish` would upload.

import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import {
  Folder,
  granted,
  needs,
  program,
  published,
  Registry,
  root,
  Site,
  typescript,
  type Way,
  ways,
} from "./support/jsr.ts";

/** A module that only the bundle is made of; no other imports it. */
const BUNDLE_ONLY = "/lib/target/bundle_rest.ts";

/** Reads a program of this repository. */
function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, root));
}

/** Registers a test with a registry, for each of the ways a program can name the package. */
function test(
  name: string,
  fn: (registry: Registry, way: Way) => Promise<void>,
  among: readonly Way[] = ways,
): void {
  for (const way of among) {
    Deno.test({
      name: `from JSR, by a ${way} specifier: ${name} ${needs}`,
      ignore: !granted,
      fn: async () => {
        await using registry = await Registry.start();
        await fn(registry, way);
      },
    });
  }
}

/** Registers a test of a program that is run with these permissions, in a cache that is empty. */
function runs(
  name: string,
  programs: () => Promise<Record<string, string>>,
  permissions: readonly string[],
  check: (out: string[]) => void,
): void {
  test(
    `${name}, with ${permissions.join(" ") || "no permission"}`,
    async (registry, way) => {
      const texts = await programs();
      await using folder = await Folder.make(registry, way, texts);
      const [main] = Object.keys(texts);
      const { code, out, errors } = await folder.deno(["run", "--quiet", ...permissions, main]);
      assert.deepEqual({ code, errors }, { code: 0, errors: "" });
      check(out);
    },
  );
}

function prints(...expected: string[]): (out: string[]) => void {
  return (out) => assert.deepEqual(out, expected);
}

// What is published

async function allFiles(folder: URL): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await allFiles(new URL(`${name}/`, folder)));
    else found.push(new URL(name, folder).href.slice(root.href.length - 1));
  }
  return found;
}

Deno.test({
  name: `what is published is the library and what says what it is, and nothing else ${needs}`,
  ignore: !granted,
  fn: async () => {
    const pages = ["README", "README.zh-CN", "CHANGELOG", "CONTRIBUTING", "SECURITY"];
    const beside = [
      ...pages.map((page) => `/${page}.md`),
      "/LICENSE",
      "/bench/results.json",
      "/bench/scale.json",
    ];
    const modules = [
      "/deno.json",
      "/local.ts",
      "/mod.ts",
      "/monitor.ts",
      "/redis.ts",
      "/worker.ts",
    ];
    const folders = await Promise.all(["lib/", "docs/", "examples/"].map((folder) => {
      return allFiles(new URL(folder, root));
    }));
    assert.deepEqual(
      (await published()).sort(),
      [...beside, ...modules, ...folders.flat()].sort(),
    );
  },
});

Deno.test({
  name: `the registry serves what is published, and nothing else ${needs}`,
  ignore: !granted,
  fn: async () => {
    await using registry = await Registry.start();
    for (const path of await published()) {
      const response = await fetch(registry.fileUrl(path));
      assert.equal(response.status, 200, path);
      assert.equal(await response.text(), await read(`.${path}`), path);
    }
    for (const path of ["/tests/jsr_test.ts", "/bench/main.ts", "/tools/test_std.ts"]) {
      const response = await fetch(registry.fileUrl(path));
      await response.body?.cancel();
      assert.equal(response.status, 404, path);
      await Deno.stat(new URL(`.${path}`, root)); // it is there, but not for the registry
    }
  },
});

// Programs

for (const permissions of [[], ["--allow-all"]]) {
  runs(
    "two writers, one reader",
    async () => ({ "queue.ts": await read("tests/jsr/queue.ts") }),
    permissions,
    (out) => {
      for (const i of [1, 2, 3, 4]) {
        const put = out.indexOf(`put url_${i}`);
        assert.ok(put >= 0 && out.indexOf(`got url_${i}`) > put, out.join("\n"));
      }
      assert.deepEqual(out.slice(8), ["main"]);
    },
  );

  runs(
    "a sender, a receiver",
    async () => ({ "pipe.ts": await read("tests/jsr/pipe.ts") }),
    permissions,
    (out) => {
      for (const i of [0, 1, 2]) {
        const sent = out.indexOf(`sent url_${i}`);
        assert.ok(sent >= 0 && out.indexOf(`received url_${i}`) > sent, out.join("\n"));
      }
      assert.deepEqual(out.slice(6), ["main"]);
    },
  );

  runs(
    "the queues of ./local, of which one is given to a process",
    async () => ({ "local_queue.ts": await read("examples/local_queue.ts") }),
    permissions,
    (out) => {
      assert.match(
        out[0],
        /^TypeError: args\[0\] is a Queue of "@multiproc\/multiprocessing\/local"/,
      );
      const got = [1, 2, 3].map((i) => `Get url_${i} from queue`);
      assert.deepEqual(out.slice(1), [...got, "main"]);
    },
  );

  runs(
    "a process in a sandbox",
    async () => ({ "sandboxed.ts": await read("tests/jsr/sandboxed.ts") }),
    permissions,
    prints("NotCapable", "false"),
  );
}

async function byReference(): Promise<Record<string, string>> {
  return {
    "by_reference.ts": await read("tests/jsr/by_reference.ts"),
    "by_reference_targets.ts": await read("tests/jsr/by_reference_targets.ts"),
  };
}

const byReferencePrints = prints("15", "45", "18", "doubled", "10");

// Of the folder alone: the cache, where the package is, can't be read.
for (const permissions of ["--allow-all", "--allow-read=."]) {
  runs("targets by reference", byReference, [permissions], byReferencePrints);
}

test("programs pass the type check", async (registry, way) => {
  const programs = { ...await byReference(), "queue.ts": await read("tests/jsr/queue.ts") };
  await using folder = await Folder.make(registry, way, programs);
  const { code, errors } = await folder.deno(["check", "--quiet", "."]);
  assert.deepEqual({ code, errors }, { code: 0, errors: "" });
  await folder.write("by_reference_targets.ts", "export function doubled(n: string) {}\n");
  const wrong = await folder.deno(["check", "--quiet", "."]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.errors, /\[ERROR\]/);
}, ["bare"]); // seconds, whatever the specifier

test(
  "`deno cache` fetches all of it, and programs then run with --cached-only",
  async (registry, way) => {
    const both =
      'import "@multiproc/multiprocessing";\nimport "@multiproc/multiprocessing/local";\n';
    await using folder = await Folder.make(registry, way, {
      ...await byReference(),
      "both.ts": both,
    });
    assert.equal((await folder.deno(["cache", "both.ts", "by_reference.ts"])).code, 0);
    const modules = (await published()).filter((path) => {
      // Who doesn't use it doesn't load it, nor the package that it depends on.
      const isApart = /^\/(?:lib\/)?(?:redis|worker|monitor)[./]/.test(path);
      return path.endsWith(".ts") && !path.startsWith("/examples/") && path !== BUNDLE_ONLY &&
        !isApart;
    });
    assert.deepEqual([...registry.asked].sort(), modules.sort());
    const ran = await folder.deno(["run", "--allow-all", "--cached-only", "by_reference.ts"]);
    assert.deepEqual({ code: ran.code, errors: ran.errors }, { code: 0, errors: "" });
    byReferencePrints(ran.out);
  },
);

// Modules of other hosts

const doubling = `
function double(n: number) { return 2 * n; }
export function doubled(n: number) { return double(n); }
`;

test(
  "a target of a module of another host, from which importing is allowed",
  async (registry, way) => {
    await using site = new Site((path) =>
      path === "/doubling.ts" ? typescript(doubling) : undefined
    );
    await using folder = await Folder.make(registry, way, {
      "remote_module.ts": await read("tests/jsr/remote_module.ts"),
    });
    const run = (...permissions: string[]) =>
      folder.deno(["run", "--quiet", ...permissions, "remote_module.ts", `${site.url}doubling.ts`]);
    // --allow-import takes the place of the hosts that are allowed by default, JSR's among them.
    const allowed = await run(`--allow-import=${site.host},${new URL(registry.url).host}`);
    assert.deepEqual(allowed, { code: 0, out: ["10"], errors: "" });
    const refused = await run();
    assert.equal(refused.code, 1);
    assert.match(refused.errors, new RegExp(`Requires import access to "${site.host}"`));
  },
);

test(
  "a program of another host, by reference with no permission",
  async (registry, way) => {
    const { "by_reference.ts": main, "by_reference_targets.ts": targets } = await byReference();
    const pages = new Map([
      ["/by_reference.ts", program(main, way)],
      ["/by_reference_targets.ts", program(targets, way)],
    ]);
    await using site = new Site((path) => {
      const page = pages.get(path);
      return page === undefined ? undefined : typescript(page);
    });
    await using folder = await Folder.make(registry, way, {});
    // The host of the program is one from which importing is allowed.
    const ran = await folder.deno(["run", "--quiet", `${site.url}by_reference.ts`]);
    assert.deepEqual({ code: ran.code, errors: ran.errors }, { code: 0, errors: "" });
    byReferencePrints(ran.out);
  },
  ["jsr:"], // the deno.json of a folder says nothing to a program from elsewhere
);

// Without a program

const typed = `
import { Process, Queue } from "${config.name}";
const queue = new Queue();
const process = new Process({ target: (queue) => queue.put(41), args: [queue] });
process.start();
console.log(1 + await queue.get());
`;

test("typed into a REPL with no permission", async (registry, way) => {
  await using folder = await Folder.make(registry, way, {});
  const { code, out, errors } = await folder.deno(["repl", "--quiet"], {
    stdin: program(typed, way),
  });
  assert.deepEqual({ code, errors }, { code: 0, errors: "" });
  assert.ok(out.includes("42"), out.join("\n"));
});

test("as the argument of `deno eval`", async (registry, way) => {
  await using folder = await Folder.make(registry, way, {});
  const ran = await folder.deno(["eval", "--quiet", program(typed, way)]);
  assert.deepEqual(ran, { code: 0, out: ["42"], errors: "" });
});
