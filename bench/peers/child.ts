/**
 * A program as a peer: it makes the requested measurements, a request and an answer a line, and sleeps
 * on its stdin while other sides are measured.
 */

/** An answer of a peer. */
export interface Answer {
  /** A flow's whole time, otherwise the time of one item, hop, call or process. */
  ms: number;
  /** The total weight of the items that a flow's consumers got. */
  weight?: number;
}

/** The arguments of `taskset` that keep a program to some cores. */
export function keptTo(cores: readonly number[]): string[] {
  return ["taskset", "--cpu-list", cores.join(",")];
}

/** A running program. */
export class Child<Request> implements AsyncDisposable {
  readonly #command: string;
  readonly #process: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  /** The text after the last whole line. */
  #rest = "";

  constructor(command: string, args: string[]) {
    this.#command = command;
    const process = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#process = process;
    this.#requests = process.stdin.getWriter();
    this.#output = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Requests one measurement. An abort ends the program, so that nothing waits for its answer. */
  async ask(request: Request, signal: AbortSignal): Promise<Answer> {
    const giveUp = () => this.#process.kill();
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await this.#requests.write(
        new TextEncoder().encode(JSON.stringify(request) + "\n"),
      );
      return JSON.parse(await this.#line());
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #line(): Promise<string> {
    let end: number;
    while ((end = this.#rest.indexOf("\n")) < 0) {
      const { value, done } = await this.#output.read();
      if (done) {
        throw new Error(
          `${this.#command} ended before it answered. Its stderr says why.`,
        );
      }
      this.#rest += value;
    }
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The end of its input ends the program's loop. Closing fails if the program is gone already, which is fine.
    await this.#requests.close().catch(() => {});
    await this.#output.cancel();
    await this.#process.status;
  }
}

/** What a command prints; null if this machine doesn't have it. */
export async function outputOf(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout, success } = await new Deno.Command(command, { args }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
