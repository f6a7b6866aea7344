// The contract of holdables (lib/sync/holdable.ts) as tests, for any implementation.
// holdable_contract_test.ts runs them for each there is.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  type Held,
  InvalidStateError,
  Pipe,
  Queue,
  TimeoutError,
  type WaitOptions,
} from "../../mod.ts";
import { type ErrorClass, says, wrong } from "../support/local.ts";
import { inFull } from "../support/length.ts";
import { abandon, addTogether, bound, endings, names, start, turn } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";

/** What one of these can do and another can't. */
export interface Capabilities {
  /** Only the process that holds it can release it. */
  readonly owned: boolean;
  /** The process that holds it acquires it again without waiting, and releases it as often. */
  readonly reentrant: boolean;
  /** Released more often than it was acquired, it counts that: it can be acquired twice then. */
  readonly counts: boolean;
  /** Tells by `locked` whether somebody holds it. */
  readonly locked: boolean;
  /** Tells by `value` how often it can be acquired. */
  readonly value: boolean;
}

/** What is held by one at a time. */
export type Tested = targets.Acquirable & { readonly locked?: boolean; readonly value?: number };

/** An implementation, made so that one at a time can hold it. */
export interface Implementation {
  /** As in the names of the tests. */
  readonly name: string;
  /** Its class, as it is printed. */
  readonly className: string;
  readonly can: Capabilities;
  make(): Tested;
  /** Whether nobody holds it. */
  isFree(what: Tested): boolean;
  /** It passes every call on to a lock that is tested, too: what needs many processes is left to the full run. */
  readonly delegates?: boolean;
}

/** A form of acquiring. */
interface Face {
  readonly name: string;
  /** Whether it can wait, and so takes a timeout. */
  readonly waits: boolean;
  readonly takesSignal: boolean;
  /** Whether it throws a TimeoutError where others answer false. */
  readonly throws: boolean;
  call(what: Tested, options?: WaitOptions): unknown;
}

const calls: Record<string, Face["call"]> = {
  acquire: (what, options) => what.acquire(options),
  acquireSync: (what, options) => what.acquireSync(options),
  tryAcquire: (what) => what.tryAcquire(),
  hold: (what, options) => what.hold(options),
  holdSync: (what, options) => what.holdSync(options),
};

const faces: readonly Face[] = Object.entries(calls).map(([name, call]) => ({
  name,
  waits: name !== "tryAcquire",
  takesSignal: name === "acquire" || name === "hold",
  throws: name.startsWith("hold"),
  call,
}));

/** Reasons for which a wait may be aborted: errors and others. */
const reasons: readonly unknown[] = [new Error("no longer wanted"), "a text", 0, null];

/** Registers all tests that an implementation has to pass. */
export function holdableContract(implementation: Implementation): void {
  const { name, className, can, make, isFree } = implementation;
  const test = (what: string, body: () => void | Promise<void>) => {
    Deno.test(`${name}: ${what}`, body);
  };
  /** A test that starts many processes. */
  const testWithMany = (what: string, fn: () => Promise<void>) => {
    const isLeftOut = implementation.delegates === true && !inFull(true, false);
    const note = isLeftOut ? " (in the full run)" : "";
    Deno.test({ name: `${name}: ${what}${note}`, ignore: isLeftOut, fn });
  };

  /** Has it held so that a task of this process must wait; returns how to release it. */
  async function occupy(what: Tested): Promise<() => Promise<void>> {
    if (!can.reentrant) {
      assert.equal(await what.acquire(bound), true);
      // deno-lint-ignore require-await -- as the other one
      return async () => what.release();
    }
    const [here, there] = Pipe<string>();
    const holder = start(targets.holdUntil, what, there);
    assert.equal(await here.recv(bound), "held");
    return async () => {
      await here.send("release");
      assert.equal(await here.recv(bound), "released");
      await holder.result(bound);
      here.close();
    };
  }

  /** Checks that a call fails: by a promise that rejects where it is one that may wait for others, else at once. */
  async function fails(
    face: Face,
    call: () => unknown,
    check: ErrorClass | ((error: unknown) => true),
  ): Promise<void> {
    if (!face.takesSignal) return assert.throws(call, check, face.name);
    const answer = call();
    assert.ok(answer instanceof Promise, `${face.name} returns a promise`);
    await assert.rejects(answer, check, face.name);
  }

  const is = (reason: unknown) => (error: unknown): true => {
    assert.equal(error, reason);
    return true;
  };

  test("it has the members of what it can do, and none of what it can't", () => {
    const what = make();
    for (const member of [...Object.keys(calls), "release"]) assert.ok(member in what, member);
    for (const member of ["locked", "value"] as const) {
      assert.equal(member in what, can[member], member);
    }
  });

  // To have and to hold

  test("it is acquired and released by every form", async () => {
    const what = make();
    for (const face of faces) {
      for (const options of face.waits ? [undefined, {}, { timeout: 0 }, bound] : [undefined]) {
        assert.equal(isFree(what), true);
        const answer = face.call(what, options);
        assert.equal(answer instanceof Promise, face.takesSignal, face.name);
        const got = await answer;
        if (can.locked) assert.equal(what.locked, true);
        if (can.value) assert.equal(what.value, 0);
        if (face.throws) (got as Held).release();
        else {
          assert.equal(got, true, face.name);
          what.release();
        }
      }
    }
    assert.equal(isFree(what), true);
  });

  test("who can't have it in time is told so by every form, and has taken nothing", async () => {
    const what = make();
    const release = await occupy(what);
    for (const face of faces) {
      for (const timeout of face.waits ? [0, 1, 5] : [undefined]) {
        const call = () => face.call(what, timeout === undefined ? undefined : { timeout });
        if (face.throws) {
          await fails(face, call, says(TimeoutError, /was not to be had in time/));
        } else assert.equal(await call(), false, face.name);
      }
    }
    await release();
    assert.equal(isFree(what), true);
  });

  test("one that waits has it when it is released", async () => {
    const what = make();
    const release = await occupy(what);
    const acquiring = [what.acquire(), what.acquire(bound), what.acquire({ timeout: Infinity })];
    const holding = [what.hold(), what.hold(bound)];
    await turn();
    await release();
    for (const one of acquiring) {
      assert.equal(await one, true);
      what.release();
    }
    for (const one of holding) (await one).release();
    assert.equal(isFree(what), true);
  });

  test("a wait that is aborted rejects with the reason and has taken nothing; the next one has its turn", async () => {
    const what = make();
    const release = await occupy(what);
    for (const reason of reasons) {
      const stop = new AbortController(), { signal } = stop;
      const early = [
        assert.rejects(what.acquire({ signal }), is(reason)),
        assert.rejects(what.hold({ signal }), is(reason)),
      ];
      const late = what.acquire({ timeout: 1 });
      assert.equal(await late, false);
      stop.abort(reason);
      await Promise.all(early);
    }
    const stop = new AbortController();
    const last = what.acquire({ signal: stop.signal }).catch(() => "aborted");
    const patient = what.acquire(bound);
    stop.abort();
    await release();
    assert.deepEqual(await Promise.all([last, patient]), ["aborted", true]);
    what.release();
    assert.equal(isFree(what), true);
  });

  test("with a signal that is aborted already nothing is tried, also where there is no need to wait", async () => {
    for (const reason of reasons) {
      const what = make();
      for (const timeout of [undefined, 0, 5]) {
        const options = { signal: AbortSignal.abort(reason), timeout };
        await assert.rejects(what.acquire(options), is(reason));
        await assert.rejects(what.hold(options), is(reason));
      }
      assert.equal(isFree(what), true);
    }
  });

  test("an abort when it is acquired changes nothing", async () => {
    const what = make();
    const stop = new AbortController(), { signal } = stop;
    const release = await occupy(what);
    const waiting = what.acquire({ signal, ...bound });
    await release();
    assert.equal(await waiting, true);
    stop.abort();
    await turn();
    if (can.locked) assert.equal(what.locked, true);
    what.release();
    assert.equal(isFree(what), true);
  });

  test("what is held is released at the end of the block, even if it throws", async () => {
    const what = make();
    let outside: Held | undefined;
    await assert.rejects(async () => {
      using held = await what.hold();
      outside = held;
      assert.equal(held.released, false);
      throw new Error("half-way");
    }, /half-way/);
    assert.equal(outside?.released, true);
    {
      await using held = what.holdSync();
      assert.equal(held.released, false);
    }
    assert.equal(isFree(what), true);
    const again = what.holdSync();
    again.release();
    again.release();
    assert.equal(again.released, true);
    assert.match(Deno.inspect(again), /^Held \{ released: true \}$/);
    assert.equal(isFree(what), true);
  });

  test("a loop that acquires and releases it lets timers run", async () => {
    const what = make();
    let fired = false;
    const timer = setTimeout(() => fired = true, 1);
    // Bounded, so that a failure is one and no hang.
    for (let i = 0; i < 5_000_000 && !fired; i++) {
      await what.acquire();
      what.release();
    }
    clearTimeout(timer);
    assert.ok(fired);
  });

  // Who may

  if (can.reentrant) {
    test("its holder acquires it again, by every form, and another process has it after the last release", async () => {
      const what = make();
      const times = faces.length + 1;
      await what.acquire();
      for (const face of faces) assert.ok(await face.call(what));
      for (let left = times; left > 0; left--) {
        if (left === times || left === 1) {
          assert.equal(await start(targets.acquireNow, what).result(bound), false, `${left} left`);
        }
        what.release();
      }
      assert.equal(await start(targets.acquireNow, what).result(bound), true);
      assert.throws(() => what.release(), InvalidStateError);
    });

    test("the tasks of one process share it, and don't keep each other out", async () => {
      const what = make();
      using _one = await what.hold();
      using _other = await what.hold({ timeout: 0 });
    });
  } else {
    test("the tasks of one process have it one at a time, in the order of their calls", async () => {
      const what = make();
      const order: number[] = [];
      let inside = 0;
      await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        using _held = await what.hold();
        assert.equal(inside++, 0);
        order.push(i);
        await turn();
        inside--;
      }));
      assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => i));
    });

    test("a task that comes later overtakes none that waits, by no form", async () => {
      const what = make();
      await what.acquire();
      const first = what.acquire();
      what.release();
      assert.equal(what.tryAcquire(), false);
      assert.equal(what.acquireSync({ timeout: 0 }), false);
      assert.throws(() => what.holdSync({ timeout: 0 }), TimeoutError);
      assert.equal(await what.acquire({ timeout: 0 }), false);
      assert.equal(await first, true);
      what.release();
    });

    test("of a release and an abort in the same moment one counts: it is had, or is free", async () => {
      const what = make();
      const stop = new AbortController(), reason = new Error("no longer wanted");
      await what.acquire();
      const waiting = what.acquire({ signal: stop.signal }).catch((error) => error);
      what.release();
      stop.abort(reason);
      const end = await waiting;
      if (end === true) what.release();
      else assert.equal(end, reason);
      assert.equal(isFree(what), true);
    });
  }

  if (can.owned) {
    test("release by one that doesn't hold it names who does, if anybody, and it stays held", async () => {
      const what = make();
      assert.throws(() => what.release(), says(InvalidStateError, /nobody holds it\. Acquire it/));
      await what.acquire();
      assert.match(
        await start(targets.tryTo, "release", what).result(bound),
        /^InvalidStateError: .*MainProcess holds it/,
      );
      assert.equal(await start(targets.acquireNow, what).result(bound), false);
      what.release();
      const [here, there] = Pipe<string>();
      const holder = start(targets.holdUntil, what, there);
      await here.recv(bound);
      assert.throws(
        () => what.release(),
        says(InvalidStateError, new RegExp(`${holder.name} holds`)),
      );
      assert.equal(what.tryAcquire(), false);
      await here.send("release");
      await here.recv(bound);
      await holder.join(bound);
      here.close();
    });
  } else {
    test("any process may release it", async () => {
      const what = make();
      await what.acquire();
      const waiting = what.acquire(bound);
      assert.equal(await start(targets.tryTo, "release", what).result(bound), "it did");
      assert.equal(await waiting, true);
      what.release();
      assert.equal(isFree(what), true);
    });

    test(
      can.counts
        ? "released more often than acquired, it can be had more often"
        : "released more often than acquired, it refuses, and stays as it was",
      () => {
        const what = make();
        if (can.counts) what.release();
        else assert.throws(() => what.release(), says(RangeError, /Call it once/));
        assert.deepEqual([what.tryAcquire(), what.tryAcquire()], [true, can.counts]);
        what.release();
      },
    );
  }

  // Other processes

  testWithMany("processes that add under it, by all forms, lose nothing", async () => {
    await addTogether(make(), 2, inFull(5_000, 500), "mixed");
  });

  testWithMany(
    "when its holder has ended, however it did, every form is told so once, and it is free",
    async () => {
      const what = make();
      const all = Object.values(endings);
      for (const [i, face] of faces.entries()) {
        for (const ending of inFull(all, [all[i]])) {
          const holder = await abandon(what, ending);
          await fails(face, () => face.call(what), names(holder));
          assert.equal(isFree(what), true, face.name);
          assert.equal(what.tryAcquire(), true, face.name);
          what.release();
        }
      }
    },
  );

  testWithMany(
    "one that waits when the holder is killed is told so, and another has it",
    async () => {
      const what = make(), said = new Queue<string>();
      const holder = start(targets.hold, what, said, "spin", 1);
      await said.get(bound);
      const other = start(targets.acquire, what, said, "sync");
      await said.get(bound);
      const mine = what.acquire(bound).then(() => {
        what.release();
        return "acquired";
      }, String);
      holder.kill();
      const outcomes = [await mine, await other.result(bound)].sort();
      assert.match(outcomes[0], new RegExp(`^AbandonedLockError: ${holder.name} `));
      assert.equal(outcomes[1], "acquired");
    },
  );

  testWithMany("a process that is killed while it waits doesn't take it along", async () => {
    const what = make(), said = new Queue<string>();
    for (const face of ["async", "sync"] as const) {
      await what.acquire();
      const victim = start(targets.acquire, what, said, face);
      await said.get(bound);
      victim.kill();
      what.release();
      await victim.join(bound);
      const got = await what.acquire(bound).catch((error) => {
        // The victim may just have got it.
        assert.ok(error instanceof AbandonedLockError);
        return what.acquire(bound);
      });
      assert.equal(got, true);
      what.release();
    }
  });

  test("it goes to a process and through a pipe, and is the same there; a queue refuses it", async () => {
    const what = make();
    const [here, there] = Pipe<Tested>();
    await here.send(what);
    const same = await there.recv(bound);
    assert.notEqual(same, what);
    assert.equal(same.constructor, what.constructor);
    await what.acquire();
    same.release();
    assert.equal(isFree(what), true);
    here.close();
    there.close();
    const check = says(TypeError, new RegExp(`^item\\.inner is an? ${className}, which`));
    assert.throws(() => new Queue<unknown>().putNowait({ inner: what }), check);
  });

  // What it is given, and how it is printed

  test("options that are none are refused by every form, and nothing is taken", async () => {
    const what = make();
    const all: [options: unknown, errorClass: ErrorClass, pattern: RegExp][] = [
      ...[NaN, -1, -Infinity].map((timeout) =>
        [{ timeout }, RangeError, new RegExp(`^timeout is ${timeout}\\.`)] as const
      ),
      ...["5", null, 5n].map((timeout) => [{ timeout }, TypeError, /^timeout is /] as const),
      ...[0.1, true, null, "5", [5]].map((o) => [o, TypeError, /^The options are /] as const),
      ...["timeOut", "block"].map((name) =>
        [{ [name]: 5 }, TypeError, new RegExp(`^${name} is no option here`)] as const
      ),
    ].map((row) => [...row]);
    for (const face of faces.filter(({ waits }) => waits)) {
      for (const [options, errorClass, pattern] of all) {
        await fails(face, () => face.call(what, wrong(options)), says(errorClass, pattern));
      }
      for (const signal of [new AbortController(), "now", 5, {}]) {
        const call = () => face.call(what, { signal: wrong(signal) });
        const pattern = face.takesSignal ? /^signal is / : /^signal is no option here/;
        await fails(face, call, says(TypeError, pattern));
      }
    }
    assert.equal(isFree(what), true);
  });

  test("it is printed with its class and its state", async () => {
    const what = make();
    const shown = () => Deno.inspect(what, { colors: false, breakLength: Infinity });
    assert.ok(shown().startsWith(`${className} {`), shown());
    const free = shown();
    await what.acquire();
    assert.notEqual(shown(), free);
    if (can.owned) assert.match(shown(), /"MainProcess"/);
    what.release();
    assert.equal(shown(), free);
  });
}
