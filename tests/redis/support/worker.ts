// Worker programs of pools, which the tests start and kill.

import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../worker.ts", import.meta.url));
export const tasksFile: string = fileURLToPath(
  new URL("../../support/targets/redis_tasks.ts", import.meta.url),
);

/** A worker program. */
export class WorkerProgram implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  /** What it has written to its standard error. */
  errors = "";
  readonly ready: Promise<void>;
  #hasEnded = false;

  /** @param args what comes after the permissions: the arguments of the program */
  constructor(
    args: readonly string[],
    permissions: readonly string[] = ["-N", "-R"],
    cwd?: string,
  ) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", ...permissions, program, ...args],
      stdout: "null",
      stderr: "piped",
      cwd,
    }).spawn();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#reading = this.#read(resolve);
  }

  /** Starts a worker with the tests' tasks, and waits until it takes some. */
  static async start(url: string, name: string, ...more: string[]): Promise<WorkerProgram> {
    const made = new WorkerProgram([url, "--name", name, "--module", tasksFile, ...more]);
    await made.ready;
    if (made.#hasEnded) throw new Error(`The worker has ended: ${made.errors}`);
    return made;
  }

  async #read(ready: () => void): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.errors += text;
      if (this.errors.includes("takes tasks of the pool")) ready();
    }
    this.#hasEnded = true;
    ready();
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Its exit code, once it has ended. */
  async code(): Promise<number> {
    const { code } = await this.#process.status;
    await this.#reading;
    return code;
  }

  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { // it has ended
    }
    await this.code();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
