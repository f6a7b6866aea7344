// Operations by themselves: the results of the three faces of an attempt, and that exactly one end of a wait (it is
// done, it fails, its time is up, it is aborted) happens, once, and leaves everything as it should be.
// No time passes but by clock.tick().

import assert from "node:assert/strict";
import { arrives, clock, turn } from "./controlled_time.ts";
import { EventCount, EVENTCOUNT_WORDS, WAIT } from "../../lib/wait/eventcount.ts";
import { blocking, eventually, now, type Operation } from "../../lib/wait/operation.ts";
import { addChore, removeChore } from "../../lib/wait/eventcount.ts";

/** Things to take, and an operation that takes one. */
class Things {
  readonly words = new Int32Array(new SharedArrayBuffer((EVENTCOUNT_WORDS + 1) * 4));
  readonly eventcount: EventCount = this.view();
  /** What happened, in its order. */
  readonly events: string[] = [];
  /** What an attempt throws, once. */
  failure: Error | undefined;

  view(): EventCount {
    return new EventCount(this.words, 0, () => this.count > 0);
  }

  get count(): number {
    return Atomics.load(this.words, EVENTCOUNT_WORDS);
  }

  set count(count: number) {
    Atomics.store(this.words, EVENTCOUNT_WORDS, count);
  }

  give(count: number): void {
    this.count += count;
    this.eventcount.notify(count);
  }

  /** Takes one, at a view; answers its number from the last one down. */
  taking(name = "", eventcount = this.eventcount): Operation<number> {
    const note = (what: string) => void this.events.push(name === "" ? what : `${name} ${what}`);
    return {
      eventcount,
      attempt: () => {
        note("attempt");
        const { failure } = this;
        if (failure !== undefined) {
          this.failure = undefined;
          throw failure;
        }
        if (this.count === 0) return WAIT;
        note("took");
        return this.count--;
      },
      onTimeout: () => {
        note("timeout");
        return -1;
      },
      onCancel: () => note("cancel"),
    };
  }
}

/** The operation whose time being up is an error. */
function throwing(operation: Operation<number>): Operation<number> {
  return {
    ...operation,
    onTimeout: () => {
      operation.onTimeout();
      throw new RangeError("too late");
    },
  };
}

/** A test, after which nobody waits and no timer is left. */
function test(name: string, body: (things: Things) => void | Promise<void>): void {
  Deno.test(`operation: ${name}`, async () => {
    const things = new Things();
    await body(things);
    assert.equal(things.eventcount.waiting, 0);
    assert.equal(clock.countTimers(), 0);
  });
}

/** Each face that may wait, with as much time as is given it; rejects with what it throws. */
const faces: Record<string, (operation: Operation<number>, timeout?: number) => Promise<number>> = {
  eventually: (operation, timeout) => eventually(operation, { timeout }),
  // deno-lint-ignore require-await -- so that what it throws is a rejection
  blocking: async (operation, timeout) => blocking(operation, { timeout }),
};

// What each face answers

for (const [face, run] of Object.entries({ ...faces, now: (o: Operation<number>) => now(o) })) {
  test(`${face}: what can be done is done by one attempt`, async (things) => {
    things.count = 2;
    assert.equal(await run(things.taking()), 2);
    assert.deepEqual(things.events, ["attempt", "took"]);
    assert.equal(things.count, 1);
  });

  test(`${face}: what an attempt throws is thrown, and the operation can be used again`, async (things) => {
    const operation = things.taking();
    for (let round = 0; round < 3; round++) {
      const failure = things.failure = new Error(`failure ${round}`);
      things.count = 1;
      await assert.rejects(async () => await run(operation), failure);
      assert.equal(things.count, 1);
      assert.equal(await run(operation), 1);
    }
    assert.ok(!things.events.includes("cancel"));
  });
}

test("now: what can't be done is what a timeout is, after one attempt", (things) => {
  assert.equal(now(things.taking()), -1);
  assert.throws(() => now(throwing(things.taking())), /too late/);
  assert.deepEqual(things.events, ["attempt", "timeout", "attempt", "timeout"]);
});

for (const [face, run] of Object.entries(faces)) {
  test(`${face}: with a timeout of 0 it doesn't wait`, async (things) => {
    assert.equal(await run(things.taking(), 0), -1);
    await assert.rejects(run(throwing(things.taking()), 0), /too late/);
    assert.deepEqual(things.events, ["attempt", "timeout", "attempt", "timeout"]);
    things.count = 1;
    assert.equal(await run(things.taking(), 0), 1);
  });

  test(`${face}: options that are none are refused before anything is tried`, async (things) => {
    things.count = 1;
    for (const timeout of [-1, NaN, "5", null]) {
      await assert.rejects(
        run(things.taking(), timeout as number),
        /^(Range|Type)Error: timeout is /,
      );
    }
    assert.deepEqual([things.events, things.count], [[], 1]);
  });
}

test("eventually: it never throws, and rejects with the error itself", async (things) => {
  const failure = things.failure = new Error("failure");
  const rejected = eventually(things.taking());
  assert.equal(await rejected.catch((error) => error), failure);
});

test("eventually: a signal that was aborted rejects with its reason before anything is tried", async (things) => {
  things.count = 1;
  for (const reason of [new Error("no longer wanted"), "no error", 0, null]) {
    for (const timeout of [undefined, 0, 5]) {
      const options = { signal: AbortSignal.abort(reason), timeout };
      await eventually(things.taking(), options).then(
        () => assert.fail(),
        (error) => assert.equal(error, reason),
      );
    }
  }
  assert.deepEqual([things.events, things.count], [[], 1]);
});

// Whose turn it is

test("who comes while tasks wait overtakes none of them, by no face", async (things) => {
  const first = eventually(things.taking("first")), second = eventually(things.taking("second"));
  things.count = 2; // nobody has been woken yet
  assert.equal(now(things.taking("now")), -1);
  assert.deepEqual([await first, await second], [2, 1]);
  const third = eventually(things.taking("third"));
  const blocked = blocking(things.taking("blocking"), { timeout: 0 });
  const late = eventually(things.taking("later"), { timeout: 0 });
  things.give(1);
  assert.deepEqual([blocked, await late, await arrives("the wake-up", third)], [-1, -1, 1]);
  for (const name of ["blocking", "later"]) {
    assert.ok(!things.events.includes(`${name} attempt`));
    assert.ok(things.events.includes(`${name} timeout`));
  }
});

test("who comes by `now` lets those who wait go first, and then has what is left", async (things) => {
  const first = eventually(things.taking("first"));
  things.count = 2;
  assert.equal(now(things.taking("now")), 1);
  assert.equal(await first, 2);
});

test("tasks are served in their order, whatever their timeouts", async (things) => {
  const order: string[] = [];
  const all = [undefined, 50, Infinity, 7].map((timeout, i) =>
    eventually(things.taking(), { timeout }).then(() => order.push(`${i}`))
  );
  for (let i = 0; i < 4; i++) {
    things.give(1);
    await turn();
  }
  await arrives("all", Promise.all(all));
  assert.deepEqual(order, ["0", "1", "2", "3"]);
});

// How a wait ends, and only once

test("eventually: it is done when it can be, and its timer and its listener go", async (things) => {
  const stop = new AbortController();
  const done = eventually(things.taking(), { timeout: 5, signal: stop.signal });
  things.give(1);
  assert.equal(await arrives("the wake-up", done), 1);
  clock.tick(10);
  stop.abort();
  await turn();
  assert.deepEqual(things.events.filter((event) => event !== "attempt"), ["took"]);
});

test("eventually: when its time is up it is cancelled, and then says what a timeout is", async (things) => {
  const late = eventually(things.taking(), { timeout: 5 });
  const error = eventually(throwing(things.taking()), { timeout: 6 });
  const failed = assert.rejects(error, /too late/);
  clock.tick(5);
  assert.equal(await late, -1);
  clock.tick(1);
  await failed;
  const ends = things.events.filter((event) => event !== "attempt");
  assert.deepEqual(ends, ["cancel", "timeout", "cancel", "timeout"]);
  things.give(1);
  await turn();
  assert.equal(things.count, 1);
});

test("eventually: aborted, it is cancelled and rejects with the reason, and nothing else", async (things) => {
  for (const reason of [new Error("no longer wanted"), "no error", 0]) {
    const stop = new AbortController();
    const aborted = eventually(things.taking(), { timeout: 5, signal: stop.signal });
    stop.abort(reason);
    clock.tick(5);
    things.give(1);
    assert.equal(await aborted.then(() => assert.fail(), (error) => error), reason);
    assert.equal(things.count, 1);
    things.count = 0;
  }
  const ends = things.events.filter((event) => event !== "attempt");
  assert.deepEqual(ends, ["cancel", "cancel", "cancel"]);
});

test("eventually: one that fails when it is woken is not cancelled, and the next one has its turn", async (things) => {
  const failing = eventually(things.taking("failing")), next = eventually(things.taking("next"));
  const failed = assert.rejects(failing, /failure/);
  things.failure = new Error("failure");
  things.give(1);
  await arrives("the failure", failed);
  assert.equal(await arrives("the wake-up", next), 1);
  assert.ok(!things.events.includes("failing cancel"));
});

/** What can end a wait after its wake-up was sent, and before it has arrived. */
const leavings: Record<string, (stop: AbortController) => void> = {
  "is aborted": (stop) => stop.abort("aborted"),
  "has no more time": () => clock.tick(5),
};

for (const [how, leave] of Object.entries(leavings)) {
  test(`a wake-up for one that ${how} goes on to the next isolate`, async (things) => {
    const stop = new AbortController();
    const gone = eventually(things.taking("gone"), { timeout: 5, signal: stop.signal });
    const other = things.view(), next = eventually(things.taking("next", other));
    things.give(1);
    const { words: [openings] } = things;
    leave(stop);
    assert.equal(things.words[0], openings + 1, "and at once: its thread may block now");
    assert.equal(await gone.catch((reason) => reason), how === "is aborted" ? "aborted" : -1);
    assert.equal(await arrives("the wake-up", next), 1);
    assert.equal(other.waiting, 0);
    assert.ok(!things.events.includes("gone took"));
  });

  test(`a wake-up for one that ${how} is used by the next task of its isolate`, async (things) => {
    const stop = new AbortController();
    const gone = eventually(things.taking("gone"), { timeout: 5, signal: stop.signal });
    const next = eventually(things.taking("next"));
    things.give(1);
    leave(stop);
    await gone.catch(() => {});
    assert.equal(await arrives("the wake-up", next), 1);
  });

  test(`one that took something and then ${how} keeps it`, async (things) => {
    const stop = new AbortController();
    const taker = eventually(things.taking(), { timeout: 5, signal: stop.signal });
    things.count = 1;
    things.eventcount.pump();
    leave(stop);
    assert.equal(await taker, 1);
    assert.deepEqual(things.events.slice(-2), ["attempt", "took"]);
  });
}

for (
  const [first, second] of [["is aborted", "has no more time"], ["has no more time", "is aborted"]]
) {
  test(`of two ends the first counts: one that ${first} and then ${second}`, async (things) => {
    const stop = new AbortController();
    const gone = eventually(things.taking(), { timeout: 5, signal: stop.signal });
    leavings[first](stop);
    leavings[second](stop);
    assert.equal(await gone.catch((reason) => reason), first === "is aborted" ? "aborted" : -1);
    assert.equal(things.events.filter((event) => event === "cancel").length, 1);
  });
}

test("eventually: a wait without end has no timer, nor has one longer than timers can be", async (things) => {
  const before = clock.countTimers();
  const waits = [Infinity, 2 ** 31, Number.MAX_VALUE].map((timeout) =>
    eventually(things.taking(), { timeout })
  );
  // The one by which this isolate looks once a second.
  assert.equal(clock.countTimers(), before + 1);
  const timed = eventually(things.taking(), { timeout: 2 ** 31 - 1 });
  assert.equal(clock.countTimers(), before + 2);
  things.give(4);
  await arrives("all", Promise.all([...waits, timed]));
});

test("eventually: a cancel that throws ends the wait all the same", async (things) => {
  for (const [how, leave] of Object.entries(leavings)) {
    const stop = new AbortController();
    const operation: Operation<number> = {
      ...things.taking(),
      onCancel: () => {
        throw new Error("damaged");
      },
    };
    const gone = eventually(operation, { timeout: 5, signal: stop.signal });
    leave(stop);
    const end = await gone.catch((reason) => reason);
    if (how === "is aborted") assert.equal(end, "aborted");
    else assert.match(`${end}`, /damaged/);
  }
});

test("eventually: an operation that was too late, was aborted or failed can be used again", async (things) => {
  const operation = things.taking();
  for (const leave of Object.values(leavings)) {
    const stop = new AbortController();
    const gone = eventually(operation, { timeout: 5, signal: stop.signal });
    leave(stop);
    await gone.catch(() => {});
    things.failure = new Error("failure");
    await assert.rejects(eventually(operation), /failure/);
    const done = eventually(operation);
    things.give(1);
    assert.equal(await arrives("the wake-up", done), 1);
  }
});

// At several eventcounts

test("at several eventcounts any that opens will do, and then it waits at none", async (things) => {
  const other = new Things();
  const operation = (): Operation<number> => ({
    ...things.taking(),
    others: [other.eventcount],
    attempt: () => things.count + other.count || WAIT,
  });
  for (const opened of [things, other]) {
    const done = eventually(operation());
    assert.deepEqual([things.eventcount.waiting, other.eventcount.waiting], [1, 1]);
    opened.give(1);
    assert.equal(await arrives("the wake-up", done), 1);
    assert.deepEqual([things.eventcount.waiting, other.eventcount.waiting], [0, 0]);
    opened.count = 0;
  }
  const stop = new AbortController();
  const gone = eventually(operation(), { signal: stop.signal });
  stop.abort("aborted");
  assert.equal(await gone.catch((reason) => reason), "aborted");
  assert.deepEqual([things.eventcount.waiting, other.eventcount.waiting], [0, 0]);
  other.count = 1;
  assert.equal(blocking(operation(), { timeout: 5 }), 1);
});

test("one that doesn't take anything overtakes those who wait where it looks", async (things) => {
  const waiting = eventually(things.taking("waiting"));
  things.count = 1;
  const look: Operation<number> = {
    ...things.taking("look"),
    others: [],
    attempt: () => things.count || WAIT,
  };
  assert.equal(now(look), 1);
  assert.equal(await eventually(look), 1);
  things.eventcount.pump();
  assert.equal(await waiting, 1);
});

// The blocking face

/** An operation at whose n-th attempt something happens first. */
function at(operation: Operation<number>, n: number, happens: () => void): Operation<number> {
  let attempts = 0;
  const attempt = () => {
    if (++attempts === n) happens();
    return operation.attempt();
  };
  return { ...operation, attempt };
}

test("blocking: it is done at the first attempt at which it can be", (things) => {
  const operation = at(things.taking(), 4, () => things.count = 1);
  let chores = 0;
  const chore = () => void chores++;
  addChore(chore);
  assert.equal(blocking(operation), 1);
  removeChore(chore);
  assert.deepEqual(things.events.slice(-1), ["took"]);
  assert.ok(chores > 0, "what the event loop would have done was done");
});

test("blocking: when its time is up it is cancelled, and then says what a timeout is", (things) => {
  assert.equal(blocking(at(things.taking(), 4, () => clock.tick(50)), { timeout: 50 }), -1);
  const late = at(throwing(things.taking()), 4, () => clock.tick(50));
  assert.throws(() => blocking(late, { timeout: 50 }), /too late/);
  const ends = things.events.filter((event) => event !== "attempt");
  assert.deepEqual(ends, ["cancel", "timeout", "cancel", "timeout"]);
});

test("blocking: an operation that was too late, or failed, can be used again", (things) => {
  const operation = at(things.taking(), 4, () => clock.tick(50));
  assert.equal(blocking(operation, { timeout: 50 }), -1);
  things.failure = new Error("failure");
  assert.throws(() => blocking(operation, { timeout: 50 }), /failure/);
  things.count = 1;
  assert.equal(blocking(operation, { timeout: 50 }), 1);
});

test("blocking: what is there at the last look is taken, though the time is up", (things) => {
  const operation = at(things.taking(), 4, () => {
    clock.tick(50);
    things.count = 1;
  });
  assert.equal(blocking(operation, { timeout: 50 }), 1);
  assert.ok(!things.events.includes("cancel"));
});

test("blocking: one whose time is up passes its wake-up on", async (things) => {
  const other = things.view(), next = eventually(things.taking("next", other));
  const operation: Operation<number> = {
    ...things.taking("gone"),
    // It was woken for something that comes as its time is up, after its last look.
    attempt: at({ ...things.taking("gone"), attempt: () => WAIT }, 4, () => {
      clock.tick(50);
      things.count = 1;
    }).attempt,
  };
  assert.equal(blocking(operation, { timeout: 50 }), -1);
  assert.equal(await arrives("the wake-up", next), 1);
  assert.equal(other.waiting, 0);
});

test("blocking: tasks of the thread that wait go first", async (things) => {
  const waiting = eventually(things.taking("task"));
  let chores = 0;
  const chore = () => {
    if (++chores === 2) things.count = 2;
  };
  addChore(chore);
  assert.equal(blocking(things.taking("thread")), 1);
  removeChore(chore);
  assert.equal(await waiting, 2);
});

test("blocking: while a thread blocks elsewhere, what its tasks were woken for goes on to others", async (things) => {
  const elsewhere = new Things();
  const here = eventually(things.taking("here"));
  const other = things.view(), next = eventually(things.taking("next", other));
  // What was given can't be used by the task whose thread is blocked; it goes on.
  let chores = 0;
  const chore = () => {
    if (++chores === 1) things.give(1);
    if (chores === 3) elsewhere.count = 1;
  };
  addChore(chore);
  blocking(elsewhere.taking("elsewhere"));
  removeChore(chore);
  const first = await arrives("a wake-up", Promise.race([here, next]));
  assert.equal(first, 1);
  things.give(1);
  await arrives("both", Promise.all([here, next]));
});

// Letting others run

test("operations that never wait let the event loop have its turn", async (things) => {
  let isTurn = false;
  setImmediate(() => isTurn = true);
  for (let i = 0; i < 1_000_000 && !isTurn; i++) {
    clock.tick(0.01);
    things.count = 1;
    await eventually(things.taking());
    things.events.length = 0;
  }
  assert.ok(isTurn);
});

test("a loop that polls in vain lets the event loop have its turn", async (things) => {
  let isTurn = false;
  setImmediate(() => isTurn = true);
  for (let i = 0; i < 1_000_000 && !isTurn; i++) {
    clock.tick(0.01);
    await eventually(throwing(things.taking()), { timeout: 0 }).catch(() => {});
    things.events.length = 0;
  }
  assert.ok(isTurn);
});

test("a thread that polls in vain does its chores", (things) => {
  let chores = 0;
  const chore = () => void chores++;
  addChore(chore);
  for (let i = 0; i < 1000; i++) now(things.taking());
  removeChore(chore);
  assert.equal(chores, 1);
});
