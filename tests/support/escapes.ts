// Ways out of a sandbox, each of which Deno or this library must refuse to a process that lacks the
// permission. An attempt returns the thing it got hold of, and throws if it was refused. All are made in
// a process that lacks the permission and in one that has it, where they must succeed: a refusal
// means something only if the refused attempt would have worked.

/** Where the attempts are made: plain data, which crosses. */
export interface World {
  /** The folder that a process may have a right to. */
  inside: string;
  /** A folder that only a process with all rights may enter; below, what is in it. */
  outside: string;
  secret: string;
  json: string;
  module: string;
  commonJs: string;
  /** May be moved, changed or removed. */
  victim: string;
  /** Points to `secret`, from `inside`. */
  link: string;
  /** Of a server that counts its connections. */
  port: number;
  /** Set in the environment. */
  variable: string;
  /** A program, and a library of the operating system. */
  command: string;
  dynamicLibrary: string;
}

/** What came of an attempt. */
export interface Outcome {
  name: string;
  /** The error that refused it, as "Name: message"; none if it got through. */
  refusal: string | undefined;
  /** What it got hold of. */
  got: string | undefined;
}

interface Escape {
  name: string;
  attempt: (world: World) => unknown;
  /** How it is refused, where not as Deno refuses what needs a permission. */
  refusedBy?: RegExp;
  /** How it fails even with all rights, for a reason that has nothing to do with them. */
  failsBy?: RegExp;
  /** Whether it has been made with all rights at all. */
  needsRights: boolean;
}

/** How Deno refuses what needs a permission. */
export const REFUSED = /NotCapable|Requires \S+ access|Can't escalate parent thread permissions/;

/** How a sealed process is refused it: what would do it isn't there, or can't be imported. */
export const SEALED =
  /is not defined|is not a function|of undefined \(reading|on non-object|can't be imported while a sealed|Requires \S+ access/;

/** All attempts. */
export const escapes: Escape[] = [];

function escape(
  name: string,
  attempt: Escape["attempt"],
  more: Partial<Omit<Escape, "name" | "attempt">> = {},
): void {
  escapes.push({ name, attempt, needsRights: true, ...more });
}

/** A new name in the folder outside; what is there afterwards was written. */
let written = 0;
function newFile({ outside }: World): string {
  return `${outside}/written-${++written}`;
}

/** Not a literal: Deno loads what a literal `import()` names together with the module it is in. */
function load(url: string, type?: string): Promise<object> {
  return type === undefined ? import(url) : import(url, { with: { type } });
}

function dataModule(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

/** What an emitter of node: emits: a result, or an error. */
interface Emitter {
  on(event: string, listener: (value: unknown) => void): unknown;
}
function emitted(emitter: Emitter, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    emitter.on(event, (value) => resolve(value ?? event));
    emitter.on("error", reject);
  });
}

/** The first message of a web Worker, or its error. */
function fromWorker(text: string, permissions?: unknown): Promise<unknown> {
  const deno = permissions === undefined ? {} : { deno: { permissions } };
  const worker = new Worker(dataModule(text), { type: "module", ...deno } as WorkerOptions);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  }).finally(() => worker.terminate());
}

/** The same of a Worker of node:worker_threads. */
async function fromThread(main: string | URL, options: Record<string, unknown> = {}) {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(main, options);
  try {
    return await emitted(worker, "message");
  } finally {
    worker.terminate();
  }
}

// Reading

escape("Deno.readTextFileSync", ({ secret }) => Deno.readTextFileSync(secret));
escape("Deno.readFile", ({ secret }) => Deno.readFile(secret));
escape("Deno.open", async ({ secret }) => (await Deno.open(secret)).close());
escape("Deno.statSync", ({ secret }) => Deno.statSync(secret).size);
escape("Deno.lstat", ({ secret }) => Deno.lstat(secret));
escape("Deno.realPathSync", ({ secret }) => Deno.realPathSync(secret));
escape("Deno.readLink", ({ outside }) => Deno.readLink(`${outside}/link`));
escape("Deno.readDirSync", ({ outside }) => [...Deno.readDirSync(outside)].length);
escape("Deno.readDir of the root", () => Array.fromAsync(Deno.readDir("/")));
escape("Deno.watchFs", ({ outside }) => Deno.watchFs(outside).close());
escape("a path with .. out of the folder", ({ inside, secret, outside }) => {
  const up = `${inside}/..${outside.slice(outside.lastIndexOf("/"))}`;
  return Deno.readTextFileSync(up + secret.slice(secret.lastIndexOf("/")));
});
escape("a URL with an encoded path", ({ secret }) => {
  return Deno.readTextFileSync(new URL(`file://${secret.replaceAll("s", "%73")}`));
});
escape("/proc/self/environ", () => Deno.readTextFileSync("/proc/self/environ"));
escape("/proc/self/root", ({ secret }) => Deno.readTextFileSync(`/proc/self/root${secret}`));
escape("/dev/stdin", () => Deno.readTextFileSync("/dev/stdin"));
escape("fetch of a file:", async ({ secret }) => await (await fetch(`file://${secret}`)).text());
escape("readFileSync of node:fs", async ({ secret }) => {
  return (await import("node:fs")).readFileSync(secret, "utf8");
});
escape("readFile of node:fs/promises", async ({ secret }) => {
  return await (await import("node:fs/promises")).readFile(secret, "utf8");
});
escape("createReadStream of node:fs", async ({ secret }) => {
  return await emitted((await import("node:fs")).createReadStream(secret), "data");
});
escape("readdirSync of node:fs", async ({ outside }) => {
  return (await import("node:fs")).readdirSync(outside);
});
escape("access of node:fs/promises", async ({ secret }) => {
  await (await import("node:fs/promises")).access(secret);
});
escape("statSync of node:fs", async ({ secret }) => (await import("node:fs")).statSync(secret));
escape("openAsBlob of node:fs", async ({ secret }) => {
  return await (await (await import("node:fs")).openAsBlob(secret)).text();
});
escape("fs of process.getBuiltinModule", ({ secret }) => {
  return globalThis.process.getBuiltinModule("node:fs").readFileSync(secret, "utf8");
});
escape("process.loadEnvFile", ({ secret }) => globalThis.process.loadEnvFile(secret));
escape("node:vm", async ({ secret }) => {
  const { runInThisContext } = await import("node:vm");
  return runInThisContext(`Deno.readTextFileSync(${JSON.stringify(secret)})`);
});
escape("node:wasi", async ({ outside }) => {
  const { WASI } = await import("node:wasi");
  return new WASI({ version: "preview1", preopens: { "/": outside } }).wasiImport;
}, { refusedBy: /failed to open preopen/ });
escape("node:sqlite, a database in a file", async ({ inside, outside }) => {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(`${inside}/../${outside.split("/").at(-1)}/database`);
  database.exec("create table written (n)");
  database.close();
});
escape("node:sqlite, attach", async (world) => {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(":memory:");
  database.exec(`attach '${newFile(world)}' as other; create table other.written (n)`);
  database.close();
}, { refusedBy: /too many attached databases - max 0/ });
escape("createRequire of node:module, JSON", async ({ json }) => {
  return (await import("node:module")).createRequire(`file://${json}`)(json);
});
escape("createRequire of node:module, CommonJS", async ({ commonJs }) => {
  return (await import("node:module")).createRequire(`file://${commonJs}`)(commonJs);
});

// Importing

escape("import() of a module", ({ module }) => load(`file://${module}`));
escape("import() of JSON", ({ json }) => load(`file://${json}`, "json"));
escape("import() of a text", ({ secret }) => load(`file://${secret}`, "text"));
escape("import() of a data: module that imports JSON", ({ json }) => {
  return load(dataModule(`import it from "file://${json}" with { type: "json" }; export { it };`));
});
escape("import() of a data: module that imports a module", ({ module }) => {
  return load(dataModule(`export * from "file://${module}";`));
});
escape("import() of a data: module with a literal import()", ({ module }) => {
  return load(dataModule(`await import("file://${module}");`));
});
escape("import() of a blob: module that imports a text", ({ secret }) => {
  const text = `import it from "file://${secret}" with { type: "text" }; export { it };`;
  return load(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
});
escape("import() over the net", ({ port }) => load(`http://127.0.0.1:${port}/remote.js`));
escape("import() of JSON over the net", ({ port }) => {
  return load(`http://127.0.0.1:${port}/remote.json`, "json");
});
escape("import() of a data: module that imports over the net", ({ port }) => {
  return load(dataModule(`import "http://127.0.0.1:${port}/by-data.js";`));
});

// Workers in the sandbox

escape("a Worker of a file", ({ module }) => {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`file://${module}`), { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
});
escape("a Worker that imports JSON", ({ json }) => {
  return fromWorker(`import it from "file://${json}" with { type: "json" }; postMessage(it);`);
});
escape("a Worker that imports over the net", ({ port }) => {
  return fromWorker(`import "http://127.0.0.1:${port}/by-worker.js"; postMessage("imported");`);
});
escape("a Worker that inherits and reads", ({ secret }) => {
  const text = `postMessage(Deno.readTextFileSync(${JSON.stringify(secret)}));`;
  return fromWorker(text, "inherit");
});
for (const name of ["read", "write", "net", "env", "run", "sys", "ffi", "import"]) {
  escape(`a Worker with permissions { ${name}: true }`, () => {
    return fromWorker(`postMessage("up");`, { [name]: true });
  });
}
escape("a Worker with permission to read one file", ({ secret }) => {
  const text = `postMessage(Deno.readTextFileSync(${JSON.stringify(secret)}));`;
  return fromWorker(text, { read: [secret] });
});
escape("a thread of a file", ({ commonJs }) => fromThread(commonJs));
escape("a thread that imports JSON", ({ json }) => {
  const text = `import it from "file://${json}" with { type: "json" };
    import { parentPort } from "node:worker_threads"; parentPort.postMessage(it);`;
  return fromThread(new URL(dataModule(text)));
});
escape("a thread that requires a file", ({ commonJs }) => {
  const text = `const it = require(${JSON.stringify(commonJs)});
    require("node:worker_threads").parentPort.postMessage(it);`;
  return fromThread(text, { eval: true });
});
escape("a thread that reads", ({ secret }) => {
  const text = `const it = require("node:fs").readFileSync(${JSON.stringify(secret)});
    require("node:worker_threads").parentPort.postMessage(it);`;
  return fromThread(text, { eval: true });
});
escape("a thread that shares the environment", async ({ variable }) => {
  const { SHARE_ENV } = await import("node:worker_threads");
  const text = `const it = process.env[${JSON.stringify(variable)}];
    require("node:worker_threads").parentPort.postMessage(it);`;
  return await fromThread(text, { eval: true, env: SHARE_ENV });
});

// Writing

escape("Deno.writeTextFileSync", (world) => Deno.writeTextFileSync(newFile(world), "x"));
escape("Deno.writeTextFile over a file", ({ victim }) => Deno.writeTextFile(victim, "x"));
escape("Deno.create", async (world) => (await Deno.create(newFile(world))).close());
escape("Deno.mkdirSync", (world) => Deno.mkdirSync(newFile(world)));
escape("Deno.makeTempFile", ({ outside }) => Deno.makeTempFile({ dir: outside }));
escape("Deno.makeTempDirSync", ({ outside }) => Deno.makeTempDirSync({ dir: outside }));
escape("Deno.copyFile into the folder", ({ secret, inside }) => {
  return Deno.copyFile(secret, `${inside}/copy`);
});
escape("Deno.copyFileSync out of the folder", (world) => {
  Deno.copyFileSync(`${world.inside}/file`, newFile(world));
});
escape(
  "Deno.symlinkSync",
  ({ outside, inside }) => Deno.symlinkSync(outside, `${inside}/new-link`),
);
escape("Deno.linkSync", ({ secret, inside }) => Deno.linkSync(secret, `${inside}/hard-link`));
escape("Deno.truncate", ({ victim }) => Deno.truncate(victim, 0));
escape("Deno.chmodSync", ({ victim }) => Deno.chmodSync(victim, 0o666));
escape("Deno.utime", ({ victim }) => Deno.utime(victim, 1, 1));
escape("writeFileSync of node:fs", async (world) => {
  (await import("node:fs")).writeFileSync(newFile(world), "x");
});
escape("appendFile of node:fs/promises", async ({ victim }) => {
  await (await import("node:fs/promises")).appendFile(victim, "x");
});
escape("createWriteStream of node:fs", async (world) => {
  await emitted((await import("node:fs")).createWriteStream(newFile(world)), "open");
});
escape("mkdtempSync of node:fs", async ({ outside }) => {
  return (await import("node:fs")).mkdtempSync(`${outside}/made-`);
});
escape("cpSync of node:fs", async (world) => {
  (await import("node:fs")).cpSync(world.secret, newFile(world));
});
escape("backup of node:sqlite", async (world) => {
  const { backup, DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(":memory:");
  await backup(database, newFile(world));
  database.close();
});
escape("vacuum into of node:sqlite", async (world) => {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(":memory:");
  database.exec(`create table t (n); vacuum into '${newFile(world)}'`);
  database.close();
}, { refusedBy: /too many attached databases - max 0/ });
escape("writeHeapSnapshot of node:v8", async (world) => {
  return (await import("node:v8")).writeHeapSnapshot(newFile(world));
});
escape("Deno.renameSync", ({ victim }) => Deno.renameSync(victim, `${victim}-renamed`));
escape("Deno.removeSync", ({ victim }) => Deno.removeSync(`${victim}-renamed`));
escape("Deno.remove of a folder", ({ outside }) => {
  return Deno.remove(`${outside}/folder`, { recursive: true });
});

// The net

escape("Deno.connect", async ({ port }) => (await Deno.connect({ port })).close());
escape("Deno.connectTls", async ({ port }) => (await Deno.connectTls({ port })).close(), {
  failsBy: /InvalidData|corrupt|UnexpectedEof|ConnectionReset/,
});
escape("Deno.connect to a socket in the file system", ({ outside }) => {
  return Deno.connect({ transport: "unix", path: `${outside}/no-socket` });
}, { failsBy: /NotFound/ });
escape("Deno.listen", () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close());
escape("Deno.serve", async () => {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await Deno.serve(options, () => new Response()).shutdown();
});
escape("fetch", async ({ port }) => await (await fetch(`http://127.0.0.1:${port}/`)).text());
escape("fetch of localhost", async ({ port }) => {
  return await (await fetch(`http://localhost:${port}/`)).text();
});
escape("fetch of the same address in another form", async ({ port }) => {
  return await (await fetch(`http://2130706433:${port}/`)).text();
});
escape("WebSocket", async ({ port }) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = (event) => reject((event as ErrorEvent).error ?? new Error("no socket"));
  });
  socket.close();
});
escape("EventSource", async ({ port }) => {
  const source = new EventSource(`http://127.0.0.1:${port}/events`);
  await new Promise((resolve, reject) => {
    source.onopen = resolve;
    source.onerror = () => reject(new Error("no events"));
  }).finally(() => source.close());
}, { refusedBy: /no events/ });
escape("Deno.resolveDns", () => {
  return Deno.resolveDns("localhost", "A", { nameServer: { ipAddr: "127.0.0.1", port: 9 } });
}, { failsBy: /^(?!NotCapable)/ });
escape("connect of node:net", async ({ port }) => {
  const socket = (await import("node:net")).connect(port, "127.0.0.1");
  await emitted(socket, "connect");
  socket.destroy();
});
escape("createServer of node:net", async () => {
  const server = (await import("node:net")).createServer();
  server.listen(0, "127.0.0.1");
  await emitted(server, "listening");
  server.close();
});
escape("get of node:http", async ({ port }) => {
  const request = (await import("node:http")).get(`http://127.0.0.1:${port}/`);
  const response = await emitted(request, "response");
  (response as { destroy(): void }).destroy();
});
escape("createServer of node:http", async () => {
  const server = (await import("node:http")).createServer();
  server.listen(0, "127.0.0.1");
  await emitted(server, "listening");
  server.close();
});
escape("get of node:https", async ({ port }) => {
  const request = (await import("node:https")).get(`https://127.0.0.1:${port}/`);
  return await emitted(request, "response");
}, { failsBy: /^(?!.*Requires)/ });
escape("connect of node:tls", async ({ port }) => {
  const socket = (await import("node:tls")).connect({ port, host: "127.0.0.1" });
  return await emitted(socket, "secureConnect");
}, { failsBy: /^(?!.*Requires)/ });
escape("connect of node:http2", async ({ port }) => {
  const session = (await import("node:http2")).connect(`http://127.0.0.1:${port}`);
  await emitted(session, "connect");
  session.destroy();
}, { failsBy: /^(?!.*Requires)/ });
escape("bind of node:dgram", async () => {
  const socket = (await import("node:dgram")).createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await emitted(socket, "listening");
  socket.close();
});
escape("send of node:dgram", async ({ port }) => {
  const socket = (await import("node:dgram")).createSocket("udp4");
  await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.send("x", port, "127.0.0.1", (error) => error ? reject(error) : resolve(0));
  });
  socket.close();
});
escape("lookup of node:dns", async () => {
  return await (await import("node:dns/promises")).lookup("localhost");
}, { refusedBy: /EPERM/ });

// The environment

escape("Deno.env.get", ({ variable }) => {
  if (Deno.env.get(variable) === undefined) throw new Error("not there");
});
escape("Deno.env.toObject", () => Deno.env.toObject());
escape("Deno.env.has", ({ variable }) => Deno.env.has(variable));
escape("Deno.env.set", ({ variable }) => Deno.env.set(`${variable}_WRITTEN`, "x"));
escape("Deno.env.delete", ({ variable }) => Deno.env.delete(`${variable}_WRITTEN`));
escape("process.env", ({ variable }) => globalThis.process.env[variable]);
escape("the keys of process.env", () => Object.keys(globalThis.process.env));
escape("process.env, set", ({ variable }) => {
  globalThis.process.env[`${variable}_WRITTEN`] = "x";
});
escape("tmpdir of node:os", async () => (await import("node:os")).tmpdir());

// Other programs, other code

escape(
  "Deno.Command",
  ({ command }) => new Deno.Command(command, { args: ["x"] }).outputSync().code,
);
escape("Deno.Command of Deno itself", async () => {
  const args = ["eval", "-q", "0"];
  return (await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output()).code;
});
escape("execFileSync of node:child_process", async ({ command }) => {
  return (await import("node:child_process")).execFileSync(command, ["x"]);
});
escape("spawn of node:child_process", async ({ command }) => {
  const child = (await import("node:child_process")).spawn(command, ["x"]);
  return await emitted(child, "exit");
});
escape("exec of node:child_process", async ({ command }) => {
  const child = (await import("node:child_process")).exec(`${command} x`);
  return await emitted(child, "exit");
});
escape("fork of node:child_process", async ({ commonJs }) => {
  const child = (await import("node:child_process")).fork(commonJs);
  return await emitted(child, "exit");
});
escape("Deno.kill of another program", () => Deno.kill(Deno.ppid, "SIGCONT"));
escape("process.kill of another program", () => globalThis.process.kill(Deno.ppid, 0));
escape("Deno.dlopen", ({ dynamicLibrary }) => {
  const library = Deno.dlopen(dynamicLibrary, { getpid: { parameters: [], result: "i32" } });
  return library.symbols.getpid();
});
escape("process.dlopen", ({ dynamicLibrary }) => {
  const { process } = globalThis;
  Reflect.get(process, "dlopen").call(process, { exports: {} }, dynamicLibrary);
}, { failsBy: /^(?!.*Requires)/ });
escape("loadExtension of node:sqlite", async ({ dynamicLibrary }) => {
  const { DatabaseSync } = await import("node:sqlite");
  new DatabaseSync(":memory:", { allowExtension: true }).loadExtension(dynamicLibrary);
}, { failsBy: /undefined symbol|entry point/ });
escape("Deno.UnsafePointer", () => {
  return new Deno.UnsafePointerView(Deno.UnsafePointer.of(new Uint8Array(1))!).getUint8();
});

// The machine

escape("Deno.osRelease", () => Deno.osRelease());
escape("Deno.loadavg", () => Deno.loadavg());
escape("Deno.osUptime", () => Deno.osUptime());
escape("Deno.networkInterfaces", () => Deno.networkInterfaces());
escape("Deno.systemMemoryInfo", () => Deno.systemMemoryInfo());
escape("Deno.uid", () => Deno.uid());
escape("Deno.gid", () => Deno.gid());
escape("release of node:os", async () => (await import("node:os")).release());
escape("userInfo of node:os", async () => (await import("node:os")).userInfo());
escape("cpus of node:os", async () => (await import("node:os")).cpus());
escape("networkInterfaces of node:os", async () => (await import("node:os")).networkInterfaces());
escape("homedir of node:os", async () => (await import("node:os")).homedir());
escape("process.getuid", () => globalThis.process.getuid?.());
escape("process.report", () => globalThis.process.report.getReport());
escape("node:inspector, a session", async () => {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  session.disconnect();
}, { failsBy: /^(?!.*Requires)/ });
escape("node:inspector, open", async () => {
  const inspector = await import("node:inspector");
  inspector.open(0, "127.0.0.1");
  inspector.close();
}, { failsBy: /^(?!.*Requires)/ });

// More rights

for (const name of ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const) {
  for (const face of ["request", "requestSync"] as const) {
    escape(`Deno.permissions.${face} of ${name}`, async () => {
      const { state } = await Deno.permissions[face]({ name });
      if (state !== "granted") throw new Deno.errors.NotCapable(state);
    });
  }
}

// Storage

escape("localStorage", () => localStorage.setItem("x", "x"), {
  refusedBy: /localStorage is not defined/,
  needsRights: false,
});
escape("Deno.openKv", () => Reflect.get(Deno, "openKv")(), {
  refusedBy: /not a function/,
  needsRights: false,
});

// What Deno guards with no permission, and this library refuses

const ownDefence = { refusedBy: /^NotCapable: .* can't be used in a process with permissions/ };

/** Deno 2.9.6 has no types for it. */
const webLocks = (): { query(): unknown } => Reflect.get(navigator, "locks");

escape("the names of all Web Locks", () => webLocks().query(), ownDefence);
escape("a Web Lock, of node:worker_threads", async () => {
  const { locks } = await import("node:worker_threads");
  await locks.request("stolen", { steal: true }, () => {});
}, ownDefence);
escape("a Web Lock, by the method of the class", () => {
  return Reflect.get(globalThis, "LockManager").prototype.query.call(webLocks());
}, ownDefence);
escape("a signal to the program itself", () => {
  Deno.kill(Deno.pid, "SIGCONT");
}, ownDefence);
escape("a signal, by node:process", async () => {
  const { kill, pid } = await import("node:process");
  kill(pid, "SIGCONT");
}, ownDefence);
escape("listening to the program's signals", () => {
  const listener = () => {};
  Deno.addSignalListener("SIGUSR2", listener);
  Deno.removeSignalListener("SIGUSR2", listener);
}, ownDefence);
escape("listening to signals, by node:process", async () => {
  const process = await import("node:process"), listener = () => {};
  process.default.on("SIGUSR2", listener);
  process.default.off("SIGUSR2", listener);
}, ownDefence);
for (const kind of ["socket", "server"] as const) {
  escape(`a ${kind} of an open file descriptor`, async () => {
    // With all rights it would succeed, and end this program's own.
    if (Deno.permissions.querySync({ name: "run" }).state === "granted") return;
    let refusal: unknown;
    for (let fd = 3; fd < 64; fd++) {
      try {
        return await openDescriptor(kind, fd);
      } catch (error) {
        // A TypeError if it is of another kind.
        const { name, message } = error as Error;
        if (name === "NotCapable" || SEALED.test(message)) refusal = error;
      }
    }
    throw refusal;
  }, { ...ownDefence, needsRights: false });
}

async function openDescriptor(kind: "socket" | "server", fd: number): Promise<unknown> {
  const { createServer, Socket } = await import("node:net");
  if (kind === "socket") return new Socket({ fd, readable: false }).write("x");
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  createServer().on("error", reject).listen({ fd }, () => resolve("listens"));
  return await promise;
}

for (const [name, kind] of [["pipe_wrap", "Pipe"], ["tcp_wrap", "TCP"], ["udp_wrap", "UDP"]]) {
  escape(`a file descriptor, by the ${kind} behind node:'s classes`, () => {
    const binding = Reflect.get(globalThis.process, "binding");
    // With all rights, an error number.
    return new (binding(name)[kind])(0).open(999);
  }, ownDefence);
}

const nothing = "data:text/javascript,";
const threads = () => globalThis.process.getBuiltinModule("node:worker_threads");
const started = (worker: { terminate(): unknown }) => void worker.terminate();

escape("a Worker of nothing", () => {
  started(new Worker(nothing, { type: "module" }));
}, ownDefence);
escape("a Worker by its prototype", () => {
  started(new (Worker.prototype.constructor as typeof Worker)(nothing, { type: "module" }));
}, ownDefence);
escape("a Worker by Reflect", () => {
  started(Reflect.construct(Worker, [nothing, { type: "module" }], class extends EventTarget {}));
}, { ...ownDefence, failsBy: /terminate is not a function/ });
escape("a Worker whose class has its parent back", () => {
  Object.setPrototypeOf(Worker, EventTarget);
  started(new Worker(nothing, { type: "module" }));
}, { refusedBy: /is not extensible/ });
escape("a thread by a class of its own", () => {
  started(new (class extends threads().Worker {})(new URL(nothing)));
}, ownDefence);
escape("a thread of text", () => {
  started(new (threads().Worker)("0", { eval: true }));
}, ownDefence);

// What Deno 2.9.6 refuses to nobody. None of it needs a permission there; where one of them is
// refused some day, the documentation has to say less.

const leaks: Escape[] = [];

function leak(name: string, attempt: Escape["attempt"]): void {
  leaks.push({ name, attempt, needsRights: false });
}

leak("the working directory", () => Deno.cwd());
leak("the program's arguments", () => Deno.args);
leak("the path of Deno", () => Deno.execPath());
leak("the number of the program", () => Deno.pid);
leak("the program's standard input", () => Deno.stdin.read(new Uint8Array(1)));
leak("the caches, which outlive the program", async () => {
  const name = crypto.randomUUID(), cache = await caches.open(name);
  await cache.put("http://localhost/", new Response("stored"));
  const response = await cache.match("http://localhost/");
  await caches.delete(name);
  return await response?.text();
});

/** Does what nobody is refused. */
export async function tryLeaks(world: World): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of leaks) outcomes.push(await tryOne(one, world, true));
  return outcomes;
}

/** In ms: an attempt that has come to nothing by then is no refusal. */
const TIMEOUT_MS = 15_000;

/** Makes one attempt; if alone, what is thrown where nobody can catch it counts too. */
async function tryOne({ name, attempt }: Escape, world: World, alone: boolean): Promise<Outcome> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("nothing came of it")), TIMEOUT_MS);
  // Some of node:'s errors are thrown where nobody can catch them.
  const uncaught = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    if (alone) reject("reason" in event ? event.reason : event.error);
  };
  globalThis.addEventListener("error", uncaught);
  globalThis.addEventListener("unhandledrejection", uncaught);
  try {
    const got = await Promise.race([promise, attempt(world)]);
    return { name, refusal: undefined, got: Deno.inspect(got).slice(0, 200) };
  } catch (error) {
    const { name: kind, message } = error as Error;
    return { name, refusal: `${kind}: ${message}`, got: undefined };
  } finally {
    globalThis.removeEventListener("error", uncaught);
    globalThis.removeEventListener("unhandledrejection", uncaught);
    clearTimeout(timer);
  }
}

/** Makes all attempts: one after the other, but those that start a worker, half a second each. */
export async function tryAll(world: World): Promise<Outcome[]> {
  const slow = escapes.filter(({ name }) => /^a (Worker|thread)/.test(name));
  const outcomes: Outcome[] = [];
  for (const one of escapes) if (!slow.includes(one)) outcomes.push(await tryOne(one, world, true));
  return [...outcomes, ...await Promise.all(slow.map((one) => tryOne(one, world, false)))];
}

/** Uses what it was given some of, and tells what it got. */
export async function useGranted(
  name: Deno.PermissionName | "import",
  { inside }: World,
  open: { port: number; variable: string; command: string; dynamicLibrary: string },
): Promise<unknown> {
  switch (name) {
    case "read":
      return await Deno.readTextFile(`${inside}/file`);
    case "write":
      return await Deno.writeTextFile(`${inside}/written`, "x");
    case "net":
      return await (await fetch(`http://127.0.0.1:${open.port}/`)).text();
    case "env":
      return Deno.env.get(open.variable);
    case "run":
      return (await new Deno.Command(open.command).output()).code;
    case "sys":
      return Deno.hostname();
    case "import":
      return Object.keys(await load(`http://127.0.0.1:${open.port}/granted.js`));
    case "ffi":
      return Deno.dlopen(open.dynamicLibrary, {}).close();
  }
}
