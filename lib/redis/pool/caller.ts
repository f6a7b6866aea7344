// A program that calls the tasks of a pool: its units go through the server to workers on any machine, and the
// outcome of each item comes back through a queue of its own.

import {
  BrokenPoolError,
  Changes,
  type Executor,
  failUnsent,
  recreateFailure,
  type Unit,
} from "../core.ts";
import type { Buffer } from "node:buffer";
import { encodeEntry, type Entry, itemOf } from "../entry.ts";
import { MAX_CALL_BYTES } from "../host.ts";
import type { Store } from "../store.ts";
import {
  type Answer,
  BEGUN,
  FAILED,
  ITEMS,
  RETURNED,
  SENT,
  type UnitMessage,
  unitName,
  type WorkerDescription,
} from "./messages.ts";

/** How many answers are taken at once. */
const MAX_TAKEN = 1000;
/** How many processes there are, until the server has told. */
const GUESSED_SIZE = 8;
/** How long the number of processes counts, in ms. */
const STAFF_MS = 5000;

/** A unit that was sent. */
interface Sent {
  unit: Unit;
  number: number;
  isBegun: boolean;
  /** Resolves when the server has it, or has refused it; undefined before it is put. */
  put: Promise<void> | undefined;
  /** For each item, 1 once it has an outcome: the item of a worker that was cut off may have two. */
  outcomes: Uint8Array;
}

/** A unit that is to be given up. */
interface Unwanted {
  name: string;
  /** Its entry in the list of tasks, where it can be found. */
  entry: Buffer | undefined;
  put: Promise<void>;
}

/** Runs units by the workers of a pool in a server. */
export class Caller implements Executor {
  readonly #tasks: Store;
  readonly #answers: Store;
  readonly #caller: string;
  readonly #sent = new Map<number, Sent>();
  readonly #numbers = new Map<Unit, number>();
  readonly #changes = new Changes();
  #next = 0;
  #begun = 0;
  #isListening = false;
  #isKept = false;
  #quiet = new AbortController();
  #size = GUESSED_SIZE;
  #asked = -Infinity;
  #broken: BrokenPoolError | undefined;
  /** Units that are to be given up with the next call. */
  #unwanted: Unwanted[] = [];
  /** Called when a unit was begun or has ended. */
  readonly #moved: () => void;

  constructor(caller: string, tasks: Store, answers: Store, moved: () => void) {
    this.#caller = caller;
    this.#tasks = tasks;
    this.#answers = answers;
    this.#moved = moved;
    tasks.failed = answers.failed = (error) => this.#loseAll(error);
  }

  get waiting(): number {
    return this.#sent.size - this.#begun;
  }

  get outstanding(): number {
    return this.#sent.size;
  }

  get size(): number {
    return this.#size;
  }

  get broken(): BrokenPoolError | undefined {
    return this.#broken;
  }

  submit(unit: Unit): void {
    const number = this.#next++;
    this.#sent.set(number, {
      unit,
      number,
      isBegun: false,
      put: undefined,
      outcomes: new Uint8Array(unit.items.length),
    });
    this.#numbers.set(unit, number);
    this.#count();
    this.#keep();
    this.#listen();
    if (this.#broken !== undefined) {
      const broken = this.#broken;
      return queueMicrotask(() => this.#fail(number, broken));
    }
    // The id of the queue of answers is known once it is open.
    const put = () => {
      const sent = this.#sent.get(number);
      if (unit.isDropped || sent === undefined) return;
      let entry: Buffer;
      try {
        entry = this.#encode(unit, number);
      } catch (error) {
        this.#answered(number);
        return failUnsent(unit, placed(error, unit));
      }
      sent.put = this.#tasks.puts.put([entry], false, Infinity).catch((error) => {
        if (this.#sent.has(number) && !unit.isDropped) failUnsent(unit, error);
      });
    };
    if (this.#answers.id === "") this.#answers.opened.then(put, () => {});
    else queueMicrotask(put); // a client is told nothing before this returns
  }

  #encode(unit: Unit, number: number): Buffer {
    const { call, isSpread, first, items, options: { timeLimit, retries, name } } = unit;
    const { travel } = call;
    if (travel.by !== "reference") throw new TypeError(`${call.name} doesn't travel by reference.`);
    const { module, exportName } = travel.reference;
    const message: UnitMessage = [
      ...[this.#caller, this.#answers.id, number, module, exportName!] as const,
      ...[isSpread, first, timeLimit, retries, name ?? call.name, items] as const,
    ];
    return encodeEntry(message, "message", this.#tasks.wires.options.maxItemBytes);
  }

  settled(unit: Unit): void {
    const number = this.#numbers.get(unit);
    if (number !== undefined) this.#answered(number);
  }

  /** A unit has no outcome to come. */
  #answered(number: number): void {
    const found = this.#sent.get(number);
    if (found === undefined) return;
    this.#sent.delete(number);
    this.#numbers.delete(found.unit);
    if (found.isBegun) this.#begun--;
    if (this.#sent.size === 0) this.#quiet.abort();
    this.#changed();
  }

  #changed(): void {
    this.#changes.changed();
    this.#moved();
  }

  cancel(unit: Unit): void {
    unit.drop();
    const number = this.#numbers.get(unit);
    if (number !== undefined) this.#giveUp(number);
  }

  drop(units: readonly Unit[]): Unit[] {
    for (const unit of units) {
      unit.drop();
      const number = this.#numbers.get(unit);
      // One that has begun may finish.
      if (number !== undefined && !this.#sent.get(number)!.isBegun) this.#giveUp(number);
    }
    return [...units];
  }

  /** Tells the workers that a unit isn't wanted any more, with the others of this turn. */
  #giveUp(number: number): void {
    if (this.#broken !== undefined) return;
    const found = this.#sent.get(number);
    // One that wasn't put yet won't be.
    if (found?.put === undefined) return;
    let entry: Buffer | undefined;
    try {
      // Anew, as a copy of what waits would take its memory: what was changed meanwhile isn't found.
      entry = this.#encode(found.unit, number);
    } catch { // changed into something that can't travel
    }
    this.#unwanted.push({ name: unitName(this.#caller, number), entry, put: found.put });
    if (this.#unwanted.length === 1) queueMicrotask(() => this.#tellUnwanted());
  }

  async #tellUnwanted(): Promise<void> {
    const unwanted = this.#unwanted;
    this.#unwanted = [];
    for (const { put } of unwanted) await put;
    while (unwanted.length > 0) {
      const args: (string | Buffer)[] = [];
      let bytes = 0;
      while (unwanted.length > 0 && args.length < 2 * MAX_TAKEN && bytes < MAX_CALL_BYTES) {
        const { name, entry } = unwanted.shift()!;
        args.push(name, entry ?? "");
        bytes += entry?.length ?? 0;
      }
      this.#tasks.call("giveUp", () => args).catch(() => {});
    }
  }

  isRunning(unit: Unit): boolean {
    const number = this.#numbers.get(unit);
    return number !== undefined && this.#sent.get(number)!.isBegun;
  }

  credit(): void {}

  closeStream(): boolean {
    return false;
  }

  until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    return this.#changes.until(isSo, signal);
  }

  /** A thread beats from now on: a program that computes for long keeps its queue of answers. */
  #keep(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    const { wires } = this.#tasks;
    Promise.all([this.#tasks.opened, this.#answers.opened]).then(() => {
      if (!wires.isClosed) wires.startHelper();
    }).catch(() => {});
  }

  /** Asks how many processes there are. */
  #count(): void {
    const now = performance.now();
    if (now - this.#asked < STAFF_MS) return;
    this.#asked = now;
    this.staff().then((staff) => {
      const processes = staff.reduce((sum, worker) => sum + worker.processes, 0);
      this.#size = processes || GUESSED_SIZE;
    }, () => {});
  }

  /** The workers that are there. */
  async staff(): Promise<WorkerDescription[]> {
    const reply = await this.#tasks.call("staff") as unknown[];
    return reply.filter((_, i) => i % 2 === 1).map((text) => JSON.parse(String(text)));
  }

  /** Takes answers as long as a unit waits for some: that keeps the program alive. */
  async #listen(): Promise<void> {
    if (this.#isListening) return;
    this.#isListening = true;
    if (this.#quiet.signal.aborted) this.#quiet = new AbortController();
    const { signal } = this.#quiet;
    try {
      while (this.#sent.size > 0) {
        await this.#answers.takes.get(MAX_TAKEN, this.#take, Infinity, signal);
      }
    } catch (error) {
      if (!signal.aborted) this.#loseAll(error);
    }
    this.#isListening = false;
    if (this.#sent.size > 0 && this.#broken === undefined) this.#listen();
  }

  readonly #take = (entries: Entry[]): void => {
    for (const { bytes } of entries) {
      for (const answer of itemOf(bytes) as Answer[]) this.#hear(answer);
    }
    this.#answers.takes.acknowledge(entries);
  };

  #hear(answer: Answer): void {
    const found = this.#sent.get(answer[1]);
    if (found === undefined || found.unit.isDropped) return;
    const { unit: { client, first, items }, outcomes } = found;
    switch (answer[0]) {
      case BEGUN:
        if (!found.isBegun) this.#begun++;
        found.isBegun = true;
        client.assigned?.(answer[2]);
        return this.#changed();
      case SENT:
        return client.message?.(answer[2]);
      case RETURNED: {
        const [, , index, value] = answer;
        if (outcomes[index - first]++ > 0) return;
        return client.returned(index, value);
      }
      case FAILED: {
        const [, , index, failure, cause] = answer;
        if (outcomes[index - first]++ > 0) return;
        return client.failed(index, {
          ...failure,
          cause: cause === undefined ? undefined : recreateFailure(cause),
          item: items[index - first],
        });
      }
    }
  }

  /** Fails what has no outcome yet. */
  #fail(number: number, cause: BrokenPoolError): void {
    const found = this.#sent.get(number);
    if (found === undefined) return;
    const { unit, outcomes } = found;
    for (let i = 0; i < unit.items.length && !unit.isDropped; i++) {
      if (outcomes[i]++ > 0) continue;
      unit.client.failed(unit.first + i, {
        ...{ how: "ended", cause, exitCode: 1, limit: undefined, worker: undefined, attempts: 0 },
        item: unit.items[i],
      });
    }
  }

  /** The pool is gone: the server has lost it, it was deleted, or the hub is closed. */
  #loseAll(cause: unknown): void {
    if (this.#broken !== undefined) return;
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#broken = new BrokenPoolError(`The pool can't work any more. ${message}`, { cause });
    for (const number of [...this.#sent.keys()]) this.#fail(number, this.#broken);
    this.#changed();
  }
}

/** An error about a place in the message as one about a place in what the caller gave. */
function placed(error: unknown, { isSpread, items, first }: Unit): unknown {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return error;
  const place = new RegExp(`^message\\[${ITEMS}\\]\\[(\\d+)\\]`).exec(error.message);
  const isCall = isSpread && items.length === 1 && first === 0;
  const given = place === null || isCall ? "args" : `items[${first + Number(place[1])}]`;
  const rest = error.message.slice(place === null ? "message".length : place[0].length);
  if (place === null && !error.message.startsWith("message takes")) return error;
  return error instanceof TypeError ? new TypeError(given + rest) : new RangeError(given + rest);
}
