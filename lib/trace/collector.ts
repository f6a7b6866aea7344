// The collector of a trace: takes the events out of the rings of all processes, also of those that have ended, whose
// rings it then gives to others. It keeps no more than MOST_KEPT events, the last ones.

import {
  countRings,
  ENDED,
  headerOf,
  NAMED,
  ON,
  OWNER,
  PID,
  READY,
  Ring,
  STARTED,
  STOPPED,
  TASK_BEGIN,
  TRACE,
  WAIT_END,
  WITHOUT,
} from "../liveness/event_rings.ts";
import { ownProcessTable } from "../liveness/membership.ts";
import { confinedRings, SANDBOXED } from "../liveness/wait_board.ts";
import { readAll } from "../inspect/read_all.ts";
import { harmless } from "../wait/describe_wait.ts";
import { TracedProcesses } from "./processes.ts";
import { RingReader, type TraceEvent } from "./read_ring.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, ArrayPrototypeSplice, Atomics, each, Math, performance, SafeMap } =
  primordials;

/** The most events that are kept until they are written. */
const MOST_KEPT = 500_000;

/** What was collected since the last time, in no order among the processes. */
export interface Collected {
  events: { event: TraceEvent; text: string }[];
}

/** Takes the events of a trace out of the rings. */
export class Collector {
  readonly processes = new TracedProcesses();
  readonly #rings: SharedArrayBuffer;
  readonly #trace: number;
  readonly #origin: number;
  readonly #readers = new SafeMap<number, RingReader>();
  #kept: Collected["events"] = [];
  /** Events that were lost, because they were overwritten or there were too many. */
  dropped = 0;
  readonly droppedBy: Map<number, number> = new SafeMap();
  /** The number of events that were collected. */
  count = 0;

  /** @param origin the time from which events count, in ms since 1970 */
  constructor(rings: SharedArrayBuffer, trace: number, origin: number) {
    this.#rings = rings;
    this.#trace = trace;
    this.#origin = origin;
    for (const { process, isAlive } of each(readAll())) {
      if (!isAlive) continue;
      const traced = this.processes.get(process.pid, Math.max(process.startedAt - origin, 0));
      traced.name = harmless(process.name);
      traced.readyAt = traced.startedAt;
      traced.isConfined = (process.flags & SANDBOXED) !== 0;
    }
  }

  /** The time now, in ms since the trace began. */
  get now(): number {
    return performance.timeOrigin + performance.now() - this.#origin;
  }

  /** Processes for which there was no ring. */
  get without(): number {
    return Atomics.load(headerOf(this.#rings), WITHOUT);
  }

  /** Takes what the rings hold of processes that have ended, or of all, and keeps it. */
  collect(ofAll: boolean): void {
    const table = ownProcessTable(), count = countRings(this.#rings);
    for (let number = 0; number < count; number++) {
      const ring = new Ring(this.#rings, number);
      const owner = Atomics.load(ring.header, OWNER);
      if (owner === 0) continue;
      const isAlive = table.isTokenAlive(owner);
      if (isAlive && !ofAll) continue;
      if (Atomics.load(ring.header, TRACE) === this.#trace) {
        this.#take(owner, () => new RingReader(ring, ring.header[PID], false));
      }
      if (isAlive) continue;
      this.#forget(owner);
      ring.header[TRACE] = 0;
      Atomics.store(ring.header, OWNER, 0);
    }
    for (const { 0: token, 1: { pid, rings } } of confinedRings) {
      const isAlive = table.isTokenAlive(token);
      if (isAlive && !ofAll) continue;
      this.#take(token, () => new RingReader(new Ring(rings, 0), pid, true));
      if (isAlive) continue;
      this.#forget(token);
      confinedRings.delete(token);
    }
  }

  /** Ends what the processes with permissions of their own write. */
  end(): void {
    for (const { rings } of confinedRings.values()) headerOf(rings)[ON] = 0;
    confinedRings.clear();
  }

  #forget(token: number): void {
    const reader = this.#readers.get(token);
    if (reader !== undefined) this.#countDropped(reader);
    this.#readers.delete(token);
  }

  #countDropped(reader: RingReader): void {
    if (reader.dropped === 0) return;
    this.dropped += reader.dropped;
    this.droppedBy.set(reader.pid, (this.droppedBy.get(reader.pid) ?? 0) + reader.dropped);
    reader.dropped = 0;
  }

  #take(token: number, make: () => RingReader): void {
    let reader = this.#readers.get(token);
    if (reader === undefined) this.#readers.set(token, reader = make());
    for (const event of each(reader.read(this.now))) {
      const text = textOf(event);
      const kept = { event, text: text === 0 ? "" : reader.text(text) };
      if (event.type === READY) this.processes.get(event.pid, event.time).readyAt ??= event.time;
      else if (reader.isConfined ? isOwn(event) : this.#learn(event, kept.text)) {
        ArrayPrototypePush(this.#kept, kept);
      }
    }
    this.#countDropped(reader);
    const tooMany = this.#kept.length - MOST_KEPT;
    if (tooMany <= 0) return;
    ArrayPrototypeSplice(this.#kept, 0, tooMany);
    this.dropped += tooMany;
  }

  /** Learns of a process. True: the event is shown, too. */
  #learn({ type, a, b, d, time }: TraceEvent, text: string): boolean {
    if (type === STARTED) {
      const process = this.processes.get(a, time);
      process.startedAt = time;
      process.name = text === "" ? process.name : text;
      process.parent = b;
      process.isConfined = confinedRings.has(d);
    } else if (type === ENDED) {
      const process = this.processes.get(a, time);
      // Its host learns of it later than the process itself.
      if (process.endedAt === undefined || time < process.endedAt) process.endedAt = time;
      process.exitCode ??= b;
      return false;
    }
    return true;
  }

  /** What was collected, which is forgotten here. */
  takeAll(): Collected["events"] {
    const events = this.#kept;
    this.#kept = [];
    this.count += events.length;
    return events;
  }
}

/** Whether an event says something of its own process alone, as far as it is one of a process that may be hostile. */
function isOwn({ type }: TraceEvent): boolean {
  return type !== STARTED && type !== STOPPED && type !== ENDED && type !== NAMED;
}

/** The number of the text that belongs to an event; 0 if it has none. */
function textOf({ type, b, c }: TraceEvent): number {
  switch (type) {
    case STARTED:
    case NAMED:
    case TASK_BEGIN:
      return c;
    case WAIT_END:
      return b;
  }
  return 0;
}
