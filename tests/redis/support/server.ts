// A Redis server of the tests' own: on a free port, with a folder of its own, ended by its id.

/** How a server is started. */
export interface ServerOptions {
  /** Writes what it is told to a file, and answers when that is done. */
  persistent?: boolean;
  /** Further arguments. */
  args?: readonly string[];
  /** The port, where a server is started anew. */
  port?: number;
}

/** Whether there is a redis-server on this machine. */
export async function hasServer(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("redis-server", { args: ["--version"] }).output();
    return success;
  } catch {
    return false;
  }
}

/** A port that nobody listens to. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** A running server. */
export class Server implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #options: ServerOptions;
  #process: Deno.ChildProcess;

  private constructor(folder: string, port: number, options: ServerOptions) {
    this.folder = folder;
    this.port = port;
    this.#options = options;
    this.#process = this.#spawn();
  }

  /** Starts a server, and returns when it listens. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    const folder = await Deno.makeTempDir({ prefix: "redis-" });
    const server = new Server(folder, options.port ?? freePort(), options);
    await server.#listens();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  #spawn(): Deno.ChildProcess {
    const { persistent = false, args = [] } = this.#options;
    return new Deno.Command("redis-server", {
      args: [
        ...["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.folder, "--save", ""],
        ...["--appendonly", persistent ? "yes" : "no", "--appendfsync", "always"],
        ...args,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async #listens(): Promise<void> {
    for (let i = 0; i < 500; i++) {
      try {
        const port = this.#options.args?.includes("--tls-port") ? this.tlsPort : this.port;
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    throw new Error("redis-server doesn't listen");
  }

  get tlsPort(): number {
    const args = this.#options.args!;
    return Number(args[args.indexOf("--tls-port") + 1]);
  }

  /** Ends it as a failing machine does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** Stops it without ending it, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  /** Starts it again, on what its folder has. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#listens();
  }

  /** Runs a command by redis-cli. */
  async cli(...args: string[]): Promise<string> {
    const { stdout } = await new Deno.Command("redis-cli", {
      args: ["-p", `${this.port}`, ...args],
    }).output();
    return new TextDecoder().decode(stdout).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { // it has ended
    }
    await this.#process.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}
