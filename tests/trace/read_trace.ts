// Reads the text of a trace, and checks what holds of every trace.

import assert from "node:assert/strict";
import type { TraceOptions } from "../../lib/trace/trace.ts";
import type { ChromeEvent } from "../../lib/trace/chrome_events.ts";

/** The text of a trace as a value. */
export interface TraceFile {
  traceEvents: ChromeEvent[];
  otherData: {
    events: number;
    droppedEvents: number;
    droppedByProcess: Record<string, number>;
    processesWithoutRing: number;
  };
}

/** A stream for a trace, and what was written to it. */
export function memory(): { options: TraceOptions; read(): TraceFile } {
  const decoder = new TextDecoder();
  let text = "", isClosed = false;
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) => {
      text += decoder.decode(bytes, { stream: true });
    },
    close: () => {
      isClosed = true;
    },
  });
  return {
    options: { writable },
    read: () => {
      assert.ok(isClosed, "the stream is closed");
      const file: TraceFile = JSON.parse(text);
      check(file);
      return file;
    },
  };
}

/** Checks what holds of every trace: begins have ends, arrows both ends, slices lie in each other, names are clean. */
export function check({ traceEvents, otherData }: TraceFile): void {
  assert.equal(typeof otherData.droppedEvents, "number");
  const open = new Map<string, ChromeEvent>(), arrows = new Map<string, ChromeEvent>();
  const begins = new Set<string>();
  const named = new Set<number>(), slices = new Map<number, ChromeEvent[]>();
  for (const event of traceEvents) {
    const { ph, pid, id, cat, ts } = event, key = `${cat} ${id}`;
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(JSON.stringify(event), /\\u00[01]|[\u0000-\u001f]/);
    if (ph === "M") {
      if (event.name === "process_name") named.add(pid);
      continue;
    }
    assert.ok(ts !== undefined && ts >= 0, JSON.stringify(event));
    assert.ok(named.has(pid), `process ${pid} is named before ${JSON.stringify(event)}`);
    if (ph === "b") {
      assert.ok(!open.has(key));
      open.set(key, event);
    } else if (ph === "e") {
      const begin = open.get(key);
      assert.ok(begin?.pid === pid && begin.name === event.name && begin.ts! <= ts, key);
      open.delete(key);
    } else if (ph === "s") {
      assert.ok(!arrows.has(key), key);
      arrows.set(key, event);
    } else if (ph === "X") {
      assert.ok(event.dur! >= 0);
      const all = slices.get(pid);
      if (all === undefined) slices.set(pid, [event]);
      else all.push(event);
      begins.add(`${pid} ${ts}`);
    }
  }
  assert.deepEqual([...open.values()], []);
  for (const event of traceEvents) {
    if (event.ph !== "f") continue;
    const key = `${event.cat} ${event.id}`, begin = arrows.get(key);
    assert.ok(begin !== undefined && begin.ts! <= event.ts!, key);
    arrows.delete(key);
    for (const { pid, ts } of [begin, event]) {
      assert.ok(begins.has(`${pid} ${ts}`), `both ends of ${key} are at slices`);
    }
  }
  assert.deepEqual([...arrows.values()], []);
  for (const all of slices.values()) checkNesting(all);
}

/** Slices of one thread lie in each other, or beside each other. */
function checkNesting(slices: ChromeEvent[]): void {
  const around: number[] = [];
  slices.sort((one, other) => one.ts! - other.ts! || other.dur! - one.dur!);
  for (const { ts, dur, name } of slices) {
    while (around.length > 0 && around.at(-1)! <= ts!) around.pop();
    assert.ok(
      around.length === 0 || ts! + dur! <= around.at(-1)! + 0.002,
      `${name} at ${ts} ends with what it lies in`,
    );
    around.push(ts! + dur!);
  }
}

/** The pid of the process with a name. */
export function pidOf({ traceEvents }: TraceFile, name: string): number {
  const found = traceEvents.find((it) => it.ph === "M" && it.args?.name === name);
  assert.ok(found, `${name} is in the trace`);
  return found.pid;
}
