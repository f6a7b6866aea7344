// The reader of a process of the operating system: a worker that reads the frames for the process, because a
// process that blocks must get them too. It hands on the bytes through shared memory, one chunk at a time.

import { postToWebWorker, unrefWebWorker } from "../platform/web_workers.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  Deno,
  encodeURIComponent,
  Int32Array,
  SharedArrayBuffer,
  TypedArrayPrototypeSlice,
  Uint8Array,
  Worker,
} = primordials;

/** The word: how many bytes there are, 0 while the reader may write, ENDED once the keeper has ended. */
const LENGTH = 0;
const ENDED = -1;
const HEADER_BYTES = 64, CHUNK_BYTES = 2 ** 16;

/** Runs in the worker, from its source text, and so may use nothing but its parameters and the globals. */
function readOn(): void {
  const begin = ({ data: { buffer, header, ended } }: MessageEvent) => {
    const words = new globalThis.Int32Array(buffer, 0, 1);
    const shared = new globalThis.Uint8Array(buffer, header);
    const chunk = new globalThis.Uint8Array(shared.length);
    const { load, store, notify, wait } = globalThis.Atomics;
    for (;;) {
      const count = globalThis.Deno.stdin.readSync(chunk);
      for (let length = load(words, 0); length !== 0; length = load(words, 0)) {
        wait(words, 0, length);
      }
      if (count === null || count === 0) {
        store(words, 0, ended);
        notify(words, 0);
        return;
      }
      shared.set(new globalThis.Uint8Array(chunk.buffer, 0, count));
      store(words, 0, count);
      notify(words, 0);
    }
  };
  globalThis.addEventListener("message", begin as (event: Event) => void, { once: true });
}

/** The bytes that a reader has read. */
export class Input {
  readonly #buffer = new SharedArrayBuffer(HEADER_BYTES + CHUNK_BYTES);
  readonly #words = new Int32Array(this.#buffer, 0, 1);

  /** Starts the reader. To be called before the process is locked down. */
  constructor() {
    const main = `data:text/javascript,${encodeURIComponent(`(${readOn})();`)}`;
    const worker = new Worker(main, { type: "module", name: "reader" });
    postToWebWorker(worker, { buffer: this.#buffer, header: HEADER_BYTES, ended: ENDED }, []);
    unrefWebWorker(worker);
  }

  /** Takes the next bytes; undefined if there are none. */
  take(): Uint8Array | undefined {
    const length = Atomics.load(this.#words, LENGTH);
    // On Windows nothing but this process ends it then.
    if (length === ENDED) Deno.exit(1);
    if (length === 0) return undefined;
    const chunk = TypedArrayPrototypeSlice(new Uint8Array(this.#buffer, HEADER_BYTES, length));
    Atomics.store(this.#words, LENGTH, 0);
    Atomics.notify(this.#words, LENGTH);
    return chunk;
  }

  /** Resolves when there are bytes. This wait doesn't keep the process alive. */
  async untilThere(): Promise<void> {
    const wait = Atomics.waitAsync(this.#words, LENGTH, 0);
    if (wait.async) await wait.value;
  }

  /** Blocks until there are bytes. */
  block(): void {
    Atomics.wait(this.#words, LENGTH, 0);
  }
}
