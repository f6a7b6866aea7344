// Chrome trace events, as Perfetto and chrome://tracing open them ("Trace Event Format"), made of the events that the
// processes have recorded. Each process of this library is a process of the trace with one thread. What blocks the
// thread is a slice of it (X), and lies within the slice of the process; what may overlap (awaited waits, locks, tasks)
// is a pair of asynchronous events (b, e); an item on its way is an arrow (s, f) between two short slices.
//
// Times are microseconds since the trace began, in all processes.

import {
  ABANDONED,
  ACQUIRED,
  CLEARED,
  DEADLOCK,
  GET,
  HEAP,
  NAMED,
  PUT,
  RECV,
  RELEASED,
  SEND,
  STARTED,
  STOPPED,
  TASK_BEGIN,
  TASK_END,
  WAIT_BEGIN,
  WAIT_END,
} from "../liveness/event_rings.ts";
import { BLOCKING } from "../liveness/wait_board.ts";
import { callOf, objectOf, placeOf } from "../wait/describe_wait.ts";
import { KINDS, QUEUE } from "../wait/subject.ts";
import { Arrows, MOST_ITEMS } from "./arrows.ts";
import type { Collected } from "./collector.ts";
import type { TracedProcess, TracedProcesses } from "./processes.ts";
import { QueueLengths } from "./queue_lengths.ts";
import type { TraceEvent } from "./read_ring.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePop,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  ArrayPrototypeSort,
  each,
  Math,
  Number,
  SafeMap,
} = primordials;

/** An event of a Chrome trace. */
export interface ChromeEvent {
  name: string;
  ph: "X" | "b" | "e" | "s" | "f" | "C" | "i" | "M";
  cat?: string;
  ts?: number;
  dur?: number;
  pid: number;
  tid?: number;
  id?: string;
  bp?: "e";
  s?: "t" | "p";
  args?: Record<string, unknown>;
}

/** How long the slice of an item is, in microseconds: less than the least time between two events. */
const ITEM_MICRO = 0.01;
const TERMINATED = 15;

/** What a process does at the moment. */
interface Open {
  waits: Map<number, OpenWait>;
  tasks: Map<number, string>;
  locks: Map<string, string[]>;
  startedShown: boolean;
}

interface OpenWait {
  name: string;
  on: string;
  since: number;
  isBlocking: boolean;
  id: string;
}

/** A copy, which can be ended while the other goes on. */
function copyOf({ waits, tasks, locks, startedShown }: Open): Open {
  const copy: Open = { waits: new SafeMap(), tasks, locks: new SafeMap(), startedShown };
  for (const { 0: row, 1: wait } of waits) copy.waits.set(row, wait);
  for (const { 0: key, 1: ids } of locks) copy.locks.set(key, ArrayPrototypeSlice(ids));
  return copy;
}

/** Makes the events of a Chrome trace. */
export class ChromeEvents {
  readonly #processes: TracedProcesses;
  readonly #main: number;
  readonly #names = new SafeMap<string, string>();
  #open: Map<number, Open> = new SafeMap();
  readonly #arrows = new Arrows();
  readonly #lengths = new QueueLengths();
  #ids = 0;
  #out: ChromeEvent[] = [];

  /** @param main the pid of the process that queues are shown in */
  constructor(processes: TracedProcesses, main: number) {
    this.#processes = processes;
    this.#main = main;
  }

  /** The events for what was collected since the last call. */
  add(collected: Collected["events"], now: number): ChromeEvent[] {
    this.#out = [];
    for (const { event, text } of each(collected)) {
      if (event.type === NAMED) this.#noteName(event, text);
    }
    for (const process of this.#processes.all.values()) this.#name(process);
    this.#arrows.putInOrder(collected);
    ArrayPrototypeSort(collected, (one, other) => one.event.time - other.event.time);
    for (let i = 0; i < collected.length; i++) this.#show(collected[i].event, collected[i].text);
    this.#endProcesses(now);
    return this.#taken();
  }

  /** The events that end what goes on when the trace stops. */
  finish(now: number): ChromeEvent[] {
    this.#out = [];
    for (const process of this.#processes.all.values()) {
      if (!process.isClosed) this.#close(process, process.endedAt ?? now);
    }
    for (const { 0: number, 1: length } of this.#lengths.last()) this.#count(number, length, now);
    return this.#taken();
  }

  /** The same, as it would be now; all goes on as if it hadn't been called. */
  preview(now: number): ChromeEvent[] {
    const open = this.#open, goOn: TracedProcess[] = [];
    this.#open = new SafeMap();
    for (const { 0: pid, 1: known } of open) this.#open.set(pid, copyOf(known));
    for (const process of this.#processes.all.values()) {
      if (!process.isClosed) ArrayPrototypePush(goOn, process);
    }
    const events = this.finish(now);
    this.#open = open;
    for (const process of each(goOn)) process.isClosed = false;
    return events;
  }

  #taken(): ChromeEvent[] {
    const out = this.#out;
    this.#out = [];
    return ArrayPrototypeSort(out, (one, other) => (one.ts ?? -1) - (other.ts ?? -1));
  }

  #noteName({ a: kind, b: number, d: got }: TraceEvent, name: string): void {
    if (name !== "") this.#names.set(`${kind}:${number}`, name);
    if (kind === QUEUE) this.#lengths.know(number, got);
  }

  /** The name of an object, as inspect() has it. */
  #label(kind: number, number: number): string {
    return objectOf({ kind, number, name: this.#names.get(`${kind}:${number}`) ?? "" });
  }

  #openOf(pid: number): Open {
    let open = this.#open.get(pid);
    if (open === undefined) {
      open = {
        waits: new SafeMap(),
        tasks: new SafeMap(),
        locks: new SafeMap(),
        startedShown: false,
      };
      this.#open.set(pid, open);
    }
    return open;
  }

  #push(event: ChromeEvent): void {
    ArrayPrototypePush(this.#out, event);
  }

  #async(
    ph: "b" | "e",
    cat: string,
    name: string,
    id: string,
    pid: number,
    ms: number,
    args?: Record<string, unknown>,
  ): void {
    this.#push({ name, cat, ph, id, pid, tid: pid, ts: micro(ms), ...args && { args } });
  }

  #instant(name: string, pid: number, ms: number, args?: Record<string, unknown>): void {
    this.#push({
      ...{ name, cat: "end", ph: "i", s: "p", pid, tid: pid, ts: micro(ms) },
      ...args && { args },
    });
  }

  #name(process: TracedProcess): void {
    if (process.isNamed) return;
    process.isNamed = true;
    const { pid, name } = process;
    this.#push({ name: "process_name", ph: "M", pid, tid: pid, args: { name } });
    this.#push({ name: "thread_name", ph: "M", pid, tid: pid, args: { name } });
    const sort_index = pid === this.#main ? -1 : Math.round(process.startedAt);
    this.#push({ name: "process_sort_index", ph: "M", pid, tid: pid, args: { sort_index } });
  }

  #show(event: TraceEvent, text: string): void {
    const { pid, type, a, b, time } = event;
    switch (type) {
      case PUT:
      case GET:
      case SEND:
      case RECV:
        return this.#showItems(event);
      case WAIT_BEGIN:
        return this.#beginWait(event);
      case WAIT_END:
        return this.#endWait(pid, a, time, text);
      case ACQUIRED:
        return this.#acquired(pid, a, b, time);
      case RELEASED:
        return this.#released(pid, a, b, time);
      case ABANDONED:
        return this.#instant("AbandonedLockError", pid, time, { on: this.#label(a, b) });
      case DEADLOCK:
        return this.#instant("DeadlockError", pid, time, { on: this.#label(a, b) });
      case TASK_BEGIN: {
        const id = `${pid}.${a}.${++this.#ids}`;
        this.#openOf(pid).tasks.set(a, `${id} ${text}`);
        return this.#async("b", "task", text, id, pid, time, { task: a, index: b });
      }
      case TASK_END: {
        const open = this.#openOf(pid).tasks, known = open.get(a);
        if (known === undefined) return;
        open.delete(a);
        return this.#endTask(pid, known, time, { outcome: b === 0 ? "returned" : "threw" });
      }
      case STARTED:
        return this.#showStart(pid, a, time);
      case STOPPED:
        return this.#instant(b === TERMINATED ? "terminate" : "kill", a, time, { signal: b });
      case HEAP:
        return this.#push({
          ...{ name: "heap", ph: "C", pid, tid: pid, ts: micro(time) },
          args: { MB: Math.round(a / 102.4) / 10 },
        });
      case CLEARED:
        if (a !== QUEUE) return;
        this.#lengths.clear(b);
        return this.#count(b, 0, time);
    }
  }

  #showItems(event: TraceEvent): void {
    const { pid, isConfined, type, a: kind, b: number, c: position, d: count, time } = event;
    const isOut = type === GET || type === RECV;
    if (!(KINDS[kind] !== undefined && number >= 0 && count > 0 && count <= MOST_ITEMS)) return;
    const name = NAMES[type], on = this.#label(kind, number), ts = micro(time);
    const args = { on, ...count > 1 && { items: count } };
    this.#push({ name, cat: "item", ph: "X", pid, tid: pid, ts, dur: ITEM_MICRO, args });
    if (number === 0) return;
    for (let i = 0; i < count; i++) {
      const id = `${kind}.${number}.${(position + i) >>> 0}`;
      const begin = this.#arrows.arrow(id, isOut, { pid, ts }, isConfined);
      if (begin === undefined) continue;
      const { pid: from, ts: at } = begin, arrow = KINDS[kind] ?? "";
      this.#push({ name: arrow, cat: "item", ph: "s", id, pid: from, tid: from, ts: at });
      this.#push({ name: arrow, cat: "item", ph: "f", bp: "e", id, pid, tid: pid, ts });
    }
    if (kind !== QUEUE) return;
    const upTo = (position + count) | 0;
    if (isConfined && !this.#lengths.isLikely(number, isOut, upTo)) return;
    const length = this.#lengths.change(number, isOut, upTo, time);
    if (length !== undefined) this.#count(number, length, time);
  }

  #count(number: number, items: number, ms: number): void {
    const name = this.#label(QUEUE, number), pid = this.#main;
    this.#push({ name, ph: "C", pid, tid: pid, ts: micro(ms), args: { items } });
  }

  #beginWait({ pid, a, b: kind, c: number, d: verb, time }: TraceEvent): void {
    const row = a & 0xff, way = a >>> 8;
    const known = this.#openOf(pid).waits;
    if (known.has(row)) this.#endWait(pid, row, time, "");
    const name = callOf({ kind, verb, way });
    const on = KINDS[kind] === undefined || kind === 0 || number < 0
      ? ""
      : this.#label(kind, number);
    const id = `${pid}.${++this.#ids}`, isBlocking = (way & BLOCKING) !== 0;
    const wait = { name: name === "" ? "wait" : name, on, since: time, isBlocking, id };
    known.set(row, wait);
    if (!isBlocking) this.#async("b", "wait", wait.name, id, pid, time, { on });
  }

  #endWait(pid: number, row: number, time: number, site: string, outcome?: string): void {
    const open = this.#openOf(pid).waits, wait = open.get(row);
    if (wait === undefined) return;
    open.delete(row);
    const { name, id, on, since, isBlocking } = wait, at = placeOf(site)?.at;
    const args = { ...on !== "" && { on }, ...at && { at }, ...outcome && { outcome } };
    if (!isBlocking) return this.#async("e", "wait", name, id, pid, time, args);
    const ts = micro(since), dur = Math.max(micro(time) - ts, 0);
    this.#push({ name, cat: "wait", ph: "X", pid, tid: pid, ts, dur, args });
  }

  #acquired(pid: number, kind: number, number: number, time: number): void {
    if (KINDS[kind] === undefined || number < 0) return;
    const key = `${kind}.${number}`, { locks } = this.#openOf(pid);
    const ids = locks.get(key) ?? [], id = `${pid}.${++this.#ids}`;
    ArrayPrototypePush(ids, id);
    locks.set(key, ids);
    this.#async("b", "lock", this.#label(kind, number), id, pid, time);
  }

  #released(pid: number, kind: number, number: number, time: number, outcome?: string): void {
    const id = ArrayPrototypePop(this.#openOf(pid).locks.get(`${kind}.${number}`) ?? []);
    if (id === undefined) return;
    const args = outcome === undefined ? undefined : { outcome };
    this.#async("e", "lock", this.#label(kind, number), id, pid, time, args);
  }

  #endTask(pid: number, known: string, time: number, args: Record<string, unknown>): void {
    const at = primordials.StringPrototypeIndexOf(known, " ");
    const id = primordials.StringPrototypeSlice(known, 0, at);
    this.#async("e", "task", primordials.StringPrototypeSlice(known, at + 1), id, pid, time, args);
  }

  #showStart(pid: number, child: number, time: number): void {
    const process = this.#processes.all.get(child);
    if (process === undefined) return;
    const name = `start ${process.name}`, id = `start.${child}`, ts = micro(time);
    const dur = ITEM_MICRO;
    this.#push({ name, cat: "process", ph: "X", pid, tid: pid, ts, dur, args: { pid: child } });
    this.#push({ name: "start", cat: "process", ph: "s", id, pid, tid: pid, ts });
    this.#push({
      ...{ name: "start", cat: "process", ph: "f", bp: "e", id },
      ...{ pid: child, tid: child, ts: micro(process.startedAt) },
    });
  }

  #endProcesses(now: number): void {
    for (const process of this.#processes.all.values()) {
      const { endedAt, isClosed } = process;
      if (endedAt !== undefined && endedAt <= now && !isClosed) this.#close(process, endedAt);
    }
  }

  /** Ends what a process does, at its end or that of the trace, and shows the process itself. */
  #close(process: TracedProcess, until: number): void {
    process.isClosed = true;
    const { pid, name, startedAt, readyAt, exitCode, endedAt, parent } = process;
    const open = this.#openOf(pid);
    const outcome = endedAt === undefined ? "goes on" : "the process has ended";
    for (const row of open.waits.keys()) this.#endWait(pid, row, until, "", outcome);
    for (const { 0: key, 1: ids } of open.locks) {
      const at = primordials.StringPrototypeIndexOf(key, ".");
      const kind = Number(primordials.StringPrototypeSlice(key, 0, at));
      const number = Number(primordials.StringPrototypeSlice(key, at + 1));
      while (ids.length > 0) this.#released(pid, kind, number, until, outcome);
    }
    for (const known of open.tasks.values()) this.#endTask(pid, known, until, { outcome });
    this.#open.delete(pid);
    const ts = micro(startedAt), dur = Math.max(micro(until) - ts, 0);
    const args = {
      ...{ pid, name },
      ...parent !== 0 && { parent },
      ...endedAt !== undefined && { exitCode },
      ...process.isConfined && { sandboxed: true },
    };
    this.#push({ name, cat: "process", ph: "X", pid, tid: pid, ts, dur, args });
    if (readyAt === undefined || readyAt <= startedAt) return;
    const loading = Math.max(Math.min(micro(readyAt), micro(until)) - ts, 0);
    this.#push({ name: "loading", cat: "process", ph: "X", pid, tid: pid, ts, dur: loading });
  }
}

const NAMES: readonly string[] = ["", "put", "get", "send", "recv"];

/** Milliseconds as microseconds, to the nanosecond. */
function micro(ms: number): number {
  return Math.round(ms * 1e6) / 1000;
}
