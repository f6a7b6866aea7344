// Bugs that are put in on purpose: each is a replacement of text in lib/, and is found in one of the
// scenarios that are named. One whose text isn't there any more is an error: write it anew for the code
// there is now. Every real bug that was found and mended comes in here as the code it was.

import type { Bounds } from "./kernel/scenario.ts";
import type { Edit } from "./transform/edit.ts";

/** A bug that is put in. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Where it is found. */
  readonly scenarios: readonly string[];
  readonly bounds?: Partial<Bounds>;
  /** Why it makes no difference; then all scenarios that are named are clean. */
  readonly harmless?: string;
}

const edit = (file: string, from: string, to: string): Edit => ({ file: `lib/${file}`, from, to });

const eventcount: Mutant[] = [
  {
    name: "eventcount: a blocked waiter reads the epoch after its attempt",
    edits: [edit(
      "wait/eventcount.ts",
      `        const seen = Atomics.load(words, epoch + EPOCH);
        const seenFront = Atomics.load(words, epoch + HOT_EPOCH);
        Atomics.add(words, epoch + ARRIVALS, 1);
        this.#due = Infinity;
        if (attempt()) return true;`,
      `        Atomics.add(words, epoch + ARRIVALS, 1);
        this.#due = Infinity;
        if (attempt()) return true;
        const seen = Atomics.load(words, epoch + EPOCH);
        const seenFront = Atomics.load(words, epoch + HOT_EPOCH);`,
    )],
    scenarios: ["queue_1p1g"],
  },
  {
    name: "eventcount: a waiting task reads the epoch after its attempt",
    edits: [edit(
      "wait/eventcount.ts",
      `      const seen = Atomics.load(words, epoch + EPOCH);
      const seenFront = Atomics.load(words, epoch + HOT_EPOCH);
      Atomics.add(words, epoch + ARRIVALS, 1);
      this.#due = Infinity;
      this.#attemptAll();
      if (this.#waiters.length === 0) return;`,
      `      Atomics.add(words, epoch + ARRIVALS, 1);
      this.#due = Infinity;
      this.#attemptAll();
      if (this.#waiters.length === 0) return;
      const seen = Atomics.load(words, epoch + EPOCH);
      const seenFront = Atomics.load(words, epoch + HOT_EPOCH);`,
    )],
    scenarios: ["queue_async"],
  },
  {
    name: "eventcount: a blocked waiter doesn't count its arrival",
    edits: [edit(
      "wait/eventcount.ts",
      "        Atomics.add(words, epoch + ARRIVALS, 1);\n        this.#due = Infinity;\n        if (attempt()) return true;",
      "        this.#due = Infinity;\n        if (attempt()) return true;",
    )],
    scenarios: ["queue_1p1g"],
  },
  {
    name: "eventcount: a nap doesn't count its arrival",
    edits: [edit(
      "wait/eventcount.ts",
      "    Atomics.add(words, epoch + ARRIVALS, 1);\n    if (attempt()) return;\n",
      "    if (attempt()) return;\n",
    )],
    scenarios: ["naps_queue"],
  },
  {
    name: "eventcount: a nap doesn't try once it has counted its arrival",
    edits: [edit(
      "wait/eventcount.ts",
      "    if (attempt()) return;\n    this.#countSleep();",
      "    this.#countSleep();",
    )],
    scenarios: ["naps_queue"],
  },
  {
    name: "eventcount: only the word of the seat is notified",
    edits: [edit(
      "wait/eventcount.ts",
      "    if (left > 0) left -= Atomics.notify(words, epoch + (first ^ HOT_EPOCH), left);\n",
      "",
    )],
    scenarios: ["queue_1p2g"],
  },
  {
    name: "eventcount: SERVED_TICKET is the count of arrivals at the end",
    edits: [edit(
      "wait/eventcount.ts",
      "Atomics.store(words, epoch + SERVED_TICKET, arrivals)",
      "Atomics.store(words, epoch + SERVED_TICKET, Atomics.load(words, epoch + ARRIVALS))",
    )],
    scenarios: ["queue_1p1g"],
  },
  {
    name: "eventcount: a woken isolate with nothing to do keeps the wake-up",
    edits: [edit("wait/eventcount.ts", "    if (this.#waiters.length === 0) this.passOn();\n", "")],
    scenarios: ["queue_timeout", "lock_timeout_async"],
  },
  {
    name: "eventcount: a blocked waiter that leaves passes nothing on",
    edits: [
      edit(
        "wait/eventcount.ts",
        "    } finally {\n      this.passOn();\n    }",
        "    } finally {}",
      ),
    ],
    scenarios: ["queue_1p2g", "queue_batches", "lock_3"],
    harmless:
      "A blocked waiter attempts after each wake-up; only one whose attempt throws keeps it.",
  },
  {
    name:
      "eventcount: a waiter that leaves a held lock doesn't mark it (a wake-up of Lock and RLock was lost)",
    edits: [edit("wait/eventcount.ts", "this.#ready() || this.#mark?.()", "this.#ready()")],
    scenarios: ["lock_timeout_async", "rlock_timeout"],
  },
  {
    name: "eventcount: no look after the spin",
    edits: [edit("wait/eventcount.ts", "    seen ||= this.#ready();\n", "")],
    scenarios: ["queue_faces"],
  },
];

const lock: Mutant[] = [
  {
    name: "lock: one that has waited takes it without WAITED",
    edits: [edit(
      "sync/lock_word.ts",
      "const taken = hasWaited ? this.#token | WAITED : this.#token;",
      "const taken = this.#token;",
    )],
    scenarios: ["lock_3"],
    harmless: "passOn() marks it again: see the next one.",
  },
  {
    name: "lock: one that has waited takes it without WAITED, and passes nothing on",
    edits: [
      edit(
        "sync/lock_word.ts",
        "const taken = hasWaited ? this.#token | WAITED : this.#token;",
        "const taken = this.#token;",
      ),
      edit("wait/eventcount.ts", "this.#ready() || this.#mark?.()", "this.#ready()"),
    ],
    scenarios: ["lock_3"],
  },
  {
    name: "lock: a release wakes nobody",
    edits: [
      edit("sync/lock_word.ts", "    this.eventcount.notify(isReserved ? Infinity : 1);\n", ""),
    ],
    scenarios: ["lock_2"],
  },
  {
    name: "lock: a waiter doesn't mark it",
    edits: [edit(
      "sync/lock_word.ts",
      "      if (holder === 0 || this.#tryTakeFrom(holder, acknowledges)) return true;\n",
      "      return holder === 0 || this.#tryTakeFrom(holder, acknowledges);\n",
    )],
    scenarios: ["lock_2"],
  },
  {
    name: "lock: two reclaim from one dead holder",
    edits: [edit(
      "sync/lock_word.ts",
      "    return Atomics.compareExchange(this.#words, this.#at + HOLDER, found, mine) === found;\n",
      "    return Atomics.store(this.#words, this.#at + HOLDER, mine) === mine;\n",
    )],
    scenarios: ["lock_kill_3", "lock_kill"],
    bounds: { preemptions: 2 },
  },
  {
    name: "lock: nothing says who was told of a death (nobody alive was, when that one died)",
    edits: [edit("sync/lock_word.ts", "    Atomics.store(words, at + TOLD, this.#token);\n", "")],
    scenarios: ["lock_reclaim"],
  },
  {
    name: "lock: who waits for one that is reserved doesn't look when that time is up",
    edits: [edit("sync/lock_word.ts", "      this.eventcount.recheckIn(reserved);\n", "")],
    scenarios: ["condition_timeout"],
    harmless:
      "Who gets the lock ends its reservation. Where a process ends with one, waiters look within a second.",
  },
  {
    name: "rlock: how often a dead holder had taken it is kept",
    edits: [edit("sync/lock_word.ts", "    Atomics.store(words, at + RECURSION, 0);\n", "")],
    scenarios: ["rlock_kill"],
  },
];

const memory: Mutant[] = [
  {
    name: "mutex: a release wakes nobody",
    edits: [edit(
      "liveness/mutex.ts",
      "if ((Atomics.exchange(words, at, FREE) & CONTENDED) !== 0) Atomics.notify(words, at, 1);",
      "Atomics.exchange(words, at, FREE);",
    )],
    scenarios: ["mutex_3"],
  },
  {
    name: "mutex: one that has slept takes it without CONTENDED",
    edits: [edit("liveness/mutex.ts", "held & MARK | CONTENDED;\n    let", "held;\n    let")],
    scenarios: ["mutex_3"],
  },
  {
    name: "mutex: two take it from a dead holder",
    edits: [edit(
      "liveness/mutex.ts",
      "slices >= most && Atomics.compareExchange(words, at, contended, mine) === contended",
      "slices >= most && Atomics.exchange(words, at, mine) !== FREE",
    )],
    scenarios: ["mutex_abrupt"],
  },
  {
    name: "critical: the flag is lowered before the work",
    edits: [
      edit(
        "liveness/critical_section.ts",
        "    work();\n    leave();",
        "    leave();\n    work();",
      ),
    ],
    scenarios: ["mutex_kill"],
  },
  {
    name: "critical: entering doesn't look for an order to end",
    edits: [edit(
      "liveness/critical_section.ts",
      "  if (control.isKilled()) {\n    // deno-fmt-ignore",
      "  if (false) {\n    // deno-fmt-ignore",
    )],
    scenarios: ["host_queue", "host_terminate"],
  },
  {
    name: "process table: an entry is handed on by two stores that readers see",
    edits: [edit(
      "liveness/shared_table.ts",
      "(Atomics.load(words, at + OWNER) & 1) ^ 1;",
      "Atomics.load(words, at + OWNER) & 1;",
    )],
    scenarios: ["process_table_hand_on"],
  },
  {
    name: "process table: one that finds an owner dead doesn't look again",
    edits: [edit(
      "liveness/shared_table.ts",
      `      if (
        Atomics.load(words, at + OWNER) === owner &&
        Atomics.load(words, at + OWNER_GENERATION + (owner & 1)) === ownerGeneration
      ) return false;`,
      "      return false;",
    )],
    scenarios: ["process_table_hand_on"],
  },
  {
    name: "process table: an entry is removed twice",
    edits: [edit(
      "liveness/shared_table.ts",
      "if ((generation & 1) === 0 || Atomics.load(words, at + GENERATION) !== generation) return;",
      "if ((generation & 1) === 0) return;",
    )],
    scenarios: ["process_table_lost", "process_table_again"],
  },
];

const queue: Mutant[] = [
  {
    name:
      "ring: TAIL is there once (after a putter that ended anywhere, an item was lost for good)",
    edits: [
      edit(
        "shm/mpmc_ring.ts",
        "const put = header[PUT_COUNT], valid = put & 1, next = valid ^ 1;",
        "const put = header[PUT_COUNT], valid = 0, next = 0;",
      ),
      edit(
        "shm/mpmc_ring.ts",
        "const tail = header[TAIL + (header[PUT_COUNT] & 1)];",
        "const tail = header[TAIL];",
      ),
    ],
    scenarios: ["queue_abrupt_putter"],
  },
  {
    name: "ring: HEAD is there once (after a taker that ended anywhere, the queue was damaged)",
    edits: [
      edit(
        "shm/mpmc_ring.ts",
        "    const valid = (got ^ seen) & FLIP, next = valid ^ 1;\n    let head",
        "    const valid = 0, next = 0;\n    let head",
      ),
      edit("shm/mpmc_ring.ts", "valid = (got ^ this.#seen) & FLIP;", "valid = 0;"),
    ],
    scenarios: ["queue_abrupt_getter"],
  },
  {
    name: "ring: growing tells of HEAD and of the room by two stores",
    edits: [edit(
      "shm/mpmc_ring.ts",
      "Atomics.store(header, HEAD + next, isWrapped ? head + up : head);",
      "Atomics.store(header, HEAD + valid, isWrapped ? head + up : head);\n" +
        "          Atomics.store(header, HEAD + next, isWrapped ? head + up : head);",
    )],
    scenarios: ["queue_abrupt_growth_wrapped"],
  },
  {
    name: "ring: the unfinished are counted by a store of their own (join waited for ever)",
    edits: [
      edit(
        "shm/mpmc_ring.ts",
        "Atomics.load(this.header, this.#isDropped ? GOT_COUNT : PUT_COUNT)",
        "Atomics.load(this.header, FINISHED + 1)",
      ),
      edit(
        "shm/mpmc_ring.ts",
        "    Atomics.store(header, PUT_COUNT, (put + count) | 0);\n",
        "    Atomics.add(header, FINISHED + 1, count);\n    Atomics.store(header, PUT_COUNT, (put + count) | 0);\n",
      ),
    ],
    scenarios: ["queue_abrupt_joinable"],
  },
  {
    name: "ring: a batch that is put may be an even number of records",
    edits: [edit("shm/mpmc_ring.ts", "      if (((next - from) & 1) !== 0) continue;\n", "")],
    scenarios: ["queue_abrupt_batches"],
  },
  {
    name: "ring: a batch that is taken may be an even number of records",
    edits: [edit("shm/mpmc_ring.ts", "      if ((i & 1) !== 0) continue;\n", "")],
    scenarios: ["queue_abrupt_batches"],
  },
  {
    name: "queue: a batch wakes one getter only",
    edits: [
      edit(
        "queue/shared/store.ts",
        "        this.notEmpty.notify(count);",
        "        this.notEmpty.notify(1);",
      ),
    ],
    scenarios: ["queue_batches_async"],
    harmless: "The one that is woken passes on what it leaves.",
  },
  {
    name: "queue: the last taskDone wakes nobody",
    edits: [
      edit("queue/shared/store.ts", "    if (left === 0) this.allDone.notify(Infinity);\n", ""),
    ],
    scenarios: ["queue_joinable"],
  },
  {
    name: "queue: a put wakes nobody",
    edits: [edit("queue/shared/store.ts", "        this.notEmpty.notify(1);\n", "")],
    scenarios: ["queue_1p1g"],
  },
];

const pipe: Mutant[] = [
  {
    name: "pipe: a receiver that finds the sender gone doesn't look again",
    edits: [edit(
      "pipe/endpoint.ts",
      "        length = queue.peek();\n        if (length === EMPTY) throw ended(",
      "        throw ended(",
    )],
    scenarios: ["pipe_close", "pipe_kill_sender"],
  },
  {
    name: "pipe: receiving tells nobody of the room",
    edits: [edit("pipe/endpoint.ts", "      notFull.notify(1);\n", "")],
    scenarios: ["pipe_bounded"],
  },
  {
    name: "pipe: a full queue can't be told from an empty one",
    edits: [
      edit(
        "shm/spsc_queue.ts",
        "units <= rest ? units : rest + units) + 1",
        "units <= rest ? units : rest + units)",
      ),
    ],
    scenarios: ["pipe_growing", "pipe_long"],
  },
  {
    name: "pipe: the record is taken before its position is told",
    edits: [edit(
      "shm/spsc_queue.ts",
      `    Atomics.store(header, GOT_POSITION, this.position);
    Atomics.store(header, GOT_COUNT, this.count);`,
      `    Atomics.store(header, GOT_COUNT, this.count);
    Atomics.store(header, GOT_POSITION, this.position);`,
    )],
    scenarios: ["pipe_growing"],
    harmless: "The sender looks at both, and finds room a little later.",
  },
];

const others: Mutant[] = [
  {
    name: "event: who waited when it was set and cleared sleeps on",
    edits: [edit("sync/event.ts", "(state + ONCE) | UP", "state | UP")],
    scenarios: ["event_pulse"],
  },
  {
    name: "event: set wakes nobody",
    edits: [edit("sync/event.ts", "    this.#eventcount.notify(Infinity);\n", "")],
    scenarios: ["event_2"],
  },
  {
    name: "semaphore: a release wakes one where another has reserved the permit",
    edits: [edit(
      "sync/semaphore_state.ts",
      "if (isMore) this.eventcount.notify(this.#reservation.beginForAnother() ? Infinity : 1);",
      "if (isMore) this.eventcount.notify(1);",
    )],
    scenarios: ["semaphore_reserved"],
  },
  {
    name: "semaphore: a release writes the row before VALUE (a permit was lost with its holder)",
    edits: [edit(
      "sync/semaphore_state.ts",
      `      Atomics.add(words, VALUE, 1);
      if (mine >= 0) this.#table.add(mine, HELD, -1);`,
      `      if (mine >= 0) this.#table.add(mine, HELD, -1);
      Atomics.add(words, VALUE, 1);`,
    )],
    scenarios: ["semaphore_abrupt"],
  },
  {
    name: "semaphore: nobody does what is left of freeing a dead holder's permits",
    edits: [edit(
      "sync/semaphore_state.ts",
      "this.#finishReclaiming();\n      this.#survey();",
      "this.#dead = -1;\n      this.#survey();",
    )],
    scenarios: ["semaphore_abrupt_reclaim"],
  },
  {
    name: "barrier: nobody does what is left of a round (one passed, for the other it was broken)",
    edits: [edit(
      "sync/barrier_state.ts",
      "      if (Atomics.load(this.#shared.words, STEP) !== 0) this.#finishStep();\n",
      "",
    )],
    scenarios: ["barrier_abrupt_tasks"],
  },
  {
    name: "condition: the notification of a dead waiter goes to nobody",
    edits: [
      edit("sync/condition_queue.ts", "      if (!isNotified()) this.#passOnFromDead();\n", ""),
    ],
    scenarios: ["condition_kill"],
  },
  {
    name: "condition: notify wakes nobody",
    edits: [
      edit(
        "sync/condition_queue.ts",
        "    this.#wake();\n  }\n\n  /** Under the table's lock. */",
        "  }\n\n  /** Under the table's lock. */",
      ),
    ],
    scenarios: ["condition"],
  },
  {
    name: "host: it doesn't wait until the process is outside of critical sections",
    edits: [edit(
      "host/supervisor.ts",
      "isPatient && !this.#areOutside()",
      "false",
    )],
    scenarios: ["host_queue"],
  },
  {
    name: "host: it looks before it gives the order",
    edits: [edit(
      "host/supervisor.ts",
      "    this.#control.requestKill(this.#order);\n    this.#checkLoaded();\n    this.#advance(STOPPING);\n    this.#stopOutside();\n",
      "    this.#checkLoaded();\n    this.#advance(STOPPING);\n    this.#stopOutside();\n    this.#control.requestKill(this.#order);\n",
    )],
    scenarios: ["host_loaded"],
  },
];

const leases: Mutant[] = [
  {
    name: "leases: the finished ones are counted after all are",
    edits: [edit(
      "shm/mpmc_ring.ts",
      `    const leased = Atomics.load(this.header, LEASES_FINISHED);
    const all = Atomics.load(this.header, this.#isDropped ? GOT_COUNT : PUT_COUNT);
`,
      `    const all = Atomics.load(this.header, this.#isDropped ? GOT_COUNT : PUT_COUNT);
    const leased = Atomics.load(this.header, LEASES_FINISHED);
`,
    )],
    scenarios: ["leases_count"],
  },
  {
    name: "leases: a lease is written only after its record was taken",
    edits: [edit("shm/lease_table.ts", "    table.set(row, STATE, TAKING);\n", "")],
    scenarios: ["leases_abrupt_lease"],
  },
  {
    name: "leases: a record that was being taken counts as taken",
    edits: [edit("shm/lease_table.ts", "isTaken ? stateOf(TAKEN, 1) : FREE", "stateOf(TAKEN, 1)")],
    scenarios: ["leases_abrupt_lease"],
  },
  {
    name: "leases: a get takes from the ring while records are leased",
    edits: [edit(
      "shm/mpmc_ring.ts",
      "length = header[LEASING] !== 0 ? LEASED : this.#takeOne(into, 0);",
      "length = this.#takeOne(into, 0);",
    )],
    scenarios: ["leases_abrupt_get"],
  },
  {
    name: "leases: a finished record is counted, and then its row is freed, without a note",
    edits: [edit(
      "shm/lease_table.ts",
      "    Atomics.store(this.#words, FINISHING, row + 1);\n    this.#applyFinishing();",
      `    this.#ring.leasesFinished = Atomics.load(this.#words, NEXT_FINISHED);
    this.#table.set(row, STATE, FREE);`,
    )],
    scenarios: ["leases_abrupt_lease"],
  },
  {
    name: "leases: a letter is put, and then its row is freed, without a note",
    edits: [
      edit("shm/lease_table.ts", "        table.set(row, STATE, stateOf(BURYING, attempt));\n", ""),
    ],
    scenarios: ["leases_abrupt_letter"],
  },
  {
    name: "leases: an item that comes back wakes nobody",
    edits: [edit("queue/shared/leases.ts", "      this.#store.notEmpty.notify(count);\n", "")],
    scenarios: ["leases_give_back"],
  },
  {
    name: "leases: the last item that is done wakes nobody",
    edits: [edit(
      "queue/shared/leases.ts",
      "    if (ring.unfinished <= 0) allDone.notify(Infinity);\n",
      "",
    )],
    scenarios: ["leases_2w"],
  },
  {
    name: "leases: an item of a dead process stays with it",
    edits: [edit(
      "shm/lease_table.ts",
      "if (token === known || this.#isAlive(token)) known = token;",
      "if (token >= 0) known = token;",
    )],
    scenarios: ["leases_async"],
  },
];

export const mutants: readonly Mutant[] = [
  ...leases,
  ...eventcount,
  ...lock,
  ...memory,
  ...queue,
  ...pipe,
  ...others,
];
