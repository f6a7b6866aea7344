// The stand-ins for queues in a process of the operating system: each call is done by the keeper, on the queue
// itself. A method that doesn't wait takes as long as the way there and back.

import { QueueShutDown } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import type { BatchQueue, BlockingQueue } from "../queue/contract.ts";
import { Faces } from "../queue/faces.ts";
import type { JoinableQueueStatistics, QueueStatistics } from "../queue/shared/queue_statistics.ts";
import { cannotClone } from "../transfer/transferable.ts";
import { checkFlag, checkNames } from "../validate/options.ts";
import { blockingTimeoutOf, type BlockOptions, type WaitOptions } from "../wait/options.ts";
import type { Source } from "../wait/streams.ts";
import { type Readiness, readiness } from "../wait/waitable.ts";
import type { BridgeClient } from "./client.ts";
import { first, Remote } from "./stand_in.ts";

const { ArrayPrototypeSplice, listOf, Math, PromisePrototypeThen, Symbol } = primordials;

const one = (item: unknown) => [item];
const all = (items: unknown[]) => items;

/** Stands for a SimpleQueue. */
export class SimpleQueueStandIn<T = unknown> implements BlockingQueue<T>, Disposable {
  protected readonly remote: Remote;

  constructor(client: BridgeClient, at: number, name = "A SimpleQueue") {
    this.remote = new Remote(client, at, name);
  }

  get closed(): boolean {
    return this.remote.isClosed;
  }

  empty(): boolean {
    this.remote.checkOpen();
    return this.remote.left === 0 && this.remote.now<boolean>("empty");
  }

  put(item: T, options?: WaitOptions): Promise<void> {
    return this.remote.wait("put", [item], options);
  }

  putNowait(item: T): void {
    this.remote.now("putNowait", [item]);
  }

  putSync(item: T, options?: BlockOptions): void {
    this.remote.block("put", [item], options);
  }

  get(options?: WaitOptions): Promise<T> {
    return this.remote.take<T>("get", [], options, one, first<T>);
  }

  getNowait(): T {
    return this.remote.takeSync<T>("getNowait", [], 0, first<T>);
  }

  getSync(options?: BlockOptions): T {
    return this.remote.takeSync<T>("get", [], blockingTimeoutOf(options), first<T>);
  }

  /** Ends the use of the queue by this process. */
  close(): void {
    this.remote.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [readiness](): Readiness {
    this.remote.checkOpen();
    return this.remote.readiness;
  }

  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { closed } = this;
    return print(this, ["SimpleQueue", SimpleQueueStandIn], () => ({ closed }), inspect, options);
  }

  get [cannotClone](): string {
    return "a queue of another process, which only the process that was given it can use";
  }
}

/** Stands for a Queue. */
export class QueueStandIn<T = unknown> extends SimpleQueueStandIn<T> implements BatchQueue<T> {
  #faces: Faces<T> | undefined;

  constructor(client: BridgeClient, at: number, name = "A Queue") {
    super(client, at, name);
  }

  get maxSize(): number {
    return this.remote.now<number>("maxSize");
  }

  set maxSize(maxSize: number) {
    this.remote.now("setMaxSize", [maxSize]);
  }

  get name(): string | undefined {
    return this.remote.now("name");
  }

  qsize(): number {
    return this.remote.now<number>("qsize") + this.remote.left;
  }

  full(): boolean {
    return this.remote.now<boolean>("full");
  }

  statistics(): QueueStatistics {
    return this.remote.now<QueueStatistics>("statistics");
  }

  putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    try {
      return this.remote.wait("putMany", [listOf(items)], options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  putManyNowait(items: Iterable<T>): void {
    this.remote.now("putManyNowait", [listOf(items)]);
  }

  putManySync(items: Iterable<T>, options?: BlockOptions): void {
    this.remote.block("putMany", [listOf(items)], options);
  }

  getMany(max: number, options?: WaitOptions): Promise<T[]> {
    return this.remote.take<T[]>("getMany", [max], options, all, some(max));
  }

  getManyNowait(max: number): T[] {
    return this.remote.takeSync<T[]>("getManyNowait", [max], 0, some(max));
  }

  getManySync(max: number, options?: BlockOptions): T[] {
    return this.remote.takeSync<T[]>("getMany", [max], blockingTimeoutOf(options), some(max));
  }

  shutdown(options: { immediate?: boolean } = {}): void {
    const { immediate } = checkNames(options, ["immediate"], "shutdown({ immediate: true })");
    this.remote.now("shutdown", [{ immediate: checkFlag("immediate", immediate) }]);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#made.iterate();
  }

  get readable(): ReadableStream<T> {
    return this.#made.readable;
  }

  get writable(): WritableStream<T> {
    return this.#made.writable;
  }

  get #made(): Faces<T> {
    this.remote.checkOpen();
    const source: Source<T> = {
      take: (signal) => this.get({ signal }),
      takeFor: (use, signal) =>
        PromisePrototypeThen(this.get({ signal }), (item) => {
          use(item);
          return item;
        }),
      isEnd: (error) => error instanceof QueueShutDown,
    };
    return this.#faces ??= new Faces(source, this);
  }

  override [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { closed } = this;
    return print(this, ["Queue", QueueStandIn], () => ({ closed }), inspect, options);
  }
}

/** Stands for a JoinableQueue. */
export class JoinableQueueStandIn<T = unknown> extends QueueStandIn<T> {
  constructor(client: BridgeClient, at: number) {
    super(client, at, "A JoinableQueue");
  }

  get unfinished(): number {
    return this.remote.now<number>("unfinished");
  }

  override statistics(): JoinableQueueStatistics {
    return this.remote.now<JoinableQueueStatistics>("statistics");
  }

  taskDone(): void {
    this.remote.now("taskDone");
  }

  join(options?: WaitOptions): Promise<boolean> {
    return this.remote.wait("join", [], options);
  }

  joinSync(options?: BlockOptions): boolean {
    return this.remote.block("join", [], options);
  }

  override [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { closed } = this;
    return print(
      this,
      ["JoinableQueue", JoinableQueueStandIn],
      () => ({ closed }),
      inspect,
      options,
    );
  }
}

/** Takes up to `max` items. */
function some<T>(max: number): (left: unknown[]) => T[] {
  return (left) => ArrayPrototypeSplice(left, 0, Math.min(max, left.length)) as T[];
}
