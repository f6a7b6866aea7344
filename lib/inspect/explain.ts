// The sentences that explain an inspection: for each object that processes wait for in vain, what is missing and
// what would end the wait.

import { describeProcesses, listed } from "./sentences.ts";
import { callOf, harmless, objectOf } from "../wait/describe_wait.ts";
import type { ReadProcess, ReadWait } from "../wait/read_board.ts";
import {
  BARRIER,
  CONDITION,
  CONNECTION,
  EVENT,
  GET,
  JOIN,
  LOCK,
  PROCESS,
  PUT,
  QUEUE,
  RECV,
  RLOCK,
  SEMAPHORE,
} from "../wait/subject.ts";
import type { Seen } from "./read_all.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  each,
  SafeMap,
  StringPrototypeSlice,
} = primordials;

/** An object, and the waits for it. */
interface Waited {
  wait: ReadWait;
  by: ReadProcess[];
}

/** The sentences; none while a process runs that may end the waits, except of locks and ends of processes. */
export function explain(all: Seen[]): string[] {
  const alive = ArrayPrototypeFilter(all, ({ isAlive }) => isAlive);
  const objects = new SafeMap<string, Waited>();
  let isAnyRunning = false;
  for (const { process } of each(alive)) {
    const waits = process.blocked === 0
      ? process.waits
      : ArrayPrototypeFilter(process.waits, ({ row }) => row === process.blocked);
    if (waits.length === 0 && process.more <= 0) isAnyRunning = true;
    for (const wait of each(waits)) {
      const key = `${wait.kind} ${wait.number} ${wait.verb}`, known = objects.get(key);
      if (known === undefined) objects.set(key, { wait, by: [process] });
      else ArrayPrototypePush(known.by, process);
    }
  }
  const sentences: string[] = [];
  for (const waited of objects.values()) {
    const sentence = sentenceFor(waited, all, objects, isAnyRunning);
    if (sentence !== undefined) ArrayPrototypePush(sentences, sentence);
  }
  return sentences;
}

function sentenceFor(
  { wait, by }: Waited,
  all: Seen[],
  objects: Map<string, Waited>,
  isAnyRunning: boolean,
): string | undefined {
  const object = objectOf(wait), ended = endedText(all);
  const isWaited = (verb: number) => objects.has(`${wait.kind} ${wait.number} ${verb}`);
  switch (wait.kind) {
    case LOCK:
    case RLOCK:
      return heldSentence(wait, all);
    case PROCESS:
      return joinSentence(wait, all);
  }
  if (isAnyRunning || wait.checked === 0) return undefined;
  switch (wait.kind) {
    case QUEUE:
      if (wait.verb === GET) {
        return `Nobody puts anything into ${object}, which is empty and open${ended}. ` +
          "If nobody will, call shutdown() on it.";
      }
      if (wait.verb === PUT && !isWaited(GET)) {
        return `Nobody gets from ${object}, which is full${ended}.${joined(by, all)}`;
      }
      if (wait.verb === JOIN) {
        return `${object} has items for which nobody has called taskDone(), or done() of a lease${ended}.`;
      }
      return undefined;
    case CONNECTION:
      return wait.verb === RECV ? pipeSentence(wait, by, all) : undefined;
    case SEMAPHORE:
      return `Nobody releases ${object}, of which ${wait.size} of ${wait.most} permits are free${ended}.`;
    case EVENT:
      return `Nobody has set ${object}${ended}.`;
    case CONDITION:
      return `Nobody has notified ${object}${ended}. If the notification came before the wait, use waitFor().`;
    case BARRIER:
      return `${object} waits for ${wait.most} parties, and ${wait.size} have come${ended}. ` +
        "Have as many call wait(), or give it a timeout.";
  }
  return undefined;
}

/** Which processes have ended; "" if none has. */
function endedText(all: Seen[]): string {
  const ended = ArrayPrototypeFilter(all, ({ isAlive }) => !isAlive);
  return ended.length === 0 ? "" : `; ${describeProcesses(ended)}`;
}

/** What a lock waits for: its holder, and what that one waits for. */
function heldSentence(wait: ReadWait, all: Seen[]): string | undefined {
  const holder = find(all, ({ process }) => process.token === wait.holder);
  if (wait.holder === 0 || holder === undefined || !holder.isAlive) return undefined;
  return `${objectOf(wait)} is held by ${harmless(holder.process.name)}, ${whatItDoes(holder)}.`;
}

function joinSentence(wait: ReadWait, all: Seen[]): string | undefined {
  const child = find(all, ({ process }) => process.pid === wait.number);
  if (child === undefined || !child.isAlive) return undefined;
  const isPutting = ArrayPrototypeSome(
    child.process.waits,
    ({ kind, verb }) => kind === QUEUE && verb === PUT,
  );
  const advice = isPutting ? " Get what it puts first, and join then." : "";
  return `${harmless(child.process.name)}, which is joined, ${
    StringPrototypeSlice(whatItDoes(child), "which ".length)
  }.${advice}`;
}

function pipeSentence(wait: ReadWait, by: ReadProcess[], all: Seen[]): string {
  const holder = find(all, ({ process }) => process.token === wait.holder);
  if (holder === undefined) return `Nobody sends anything through ${objectOf(wait)}.`;
  const name = harmless(holder.process.name);
  if (by[0].token === holder.process.token) {
    return `${name} waits for a message of ${
      objectOf(wait)
    }, and has the other end itself: give that to a ` +
      "process, or close it here.";
  }
  return `Nobody sends anything through ${objectOf(wait)}, whose other end ${name} has.`;
}

/** That a process which waits for room is waited for. */
function joined(by: ReadProcess[], all: Seen[]): string {
  for (const { process, isAlive } of each(all)) {
    if (!isAlive) continue;
    for (const { kind, number } of each(process.waits)) {
      const isOne = ArrayPrototypeSome(by, ({ pid }) => pid === number);
      if (kind === PROCESS && isOne) return "";
    }
  }
  return " Start a process that gets from it, or give the put a timeout.";
}

function find(all: Seen[], test: (seen: Seen) => boolean): Seen | undefined {
  for (const seen of each(all)) if (test(seen)) return seen;
  return undefined;
}

/** "which waits in Queue.get of queue 1", "which runs". */
function whatItDoes({ process }: Seen): string {
  const waits = process.blocked === 0
    ? process.waits
    : ArrayPrototypeFilter(process.waits, ({ row }) => row === process.blocked);
  const calls: string[] = [];
  for (const wait of each(waits)) {
    const call = callOf(wait);
    if (call === "" || calls.length === 3) continue;
    ArrayPrototypePush(calls, `${call} of ${objectOf(wait)}`);
  }
  if (calls.length === 0) return "which runs: no wait of it is known";
  return `which waits in ${listed(calls)}`;
}
