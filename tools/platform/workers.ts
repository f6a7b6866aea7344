// Workers: their start, their permissions, their end, and how they keep a program alive.

import { Worker as Thread } from "node:worker_threads";
import {
  type Assumption,
  endpointOf,
  eventually,
  fileOf,
  moduleOf,
  newSandbox,
  pause,
  program,
  sandbox,
  thread,
  words,
} from "./assumption.ts";

const WEB = "lib/platform/web_workers.ts",
  SANDBOX = "lib/host/workers/sandbox.ts",
  THREAD = "lib/host/workers/thread.ts";
const LEAVING = "lib/child/exit.ts";

/** A module of this package that imports nothing. */
const MODULE = "lib/validate/options.ts";

export const workers: Assumption[] = [
  {
    claim:
      "A module whose text a load hook has given stays under its URL, and its file isn't run there",
    places: ["lib/platform/module_source.ts"],
    kind: "need",
    expected: ["given, by import() and by a module that imports it"],
    observe: async () => {
      const { out } = await program(
        `import module from "node:module";
        const url = ${JSON.stringify(fileOf(MODULE))};
        const load = (asked, context, next) => asked === url
          ? { source: "export const text = 'given';", format: "module", shortCircuit: true }
          : next(asked, context);
        const hooks = module.registerHooks({ load });
        await import(url);
        hooks.deregister();
        const { text } = await import(url);
        const importer = \`export { text } from \${JSON.stringify(url)};\`;
        const again = await import("data:text/javascript," + encodeURIComponent(importer));
        console.log(text + (again.text === text ? ", by import() and by a module that imports it" : ""));`,
        { flags: ["--allow-all"] },
      );
      return out.trim();
    },
  },
  {
    claim: "A web Worker takes permissions of its own, and is refused what they don't hold",
    places: [WEB, SANDBOX],
    kind: "need",
    expected: ["NotCapable"],
    observe: async () => {
      const [, answer] = await sandbox(
        "try { Deno.readTextFileSync('/etc/hostname'); postMessage('read'); }" +
          "catch (error) { postMessage(error.name); }",
      );
      return `${answer}`;
    },
  },
  {
    claim:
      "Without worker-options, Deno prints one line when a sandbox starts and exits with code 70",
    places: [WEB, "lib/process/options.ts"],
    kind: "quirk",
    expected: ["70, Unstable API 'Worker.deno.permissions'"],
    observe: async () => {
      const { code, errors } = await program(
        `new Worker("data:text/javascript,", { type: "module", deno: { permissions: "none" } });`,
        { flags: ["--allow-all"] },
      );
      return `${code}, ${/^[^']*'[^']*'/.exec(errors)?.[0] ?? errors}`;
    },
  },
  {
    claim:
      "What the main module of a worker imports literally is loaded with the rights of its starter",
    places: [WEB, "lib/target/target.ts"],
    kind: "need",
    expected: ["static: loaded, import(): loaded"],
    observe: async () => {
      const file = JSON.stringify(fileOf(MODULE));
      const [, imported] = await sandbox(`import * as exports from ${file};
        postMessage(Object.keys(exports).length > 0 ? "loaded" : "empty");`);
      const [, dynamic] = await sandbox(
        `onmessage = () => import(${file}).then(() => postMessage("loaded"), (e) => postMessage(e.message));`,
      );
      return `static: ${imported}, import(): ${dynamic}`;
    },
  },
  {
    claim: "What a sandbox imports by a URL made while it runs needs its own rights",
    places: [WEB, "lib/target/target.ts"],
    kind: "need",
    expected: ["refused"],
    observe: async () => {
      const [, answer] = await sandbox(
        `onmessage = ({ data }) => import(data).then(() => postMessage("loaded"),
          (error) => postMessage(/read access/.test(error.message) ? "refused" : error.message));`,
        fileOf(MODULE),
      );
      return `${answer}`;
    },
  },
  {
    claim:
      "A web Worker has a method whose name is a symbol without a description: it unrefs the worker",
    places: [WEB, SANDBOX],
    kind: "need",
    expected: ["it ends"],
    observe: async () => {
      const spin = moduleOf("onmessage = () => { while (true) {} }").href;
      const { code } = await program(`
        import { unrefWebWorker } from ${JSON.stringify(fileOf(WEB))};
        const worker = new Worker(${JSON.stringify(spin)}, { type: "module" });
        worker.postMessage(0); unrefWebWorker(worker); setTimeout(() => {}, 300);`);
      return code === 0 ? "it ends" : "it doesn't end";
    },
  },
  {
    claim: "A program waits for a web Worker that computes without end, even after terminate()",
    places: [WEB, SANDBOX],
    kind: "quirk",
    expected: ["it doesn't end", "it ends"],
    observe: async () => {
      const spin = moduleOf("onmessage = () => { postMessage(0); while (true) {} }").href;
      const { code } = await program(
        `const worker = new Worker(${JSON.stringify(spin)}, { type: "module" });
        worker.postMessage(0); worker.onmessage = () => setTimeout(() => worker.terminate(), 50);`,
        { limit: 2000 },
      );
      return code === 0 ? "it ends" : "it doesn't end";
    },
  },
  {
    claim:
      "A worker that is started from a worker takes longer to come up, as long as Deno waits for a debugger",
    places: [
      "lib/platform/threads.ts",
      "lib/process/delegate.ts",
      "lib/host/workers/sandboxed_thread.ts",
    ],
    kind: "quirk",
    expected: ["more than 0.3 s longer", "about as long"],
    observe: async () => {
      const inner = moduleOf(`import { workerData } from "node:worker_threads";
        workerData[0] = 1; Atomics.notify(workerData, 0);`).href;
      const start = `new threads.Worker(new URL(${JSON.stringify(inner)}), { workerData: data });`;
      const time = async (begin: (data: Int32Array) => unknown) => {
        const data = words();
        await begin(data);
        const began = performance.now();
        await eventually(() => data[0] === 1);
        return performance.now() - began;
      };
      const fromMain = await time((workerData) => new Thread(new URL(inner), { workerData }));
      const fromWorker = await time((data) => thread(start, data));
      return fromWorker - fromMain > 250 ? "more than 0.3 s longer" : "about as long";
    },
  },
  {
    claim:
      'Deno.exit in a thread ends that thread alone; its exit event has the code, after its "unload" listeners',
    places: [LEAVING, THREAD],
    kind: "need",
    expected: ["3, unload 1"],
    observe: async () => {
      const seen = words();
      const worker = await thread(
        "addEventListener('unload', () => data[0]++); setTimeout(() => Deno.exit(3), 20);",
        seen,
      );
      return `${await endpointOf(worker)}, unload ${seen[0]}`;
    },
  },
  {
    claim: 'close() in a web Worker ends it without an "unload" event',
    places: [LEAVING],
    kind: "quirk",
    expected: ["unload 0"],
    observe: async () => {
      const seen = words();
      const worker = newSandbox(
        moduleOf(
          "onmessage = ({ data }) => { addEventListener('unload', () => data[0]++); data[1] = 1; close(); };",
        )
          .href,
      );
      worker.postMessage(seen);
      await eventually(() => seen[1] === 1);
      await pause(200);
      return `unload ${seen[0]}`;
    },
  },
  {
    claim: "A thread has no global self",
    places: ["lib/child/boot.ts"],
    kind: "quirk",
    expected: ["undefined"],
    observe: async () => {
      const worker = await thread("setTimeout(() => parentPort.postMessage(typeof self), 20)", 0);
      return await new Promise((resolve) => worker.once("message", resolve));
    },
  },
  {
    claim:
      "A worker that inherits has the permissions of its starter itself: revoking one takes it from both",
    places: ["lib/platform/threads.ts", "lib/process/permissions.ts"],
    kind: "quirk",
    expected: ["prompt", "denied"],
    observe: async () => {
      const worker = await thread("Deno.permissions.revokeSync({ name: 'ffi' }); Deno.exit()", 0);
      await endpointOf(worker);
      return Deno.permissions.querySync({ name: "ffi" }).state;
    },
  },
  {
    claim:
      "A process with permissions of its own can be denied the rest, for good, before other code runs",
    places: ["lib/child/lockdown.ts"],
    kind: "need",
    expected: ["all denied"],
    observe: async () => {
      const [, answer] = await sandbox(
        `import { lockDown } from ${JSON.stringify(fileOf("lib/child/lockdown.ts"))};
        import { Worker as Thread } from "node:worker_threads";
        import { createServer } from "node:net";
        import process from "node:process";
        lockDown(false);
        const attempts = {
          worker: () => new Worker("data:text/javascript,", { type: "module" }),
          "derived worker": () => new (class extends Worker {})("data:text/javascript,", { type: "module" }),
          thread: () => new Thread(new URL("data:text/javascript,")),
          lock: () => navigator.locks.request("a", () => {}),
          pipe: () => new (process.binding("pipe_wrap").Pipe)(0).open(0),
          tcp: () => new (process.binding("tcp_wrap").TCP)(0).open(0),
          udp: () => new (process.binding("udp_wrap").UDP)().open(0),
          kill: () => Deno.kill(Deno.pid, "SIGTERM"),
          signal: () => Deno.addSignalListener("SIGINT", () => {}),
          abort: () => process.abort(),
        };
        const allowed = Object.keys(attempts).filter((name) => {
          try { attempts[name](); return true; } catch (error) { return error.name !== "NotCapable"; }
        });
        postMessage(allowed.length === 0 ? "all denied" : "not denied: " + allowed);`,
      );
      return `${answer}`;
    },
  },
  {
    claim: "In such a realm, what Deno's own modules load later is loaded, as for a new thread",
    places: ["lib/child/sealed_realm.ts"],
    kind: "need",
    expected: ["made"],
    observe: async () => {
      const [, answer] = await sandbox(
        `import { Worker } from "node:worker_threads";
        import { closeImports, sealRealm } from ${
          JSON.stringify(fileOf("lib/child/sealed_realm.ts"))
        };
        const { postMessage } = globalThis;
        sealRealm({}, []);
        closeImports("");
        try { new Worker(new URL("data:text/javascript,")); postMessage("made"); }
        catch (error) { postMessage(error.message); }`,
      );
      return `${answer}`;
    },
  },
  {
    claim:
      "Where Deno type-checks, it checks what a worker's main module imports literally, not by a variable",
    places: [WEB, "lib/target/target.ts"],
    kind: "quirk",
    expected: ["literally: checked, by a variable: not checked"],
    observe: async () => {
      const folder = await Deno.makeTempDir(), seen: string[] = [];
      const wrong = `${folder}/wrong.ts`;
      await Deno.writeTextFile(wrong, "export const wrong: number = 'text';");
      const url = JSON.stringify(`file://${wrong}`);
      const mains = {
        literally: `import ${url}; postMessage(0);`,
        "by a variable": `const url = ${url}; await import(url); postMessage(0);`,
      };
      for (const [how, text] of Object.entries(mains)) {
        const path = `${folder}/main.ts`, main = JSON.stringify(moduleOf(text).href);
        await Deno.writeTextFile(
          path,
          `const worker = new Worker(${main}, { type: "module" });
          worker.onerror = (event) => { console.error(event.message); Deno.exit(1); };
          worker.onmessage = () => Deno.exit();`,
        );
        const { stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-config", "--check", "--allow-all", path],
          stdin: "null",
          env: { NO_COLOR: "1" },
        }).output();
        const errors = new TextDecoder().decode(stderr);
        seen.push(`${how}: ${/TS\d+/.test(errors) ? "checked" : "not checked"}`);
      }
      await Deno.remove(folder, { recursive: true });
      return seen.join(", ");
    },
  },
  {
    claim: "A transport that is behind an unstable flag ends the program with exit code 70",
    places: ["lib/child/allow_list.ts", "lib/child/sealed_realm.ts"],
    kind: "quirk",
    expected: ["70"],
    observe: async () => {
      const { code } = await program(
        `try { await Deno.connect({ transport: "vsock", cid: 1, port: 1 }); } catch { /* refused */ }`,
        { flags: ["--allow-all"] },
      );
      return `${code}`;
    },
  },
  {
    claim:
      "What is no permission's can be taken out of the realm of a worker, and imports be refused there",
    places: ["lib/child/sealed_realm.ts", "lib/child/allow_list.ts"],
    kind: "need",
    expected: ["sealed"],
    observe: async () => {
      const [, answer] = await sandbox(
        `import { closeImports, sealRealm } from ${
          JSON.stringify(fileOf("lib/child/sealed_realm.ts"))
        };
        const { postMessage } = globalThis;
        sealRealm({}, []);
        closeImports("");
        const left = ["Worker", "BroadcastChannel", "process"].filter((name) => name in globalThis);
        const imported = await import("node:fs").then(() => ["node:fs"], () => []);
        const all = [...left, ...imported];
        postMessage(all.length === 0 ? "sealed" : "left: " + all);`,
      );
      return `${answer}`;
    },
  },
  {
    claim: "node's process has _fatalException, which asks its listeners for uncaught errors",
    places: ["lib/child/uncaught_errors.ts"],
    kind: "need",
    expected: ["asked"],
    observe: async () => {
      const { default: process } = await import("node:process");
      let heard: unknown;
      process.once("uncaughtException", (error) => heard = error);
      const { _fatalException } = process as unknown as {
        _fatalException?: (e: unknown) => boolean;
      };
      const isTaken = _fatalException?.call(process, "some error");
      return isTaken === true && heard === "some error" ? "asked" : `${isTaken}, ${heard}`;
    },
  },
  {
    claim: "A worker killed while its main module is still evaluating leaks what it had loaded",
    places: ["lib/platform/threads.ts", "lib/child/boot.ts", "lib/host/supervisor.ts"],
    kind: "quirk",
    expected: ["more than 100 KB each", "less"],
    observe: async () => {
      const main = moduleOf(`import { workerData } from "node:worker_threads";
        await import(${JSON.stringify(fileOf("lib/process/process.ts"))});
        Atomics.store(workerData, 0, 1);
        await new Promise(() => setInterval(() => {}, 1000));`);
      const kill = async () => {
        const loaded = words();
        const worker = new Thread(main, { workerData: loaded });
        worker.on("error", () => {});
        const ended = endpointOf(worker);
        await eventually(() => loaded[0] === 1);
        worker.terminate();
        await ended;
      };
      for (let i = 0; i < 5; i++) await kill();
      const before = Deno.memoryUsage().rss;
      for (let i = 0; i < 15; i++) await kill();
      await pause(100);
      return (Deno.memoryUsage().rss - before) / 15 > 100_000 ? "more than 100 KB each" : "less";
    },
  },
];
