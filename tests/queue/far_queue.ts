// A queue whose answers all take a while and whose items are all bytes, like a queue on a server. It shows
// that such a queue can keep the contract, and that the tests of the contract demand nothing else.

import * as local from "../../local.ts";
import type { AsyncJoinableQueue, AsyncJoinableQueueStatistics, WaitOptions } from "../../mod.ts";
import { cannotClone } from "../../lib/transfer/transferable.ts";
import { decode } from "../../lib/codec/decode.ts";
import { freeEncoder } from "../../lib/codec/encode.ts";
import { Faces, isEnd } from "../../lib/queue/faces.ts";

export class FarQueue<T> implements AsyncJoinableQueue<T> {
  /** What the server has. */
  readonly #server: local.Queue<Uint8Array>;
  readonly #faces: Faces<T>;

  constructor(maxSize?: number) {
    this.#server = new local.Queue({ maxSize });
    this.#faces = new Faces<T>({
      take: (signal) => this.get({ signal }),
      takeFor: (use, signal) => this.get({ signal }).then(use),
      isEnd,
    }, this);
  }

  /** A call of the server, and its answer. */
  async #ask<R>(call: (server: local.Queue<Uint8Array>) => R): Promise<Awaited<R>> {
    await new Promise((resolve) => setImmediate(resolve));
    return await call(this.#server);
  }

  get maxSize(): number {
    return this.#server.maxSize;
  }

  async put(item: T, options?: WaitOptions): Promise<void> {
    const bytes = bytesOf(item);
    await this.#ask((server) => server.put(bytes, options));
  }

  async putNowait(item: T): Promise<void> {
    const bytes = bytesOf(item);
    await this.#ask((server) => server.putNowait(bytes));
  }

  async get(options?: WaitOptions): Promise<T> {
    return itemOf(await this.#ask((server) => server.get(options)));
  }

  async getNowait(): Promise<T> {
    return itemOf(await this.#ask((server) => server.getNowait()));
  }

  empty(): Promise<boolean> {
    return this.#ask((server) => server.empty());
  }

  full(): Promise<boolean> {
    return this.#ask((server) => server.full());
  }

  qsize(): Promise<number> {
    return this.#ask((server) => server.qsize());
  }

  statistics(): Promise<AsyncJoinableQueueStatistics> {
    return this.#ask((server) => server.statistics());
  }

  get unfinished(): Promise<number> {
    return this.#ask((server) => server.unfinished);
  }

  taskDone(): Promise<void> {
    return this.#ask((server) => server.taskDone());
  }

  join(options?: WaitOptions): Promise<boolean> {
    return this.#ask((server) => server.join(options));
  }

  shutdown(options?: { immediate?: boolean }): Promise<void> {
    return this.#ask((server) => server.shutdown(options));
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#faces.iterate();
  }

  get readable(): ReadableStream<T> {
    return this.#faces.readable;
  }

  get writable(): WritableStream<T> {
    return this.#faces.writable;
  }

  get [cannotClone](): string {
    return 'a FarQueue of these tests. Use Queue of "@multiproc/multiprocessing"';
  }
}

function bytesOf(item: unknown): Uint8Array {
  const encoder = freeEncoder();
  return encoder.bytes.slice(0, encoder.encode(item, 0, "item"));
}

function itemOf<T>(bytes: Uint8Array): T {
  return decode(bytes, 0, bytes.length) as T;
}
