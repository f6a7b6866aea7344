// Attempts of a process in a sandbox to get at things it was not given (support/escapes.ts):
// with no permission, with some of each kind, and with all permissions, where the attempts must
// succeed, which shows that they test something.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { ProcessOptions } from "../../mod.ts";
import { attackNames } from "../support/programs/sandbox_attacks.ts";
import { escapes, type Outcome, REFUSED, SEALED, type World } from "../support/escapes.ts";
import { run } from "../support/programs.ts";

const names = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;
const ignore = Deno.build.os !== "linux" ||
  !names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
const needs = "(needs --allow-all)";

/** Variables of the environment: one that nobody is to see, one that may be seen. */
const SECRET = "ESCAPE_SECRET", OPEN = "ESCAPE_OPEN";

/** A server that answers whatever is asked, and counts its connections. */
async function serve() {
  const sockets: Socket[] = [];
  const server = createServer(({ url = "" }, response) => {
    const [type, body] = url.endsWith(".js")
      ? ["text/javascript", "export default 1;"]
      : url.endsWith(".json")
      ? ["application/json", "1"]
      : ["text/event-stream", ":\n\n"];
    response.writeHead(200, { "content-type": type }).end(body);
  });
  server.on("connection", (socket) => sockets.push(socket));
  server.on("upgrade", ({ headers }, socket) => {
    const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => sockets.length,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A library of the operating system that this program has loaded. */
function dynamicLibrary(name: string): string {
  const loaded = Deno.readTextFileSync("/proc/self/maps");
  const path = new RegExp(`/\\S*/${name}[.-]\\S*$`, "m").exec(loaded);
  assert.ok(path !== null, `this program has no ${name}`);
  return path[0];
}

/** Makes a world, with a server that nobody is to reach. */
async function makeWorld() {
  const folder = Deno.makeTempDirSync({ prefix: "sandbox-" });
  const inside = `${folder}/inside`, outside = `${folder}/outside`;
  for (const path of [inside, outside, `${outside}/folder`]) Deno.mkdirSync(path);
  const server = await serve();
  const world: World = {
    inside,
    outside,
    secret: `${outside}/secret`,
    json: `${outside}/secret.json`,
    module: `${outside}/secret.mjs`,
    commonJs: `${outside}/secret.cjs`,
    victim: `${outside}/victim`,
    link: `${inside}/link`,
    port: server.port,
    variable: SECRET,
    command: "/bin/echo",
    dynamicLibrary: dynamicLibrary("libc"),
  };
  const files: Record<string, string> = {
    [`${inside}/file`]: "open",
    [world.secret]: "SECRET=secret",
    [world.json]: '"secret"',
    [world.module]: 'export default "secret"; globalThis.postMessage?.("secret");',
    [world.commonJs]: 'require("node:worker_threads").parentPort?.postMessage("secret");',
    [world.victim]: "victim",
  };
  for (const [path, text] of Object.entries(files)) Deno.writeTextFileSync(path, text);
  for (const link of [world.link, `${outside}/link`]) Deno.symlinkSync(world.secret, link);
  /** All there is in the folder that nobody may enter. */
  const look = () =>
    [...Deno.readDirSync(outside)].map(({ name, isFile }) => {
      const { mode, mtime } = Deno.statSync(`${outside}/${name}`);
      return [name, mode, mtime?.getTime(), isFile && Deno.readTextFileSync(`${outside}/${name}`)];
    }).sort();
  return {
    world,
    look,
    connections: server.connections,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** What came of all attempts, and of what nobody is refused. */
interface Outcomes {
  outcomes: Outcome[];
  leaks: Outcome[];
}

/** Makes all attempts in a process with these permissions, in a program of its own. */
async function tryIn(
  permissions: ProcessOptions["permissions"],
  world: World,
  granted?: { name: string; port: number },
  sealed?: boolean,
): Promise<Outcomes> {
  const given = granted && {
    ...granted,
    variable: OPEN,
    command: "/bin/true",
    dynamicLibrary: dynamicLibrary("libm"),
  };
  const json = JSON.stringify({ permissions, world, granted: given, sealed });
  const { code, out, errors } = await run("sandbox_escapes.ts", [json], ["--allow-all"]);
  assert.equal(code, 0, errors);
  const outcomes: Outcomes = JSON.parse(out.at(-1)!);
  const nameOf = ({ name }: { name: string }) => name;
  assert.deepEqual(outcomes.outcomes.map(nameOf).sort(), escapes.map(nameOf).sort());
  return outcomes;
}

const known = new Map(escapes.map((escape) => [escape.name, escape]));

/** The attempts that came to something else than they should have. */
function except(outcomes: Outcome[], isRight: (outcome: Outcome) => boolean): string[] {
  return outcomes.filter((outcome) => !isRight(outcome)).map(({ name, refusal, got }) => {
    return `${name}: ${refusal ?? `got ${got}`}`;
  });
}

/** Does things, a few at a time; throws all that was thrown. */
async function fewAtOnce(all: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...all], errors: unknown[] = [];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await next().catch((error) => errors.push(error));
    }
  };
  await Promise.all([work(), work(), work()]);
  if (errors.length > 0) throw new AggregateError(errors, errors.join("\n"));
}

/** With the variables in the environment. */
async function withVariables(body: () => Promise<void>): Promise<void> {
  Deno.env.set(SECRET, "secret");
  Deno.env.set(OPEN, "open");
  try {
    await body();
  } finally {
    Deno.env.delete(SECRET);
    Deno.env.delete(OPEN);
  }
}

Deno.test({
  name: `with all permissions, what is refused in a sandbox succeeds ${needs}`,
  ignore,
  fn: () =>
    withVariables(async () => {
      await using made = await makeWorld();
      const { outcomes } = await tryIn("inherit", made.world);
      const failed = except(outcomes, ({ name, refusal }) => {
        const { failsBy, needsRights } = known.get(name)!;
        return refusal === undefined || !needsRights || failsBy?.test(refusal) === true;
      });
      assert.deepEqual(failed, []);
      assert.ok(made.connections() > 10, `${made.connections()} connections`);
    }),
});

/** Some of each permission, never what the attempts are about. */
const sets: Record<string, (world: World, port: number) => ProcessOptions["permissions"]> = {
  none: () => "none",
  read: ({ inside }) => ({ read: [inside] }),
  write: ({ inside }) => ({ write: [inside] }),
  net: (_, port) => ({ net: [`127.0.0.1:${port}`] }),
  env: () => ({ env: [OPEN] }),
  run: () => ({ run: ["/bin/true"] }),
  sys: () => ({ sys: ["hostname"] }),
  ffi: () => ({ ffi: [dynamicLibrary("libm")] }),
  import: (_, port) => ({ import: [`127.0.0.1:${port}`] }),
};

/** Makes all attempts with one of the sets; they come to nothing. */
async function getNothing(set: string, sealed: boolean): Promise<void> {
  await using made = await makeWorld();
  await using open = await serve();
  const before = made.look();
  const permissions = sets[set](made.world, open.port);
  const granted = set === "none" ? undefined : { name: set, port: open.port };
  const { outcomes, leaks } = await tryIn(permissions, made.world, granted, sealed);
  const escaped = except(outcomes, ({ name, refusal }) => {
    if (refusal === undefined) return false;
    return (known.get(name)!.refusedBy ?? REFUSED).test(refusal) || sealed && SEALED.test(refusal);
  });
  assert.deepEqual(escaped, [], set);
  assert.equal(made.connections(), 0, set);
  assert.deepEqual(made.look(), before, set);
  // What nobody is refused who isn't sealed.
  const isRight = ({ name, refusal, got }: Outcome) => {
    const isThere = refusal === undefined && got !== "undefined";
    return isThere !== sealed || set === "read" && name === "the working directory";
  };
  assert.deepEqual(except(leaks, isRight), [], set);
}

Deno.test({
  name: `a process with no permission, or some of one kind, gets nothing else ${needs}`,
  ignore,
  fn: () =>
    withVariables(async () => {
      await fewAtOnce(
        Object.keys(sets).flatMap((set) =>
          [true, false].map((sealed) => () => getNothing(set, sealed))
        ),
      );
    }),
});

/** What an attacker is after. */
function makePrey() {
  const folder = Deno.makeTempDirSync({ prefix: "sandbox-" });
  const written = `${folder}/written`, secret = `${folder}/secret`;
  Deno.writeTextFileSync(secret, "the secret");
  return { written, secret, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

/** Restricted only, or sealed, and with a limit or without. */
type Kind = "none" | "limited" | "sealed" | "sealed, limited";

/** Has a process of a kind attack the program it runs in; what the program says. */
async function attack(name: string, how: Kind | "all") {
  using prey = makePrey();
  const args = [name, prey.written, prey.secret, how];
  const { code, out, errors } = await run("sandbox_attacks.ts", args, ["--allow-all"]);
  const hasWritten = [...Deno.readDirSync(new URL(".", `file://${prey.written}`))].length > 1;
  return { code, said: out.join("\n"), errors, hasWritten };
}

/** The attack comes to nothing. */
async function resist(name: string, how: Kind): Promise<void> {
  const { code, said, errors, hasWritten } = await attack(name, how);
  assert.ok(
    code === 0 && said.endsWith("fine") && !said.includes("escaped") && !hasWritten,
    `${name}, ${how}: exit status ${code}, said:\n${said}\n${errors}`,
  );
}

Deno.test({
  name: `an attack from a sandbox changes nothing for the others ${needs}`,
  ignore,
  fn: () =>
    fewAtOnce(
      attackNames.flatMap((name) =>
        (["none", "limited", "sealed", "sealed, limited"] as const).map((how) => () =>
          resist(name, how)
        )
      ),
    ),
});

Deno.test({
  name:
    `what a process that inherits asks its host for is done, so the forgeries are good ${needs}`,
  ignore,
  fn: async () => {
    const stop = await attack("forged requests to stop", "all");
    assert.ok(stop.code !== 0 && !stop.said.endsWith("fine"), stop.said);
    const start = await attack("forged requests to start", "all");
    assert.ok(start.hasWritten, start.said);
    const more = await attack("starting processes with more rights", "all");
    assert.match(more.said, /escaped: (the secret,?){8}/);
  },
});
