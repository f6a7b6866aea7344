// A registry on loopback that serves this package as JSR does, and folders of users that get it
// from there, each with its own deno.json and with a Deno whose cache is empty.

import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { deno, type Run, type RunOptions } from "./deno.ts";

/** Whether programs can be run that have the package from a registry. */
export const granted: boolean = (["run", "read", "write", "net"] as const).every((name) =>
  Deno.permissions.querySync({ name }).state === "granted"
);

/** What to say of it in the name of a test. */
export const needs = "(needs --allow-run --allow-read --allow-write --allow-net)";

/** Where this package is. */
export const root = new URL("../../", import.meta.url);

const { name, version } = config;

/** The files that `deno publish` would upload, as "/mod.ts". */
export async function published(): Promise<string[]> {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { code, errors } = await deno(args, { cwd: root });
  assert.equal(code, 0, errors);
  const files = [...errors.matchAll(/^ +(file:\/\/\S+) \([\d.]+[KM]?B\)$/gm)];
  return files.map(([, url]) => {
    assert.ok(url.startsWith(root.href), `${url} would be published, which is elsewhere`);
    return url.slice(root.href.length - 1);
  });
}

/** A registry that has one version of this package, and of that what would be published. */
export class Registry implements AsyncDisposable {
  /** The modules of the package that were asked for. */
  readonly asked: Set<string> = new Set();
  readonly #files: Map<string, Uint8Array<ArrayBuffer>> = new Map();
  readonly #site: Site;

  private constructor() {
    this.#site = new Site((path) => this.#answer(path));
  }

  /** Starts one. */
  static async start(): Promise<Registry> {
    const registry = new Registry();
    for (const path of await published()) {
      registry.#files.set(path, await Deno.readFile(new URL(`.${path}`, root)));
    }
    return registry;
  }

  /** What JSR_URL is for a Deno that has it for JSR. */
  get url(): string {
    return this.#site.url;
  }

  /** The URL of one of the package's files. */
  fileUrl(path: string): string {
    return `${this.url}${name}/${version}${path}`;
  }

  async #answer(path: string): Promise<Response | undefined> {
    if (path === `/${name}/meta.json`) return Response.json({ versions: { [version]: {} } });
    if (path === `/${name}/${version}_meta.json`) {
      const manifest: Record<string, { size: number; checksum: string }> = {};
      for (const [path, bytes] of this.#files) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        manifest[path] = { size: bytes.length, checksum: `sha256-${digest.toHex()}` };
      }
      return Response.json({ manifest, exports: config.exports });
    }
    if (!path.startsWith(`/${name}/${version}/`)) return undefined;
    const file = path.slice(`/${name}/${version}`.length);
    const bytes = this.#files.get(file);
    if (bytes === undefined) return undefined;
    if (!file.endsWith(".ts")) return new Response(bytes);
    this.asked.add(file);
    return typescript(bytes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#site[Symbol.asyncDispose]();
  }
}

/** A web server on loopback. */
export class Site implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param answer by the path; undefined where nothing is */
  constructor(answer: (path: string) => Response | undefined | Promise<Response | undefined>) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const found = await answer(new URL(request.url).pathname);
        return found ?? new Response("not found", { status: 404 });
      },
    );
  }

  /** Its host, as --allow-import takes it. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  get url(): string {
    return `http://${this.host}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Serves a module. */
export function typescript(body: BodyInit): Response {
  return new Response(body, { headers: { "content-type": "text/typescript" } });
}

/** The two ways in which a program names the package: as itself, and as `deno add` makes it. */
export const ways = ["jsr:", "bare"] as const;

/** One of them. */
export type Way = typeof ways[number];

/** A program of this repository, naming the package in one of these ways. */
export function program(text: string, way: Way): string {
  return way === "bare" ? text : text.replaceAll(`"${name}`, `"jsr:${name}`);
}

/** A user's folder. */
export class Folder implements AsyncDisposable {
  readonly #path: string;
  readonly #env: Record<string, string>;

  private constructor(path: string, registry: Registry) {
    this.#path = path;
    this.#env = { JSR_URL: registry.url, DENO_DIR: `${path}/cache` };
  }

  /**
   * Makes one.
   *
   * @param programs the text of each by its name
   */
  static async make(
    registry: Registry,
    way: Way,
    programs: Record<string, string>,
  ): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir(), registry);
    const imports = way === "bare" ? { [name]: `jsr:${name}@^${version}` } : undefined;
    const unstable = ["worker-options"];
    await folder.write("deno.json", JSON.stringify({ imports, unstable }));
    for (const [file, text] of Object.entries(programs)) {
      await folder.write(file, program(text, way));
    }
    return folder;
  }

  write(file: string, text: string): Promise<void> {
    return Deno.writeTextFile(`${this.#path}/${file}`, text);
  }

  /** Runs Deno in it. */
  deno(args: readonly string[], options?: Pick<RunOptions, "stdin">): Promise<Run> {
    return deno(args, { ...options, cwd: this.#path, env: this.#env });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.#path, { recursive: true });
  }
}
