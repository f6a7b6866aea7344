// The eventcount by itself: the order in which sleepers wake, and that no wake-up is lost, doubled or kept by
// a waiter that can't use it. Several views of the same words in one isolate behave as those of several isolates.
// No time passes but by clock.tick().

import assert from "node:assert/strict";
import { arrives, clock, realNow, turn } from "./controlled_time.ts";
import {
  addChore,
  EventCount,
  EVENTCOUNT_WORDS,
  recheck,
  removeChore,
  type Waiter,
} from "../../lib/wait/eventcount.ts";

/** The words of an eventcount: see the comment of its file. */
const EPOCH = 0, ARRIVALS = 1, SERVED = 2, SPINNER = 3, HOT_EPOCH = 4, HOT_SLOT = 5;
/** The word behind them: what the waiters of these tests wait for. */
const PERMITS = 16;

/** Milliseconds after which a thread that blocks in vain looks by itself: only a lost wake-up takes so long. */
const SLICE_MS = 20_000;

/** A waiter that takes a permit; as a promise. */
interface Taking extends Waiter {
  readonly taken: Promise<string>;
  /** How often it has tried. */
  readonly attempts: number;
}

/** Permits in shared memory, those who wait for one, and the order in which they got it. */
class Permits {
  readonly words = new Int32Array(new SharedArrayBuffer(32 * 4));
  readonly order: string[] = [];
  readonly #waiting = new Map<Waiter, EventCount>();

  get count(): number {
    return Atomics.load(this.words, PERMITS);
  }

  /** One isolate's view. */
  view(mark?: () => boolean): EventCount {
    return new EventCount(this.words, 0, () => this.count > 0, mark);
  }

  /** Takes a permit, if there is one. */
  tryTake(name: string): boolean {
    if (this.count === 0) return false;
    Atomics.sub(this.words, PERMITS, 1);
    this.order.push(name);
    return true;
  }

  /** A task that waits for a permit at a view. */
  take(view: EventCount, name: string, before?: () => void): Taking {
    const { promise, resolve } = Promise.withResolvers<string>();
    let attempts = 0;
    const waiter: Taking = {
      taken: promise,
      get attempts() {
        return attempts;
      },
      attempt: () => {
        attempts++;
        before?.();
        if (!this.tryTake(name)) return false;
        this.#waiting.delete(waiter);
        resolve(name);
        return true;
      },
    };
    this.#waiting.set(waiter, view);
    view.add(waiter);
    return waiter;
  }

  leave(waiter: Waiter): void {
    this.#waiting.get(waiter)?.remove(waiter);
    this.#waiting.delete(waiter);
  }

  /** Gives permits, and has a view open for as many. */
  give(count: number, opener: EventCount, opens = count): void {
    Atomics.add(this.words, PERMITS, count);
    opener.notify(opens);
  }

  /** How many sleep on a word; wakes them, in vain. */
  asleep(word: number): number {
    return Atomics.notify(this.words, word);
  }

  /** Nobody waits any more. */
  async end(): Promise<void> {
    for (const waiter of [...this.#waiting.keys()]) this.leave(waiter);
    this.asleep(EPOCH);
    this.asleep(HOT_EPOCH);
    await turn();
  }
}

/** A test with permits of its own. */
function test(name: string, body: (permits: Permits) => void | Promise<void>): void {
  Deno.test(`eventcount: ${name}`, async () => {
    const permits = new Permits();
    try {
      await body(permits);
    } finally {
      await permits.end();
    }
  });
}

test("it takes as many words as it says", ({ words }) => {
  assert.ok(EVENTCOUNT_WORDS > Math.max(EPOCH, ARRIVALS, SERVED, SPINNER, HOT_EPOCH, HOT_SLOT));
  assert.ok(EVENTCOUNT_WORDS <= PERMITS);
  assert.deepEqual([...words.subarray(0, EVENTCOUNT_WORDS)], Array(EVENTCOUNT_WORDS).fill(0));
});

// Who is woken

test("an opening where nobody waits writes nothing", (permits) => {
  const view = permits.view();
  for (const count of [1, 2, Infinity]) view.notify(count);
  view.passOn();
  assert.ok(!view.isWanted);
  assert.deepEqual([...permits.words], Array(32).fill(0));
});

test("the first to wait takes the hot slot, and the next ones don't", (permits) => {
  const [one, two] = [permits.view(), permits.view()];
  permits.take(one, "one");
  assert.equal(permits.words[HOT_SLOT], 1);
  permits.take(two, "two");
  assert.deepEqual([permits.asleep(HOT_EPOCH), permits.asleep(EPOCH)], [1, 1]);
});

test("one that is woken from the hot slot and waits again is woken first again", async (permits) => {
  const views = [permits.view(), permits.view(), permits.view()], opener = permits.view();
  let hot = permits.take(views[0], "hot");
  const second = permits.take(views[1], "second"), third = permits.take(views[2], "third");
  for (let round = 0; round < 3; round++) {
    permits.give(1, opener);
    await arrives("the wake-up of the hot slot", hot.taken);
    if (round < 2) hot = permits.take(views[0], "hot");
  }
  // The hot slot is empty: the others are woken in the order in which they came.
  permits.give(1, opener);
  await arrives("the wake-up of the second", second.taken);
  permits.give(1, opener);
  await arrives("the wake-up of the third", third.taken);
  assert.deepEqual(permits.order, ["hot", "hot", "hot", "second", "third"]);
});

test("an opening for two wakes the hot slot and the oldest of the others, and not a third", async (permits) => {
  const opener = permits.view();
  const [one, two, three] = ["one", "two", "three"].map((name) =>
    permits.take(permits.view(), name)
  );
  permits.give(2, opener);
  await arrives("a wake-up", Promise.all([one.taken, two.taken]));
  assert.deepEqual(permits.order, ["one", "two"]);
  // It may have been woken in vain: the first one saw a permit left when it went.
  assert.ok(three.attempts <= 2);
  permits.give(1, opener);
  await arrives("the third wake-up", three.taken);
});

test("an opening for all wakes all, and those that get nothing sleep again", async (permits) => {
  const all = ["one", "two", "three"].map((name) => permits.take(permits.view(), name));
  permits.give(1, permits.view(), Infinity);
  await arrives("a wake-up", Promise.race(all.map(({ taken }) => taken)));
  while (all.some(({ attempts }) => attempts < 2)) await turn();
  assert.equal(permits.order.length, 1);
  assert.equal(permits.asleep(EPOCH) + permits.asleep(HOT_EPOCH), 2);
});

test("a hot slot whose sleeper is gone keeps no wake-up", async (permits) => {
  // A process that died in its sleep has left the slot taken.
  permits.words[HOT_SLOT] = 1;
  const { taken } = permits.take(permits.view(), "alive");
  permits.give(1, permits.view());
  assert.equal(await arrives("the wake-up", taken), "alive");
});

test("a sleeper in a hot slot that another has cleared is woken all the same", async (permits) => {
  // It fell asleep just after an opener had found the slot taken and cleared it.
  const { taken } = permits.take(permits.view(), "late");
  permits.words[HOT_SLOT] = 0;
  permits.give(1, permits.view());
  assert.equal(await arrives("the wake-up", taken), "late");
});

test("tasks of one isolate are served in their order, by one sleeper", async (permits) => {
  const view = permits.view(), opener = permits.view();
  const all = ["one", "two", "three", "four"].map((name) => permits.take(view, name));
  assert.equal(view.waiting, 4);
  permits.give(2, opener);
  await arrives("a wake-up", all[1].taken);
  assert.equal(view.waiting, 2);
  permits.give(2, opener);
  await arrives("a wake-up", all[3].taken);
  assert.deepEqual(permits.order, ["one", "two", "three", "four"]);
  assert.equal(permits.asleep(EPOCH) + permits.asleep(HOT_EPOCH), 0);
});

test("a task behind one that must wait isn't tried", (permits) => {
  const view = permits.view();
  const first = permits.take(view, "first"), second = permits.take(view, "second");
  view.pump();
  assert.deepEqual([first.attempts, second.attempts], [3, 0]);
});

// The served ticket

test("an opening that finds fewer sleepers than it is for says so, and the next writes nothing", async (permits) => {
  const view = permits.view(), opener = permits.view();
  const { taken } = permits.take(view, "one");
  assert.ok(opener.isWanted);
  permits.give(1, opener);
  await arrives("the wake-up", taken);
  // It was one sleeper for one: there may be more.
  assert.ok(opener.isWanted);
  opener.notify(1);
  assert.ok(!opener.isWanted);
  assert.equal(permits.words[SERVED], permits.words[ARRIVALS]);
  const before = [...permits.words];
  opener.notify(Infinity);
  assert.deepEqual([...permits.words], before);
});

test("an arrival after the last opening has the next one open", async (permits) => {
  const opener = permits.view();
  const first = permits.take(permits.view(), "first");
  permits.give(1, opener);
  await arrives("the wake-up", first.taken);
  opener.notify(Infinity);
  assert.ok(!opener.isWanted);
  const second = permits.take(permits.view(), "second");
  assert.ok(opener.isWanted);
  permits.give(1, opener);
  assert.equal(await arrives("the wake-up", second.taken), "second");
});

test("the arrival of a process that died before it slept is served by the next opening", (permits) => {
  const opener = permits.view();
  permits.words[ARRIVALS]++;
  assert.ok(opener.isWanted);
  opener.notify(1);
  assert.ok(!opener.isWanted);
});

test("counts that wrap around are counts", async (permits) => {
  permits.words.fill(2 ** 31 - 1, EPOCH, SPINNER);
  permits.words[HOT_EPOCH] = 2 ** 31 - 1;
  const { taken } = permits.take(permits.view(), "one");
  assert.equal(permits.words[ARRIVALS], -(2 ** 31));
  permits.give(1, permits.view());
  assert.equal(await arrives("the wake-up", taken), "one");
});

// No wake-up is lost

test("what is given between the look and the sleep keeps a task awake", async (permits) => {
  const opener = permits.view();
  let attempts = 0;
  const one = permits.take(permits.view(), "one", () => {
    // As if another process opened it right after this look.
    if (++attempts === 1) opener.notify(1);
  });
  assert.equal(attempts, 2, "it looks again before it sleeps");
  permits.give(1, opener);
  await arrives("the wake-up", one.taken);
});

test("what is given between the look and the sleep keeps a thread awake", (permits) => {
  const view = permits.view(), opener = permits.view();
  let attempts = 0;
  const attempt = () => {
    if (permits.tryTake("thread")) return true;
    if (++attempts === 1) permits.give(1, opener);
    return false;
  };
  assert.ok(view.block(attempt, SLICE_MS, SLICE_MS));
  assert.equal(attempts, 1);
});

test("a task that leaves after it was woken, before it could look, has the next one woken", async (permits) => {
  const opener = permits.view();
  const gone = permits.take(permits.view(), "gone"), next = permits.take(permits.view(), "next");
  permits.give(1, opener);
  permits.leave(gone);
  assert.equal(await arrives("the wake-up", next.taken), "next");
  assert.equal(gone.attempts, 1);
});

test("a wake-up that others of the isolate use goes no further", async (permits) => {
  const opener = permits.view(), view = permits.view();
  const gone = permits.take(view, "gone"), same = permits.take(view, "same");
  const other = permits.take(permits.view(), "other");
  permits.give(1, opener);
  permits.leave(gone);
  assert.equal(await arrives("the wake-up", same.taken), "same");
  assert.equal(other.attempts, 1);
  assert.equal(permits.asleep(EPOCH), 1);
});

test("of two wake-ups for one isolate that wants one, the other goes on", async (permits) => {
  const opener = permits.view(), view = permits.view();
  const one = permits.take(view, "one"), other = permits.take(permits.view(), "other");
  permits.give(2, opener);
  await arrives("both wake-ups", Promise.all([one.taken, other.taken]));
  assert.equal(permits.count, 0);
});

test("passOn wakes one where there is something, and nobody where there is nothing", async (permits) => {
  const one = permits.take(permits.view(), "one"), two = permits.take(permits.view(), "two");
  const leaver = permits.view();
  const { [EPOCH]: epoch } = permits.words;
  leaver.passOn();
  assert.equal(permits.words[EPOCH], epoch);
  permits.words[PERMITS] = 1;
  leaver.passOn();
  await arrives("the wake-up", one.taken);
  assert.equal(two.attempts, 1);
  assert.equal(permits.words[EPOCH], epoch + 1);
});

test("where openers go by a mark, passOn sets it, and wakes one if there is nothing to mark", async (permits) => {
  const answers = [false, true];
  let marks = 0;
  const leaver = permits.view(() => answers[marks++]);
  const one = permits.take(permits.view(), "one");
  const { [EPOCH]: epoch } = permits.words;
  leaver.passOn();
  assert.deepEqual([marks, permits.words[EPOCH]], [1, epoch], "marked: the next opener wakes it");
  leaver.passOn();
  assert.deepEqual([marks, permits.words[EPOCH]], [2, epoch + 1]);
  while (one.attempts < 2) await turn();
  // With something to take there is nothing to mark.
  Atomics.add(permits.words, PERMITS, 1);
  leaver.passOn();
  await arrives("the wake-up", one.taken);
  assert.equal(marks, 2);
});

test("without a wake-up a task looks again once a second, and when it is told to", async (permits) => {
  const view = permits.view();
  const one = permits.take(view, "one"), two = permits.take(view, "two");
  const { attempts } = one;
  permits.words[PERMITS] = 1;
  clock.tick(999);
  assert.equal(one.attempts, attempts);
  clock.tick(1);
  assert.equal(await arrives("the look", one.taken), "one");
  permits.words[PERMITS] = 1;
  recheck();
  assert.equal(await arrives("the look", two.taken), "two");
});

test("an attempt says when to look again", async (permits) => {
  const view = permits.view();
  const one = permits.take(view, "one", () => view.recheckIn(7));
  permits.words[PERMITS] = 1;
  clock.tick(6);
  assert.equal(one.attempts, 1);
  clock.tick(1);
  assert.equal(await arrives("the look", one.taken), "one");
});

test("a thread looks when an attempt says so, and does its chores meanwhile", (permits) => {
  const view = permits.view();
  let attempts = 0, chores = 0;
  const chore = () => void chores++;
  addChore(chore);
  const attempt = () => {
    view.recheckIn(2);
    return ++attempts === 4;
  };
  const begun = realNow();
  assert.ok(view.block(attempt, SLICE_MS, SLICE_MS));
  removeChore(chore);
  assert.equal(chores, 3);
  assert.ok(realNow() - begun < SLICE_MS, "it slept on");
  assert.equal(clock.countTimers(), 0);
});

test("a thread whose time is up has looked last of all", (permits) => {
  const view = permits.view();
  let attempts = 0;
  const attempt = () => {
    clock.tick(10);
    return ++attempts > 3;
  };
  assert.equal(view.block(attempt, 25, 1), false);
  assert.equal(attempts, 3);
  attempts = 0;
  assert.equal(view.block(attempt, 35, 1), true, "it was there at the last look");
});

test("a thread whose attempt throws passes its wake-up on", async (permits) => {
  const next = permits.take(permits.view(), "next");
  const attempt = () => {
    // What it was woken for is there, and it can't use it.
    permits.words[PERMITS] = 1;
    throw new Error("no use");
  };
  assert.throws(() => permits.view().block(attempt, SLICE_MS, SLICE_MS), /no use/);
  assert.equal(await arrives("the wake-up", next.taken), "next");
});

test("a blocked thread takes the hot slot, and is woken there", async (permits) => {
  const view = permits.view();
  // An opener in another thread, as the comment of the file has it, that waits until the slot is taken.
  const opener = `onmessage = ({ data: words }) => {
    while (Atomics.load(words, ${HOT_SLOT}) === 0);
    Atomics.store(words, ${PERMITS}, 1);
    Atomics.add(words, ${EPOCH}, 1);
    Atomics.add(words, ${HOT_EPOCH}, 1);
    Atomics.store(words, ${HOT_SLOT}, 0);
    Atomics.notify(words, ${HOT_EPOCH}, 1);
    postMessage("opened");
  };
  postMessage("ready");`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(opener)}`, {
    type: "module",
  });
  const message = () => new Promise((resolve) => worker.onmessage = resolve);
  await arrives("the worker", message());
  const opened = message();
  worker.postMessage(permits.words);
  assert.ok(view.block(() => permits.tryTake("thread"), SLICE_MS, SLICE_MS));
  assert.deepEqual(permits.order, ["thread"]);
  await arrives("the worker's end", opened);
  worker.terminate();
});

// Used in ways that are not plain

test("an attempt that opens the eventcount itself isn't tried inside itself", async (permits) => {
  const view = permits.view();
  let depth = 0, deepest = 0;
  const one = permits.take(view, "one", () => {
    deepest = Math.max(deepest, ++depth);
    if (permits.order.length === 0) permits.give(1, view);
    view.pump();
    depth--;
  });
  await arrives("the permit", one.taken);
  assert.equal(deepest, 1);
});

test("an attempt that lets another begin to wait is followed by that one's", async (permits) => {
  const view = permits.view();
  let inner: Taking | undefined;
  permits.words[PERMITS] = 2;
  permits.take(view, "outer", () => {
    inner ??= permits.take(view, "inner");
    assert.equal(inner.attempts, 0);
  });
  assert.equal(await arrives("the inner one", inner!.taken), "inner");
  assert.deepEqual(permits.order, ["outer", "inner"]);
});

test("after an attempt that throws as it begins to wait, it is as it was before", async (permits) => {
  const view = permits.view();
  assert.throws(() =>
    view.add({
      attempt: () => {
        throw new RangeError("no stack");
      },
    }), RangeError);
  assert.equal(view.waiting, 0);
  const one = permits.take(view, "one");
  permits.give(1, permits.view());
  assert.equal(await arrives("the wake-up", one.taken), "one");
});

test("one that is opened all the while lets others run in between", async (permits) => {
  const view = permits.view(), opener = permits.view();
  let attempts = 0, isHostile = true;
  const one = permits.take(view, "one", () => {
    attempts++;
    if (isHostile) opener.notify(Infinity);
  });
  const before = attempts;
  assert.ok(before > 1 && before < 10_000, `${before}`);
  await turn();
  assert.equal(attempts, before);
  clock.tick(1);
  assert.ok(attempts > before);
  isHostile = false;
  permits.words[PERMITS] = 1;
  clock.tick(1);
  assert.equal(await arrives("the look", one.taken), "one");
});

test("removing one that doesn't wait, or twice, does nothing", (permits) => {
  const view = permits.view();
  const one = permits.take(view, "one"), two = permits.take(view, "two");
  permits.leave(one);
  view.remove(one);
  view.remove({ attempt: () => true });
  assert.equal(view.waiting, 1);
  permits.leave(two);
  assert.equal(view.waiting, 0);
  assert.equal(clock.countTimers(), 0);
});

// Watching

/** A view whose looks are counted, each of which takes a microsecond; and what happens at them. */
function watcher(permits: Permits, at: (look: number) => boolean | void): {
  view: EventCount;
  looks: () => number;
} {
  let looks = 0;
  const ready = () => {
    clock.tick(0.001);
    return at(++looks) ?? permits.count > 0;
  };
  return { view: new EventCount(permits.words, 0, ready), looks: () => looks };
}

test("one that watches sees what comes, and is known to watch meanwhile", (permits) => {
  const { view, looks } = watcher(permits, (look) => {
    assert.equal(permits.words[SPINNER] !== 0, look <= 5);
    if (look === 5) permits.words[PERMITS] = 1;
  });
  assert.ok(view.spin());
  assert.equal(looks(), 5);
  assert.equal(permits.words[SPINNER], 0);
});

test("for one that watches no sleeper is woken, for two or all it is", async (permits) => {
  const sleeper = permits.take(permits.view(), "sleeper"), opener = permits.view();
  const { [EPOCH]: epoch } = permits.words;
  const { view } = watcher(permits, (look) => {
    if (look === 2) permits.give(1, opener);
    if (look < 3) return false;
  });
  assert.ok(view.spin());
  assert.equal(permits.words[EPOCH], epoch);
  assert.ok(permits.tryTake("watcher"));
  view.passOn();
  assert.equal(sleeper.attempts, 1);
  const two = watcher(permits, (look) => {
    if (look !== 2) return;
    permits.give(2, opener);
    assert.equal(permits.words[EPOCH], epoch + 1);
  });
  assert.ok(two.view.spin());
  assert.ok(permits.tryTake("watcher"));
  two.view.passOn();
  assert.equal(await arrives("the wake-up", sleeper.taken), "sleeper");
});

test("who stops watching looks once more after saying so", (permits) => {
  const { view } = watcher(permits, () => permits.words[SPINNER] === 0);
  assert.ok(view.spin());
});

test("what a watcher leaves is passed on to a sleeper", async (permits) => {
  const sleeper = permits.take(permits.view(), "sleeper"), opener = permits.view();
  const { view } = watcher(permits, (look) => {
    if (look === 2) permits.give(1, opener);
  });
  assert.ok(view.spin());
  view.passOn(); // without having taken it
  assert.equal(await arrives("the wake-up", sleeper.taken), "sleeper");
});

test("one at a time watches", (permits) => {
  const second = watcher(permits, () => assert.fail("it looks"));
  const first = watcher(permits, (look) => {
    if (look === 1) assert.equal(second.view.spin(), false);
    return look === 2;
  });
  assert.ok(first.view.spin());
});

test("the mark of a watcher that died stops nobody when its time is over", async (permits) => {
  const sleeper = permits.take(permits.view(), "sleeper");
  const { view } = watcher(permits, (look) => {
    if (look === 1) throw new Error("it dies");
  });
  assert.throws(() => view.spin(), /it dies/);
  assert.notEqual(permits.words[SPINNER], 0);
  permits.give(1, permits.view());
  assert.equal(sleeper.attempts, 1, "the watcher would take it");
  clock.tick(3);
  const other = watcher(permits, () => true);
  assert.ok(other.view.spin());
  permits.view().notify(1);
  assert.equal(await arrives("the wake-up", sleeper.taken), "sleeper");
});

test("a mark of a time that is far away, as by a clock that was set, stops nobody", async (permits) => {
  const sleeper = permits.take(permits.view(), "sleeper");
  permits.words[SPINNER] = (Date.now() & 0x3fffffff) + 1000;
  permits.give(1, permits.view());
  assert.equal(await arrives("the wake-up", sleeper.taken), "sleeper");
});

test("watching in vain gets shorter, ends, and is tried again after some sleeps", (permits) => {
  const { view, looks } = watcher(permits, () => {});
  const watched: number[] = [];
  let before = 0;
  for (let i = 0; i < 7; i++) {
    assert.equal(view.spin(), false);
    watched.push(looks() - before);
    before = looks();
  }
  for (let i = 1; i < watched.length; i++) {
    assert.ok(watched[i] <= 0.6 * watched[i - 1], `${watched}`);
  }
  assert.equal(watched.at(-1), 0);
  // A sleep is what block() does after an attempt in vain.
  const sleeps = (count: number) => {
    let attempts = 0;
    view.block(() => attempts++ === count, SLICE_MS, 0.01);
  };
  sleeps(15);
  before = looks();
  assert.equal(view.spin(), false);
  assert.equal(looks(), before);
  sleeps(1);
  before = looks();
  view.spin();
  assert.ok(looks() > before);
});

test("with a clock that stands still a watch ends all the same", (permits) => {
  let looks = 0;
  const view = new EventCount(permits.words, 0, () => {
    looks++;
    return false;
  });
  assert.equal(view.spin(), false);
  assert.ok(looks <= 20_000);
});

// Napping

/** Naps once, and takes a permit if there is one. */
function nap(permits: Permits, view: EventCount, during?: () => void): boolean {
  let isTaken = false, attempts = 0;
  view.nap(() => {
    if (++attempts === 2) during?.();
    return isTaken = permits.tryTake("napper");
  });
  view.passOn();
  return isTaken;
}

test("naps in vain end, and are tried again after some sleeps", (permits) => {
  const view = permits.view();
  assert.ok(view.mayNap());
  assert.equal(nap(permits, view), false);
  assert.ok(view.mayNap());
  assert.equal(nap(permits, view, () => permits.words[PERMITS] = 1), true);
  let naps = 0;
  for (; view.mayNap(); naps++) nap(permits, view);
  assert.equal(naps, 2);
  let attempts = 0;
  view.block(() => attempts++ === 16, SLICE_MS, 0.01);
  assert.ok(view.mayNap());
  nap(permits, view);
  assert.ok(!view.mayNap());
  // An isolate that waits at many eventcounts in turn doesn't nap at each.
  for (naps = 0; naps < 9; naps++) {
    const other = permits.view();
    if (!other.mayNap()) break;
    nap(permits, other);
  }
  assert.ok(naps < 4, `${naps} naps`);
});

test("a permit that comes before a nap is taken, and one that a napper leaves is passed on", async (permits) => {
  const view = permits.view();
  permits.give(1, permits.view());
  assert.ok(nap(permits, view));
  const sleeper = permits.take(permits.view(), "sleeper");
  view.nap(() => {
    permits.words[PERMITS] = 1;
    return true; // without having taken it
  });
  view.passOn();
  assert.equal(await arrives("the wake-up", sleeper.taken), "sleeper");
});

test("no thread naps where a task that was given up sleeps still", (permits) => {
  const view = permits.view();
  view.remove(permits.take(view, "task"));
  assert.ok(!view.mayNap());
  permits.view().notify(1);
});
