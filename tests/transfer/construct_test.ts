// Objects that are constructed around existing parts: parts that arrived, instead of the parts that `new` makes.

import assert from "node:assert/strict";
import { Barrier, Condition, Event, Lock, Queue, Semaphore, Value } from "../../mod.ts";
import {
  constructFrom,
  deserialize,
  receivedParts,
  serialize,
  type Serialized,
} from "../../lib/transfer/transferable.ts";

class Part {
  readonly parts: unknown;
  readonly size: number;

  constructor(size = 1) {
    this.parts = receivedParts(new.target);
    this.size = size;
  }
}

class SubPart extends Part {}

/** Makes another object before it asks for its own parts. */
class Whole {
  readonly made = new Part();
  readonly parts: unknown = receivedParts(Whole);
}

Deno.test("a constructor finds the parts it is called with, once, and a user's `new` finds none", () => {
  const part = constructFrom(Part, "parts", 7);
  assert.deepEqual([part.parts, part.size], ["parts", 7]);
  assert.equal(new Part().parts, undefined);
  assert.equal(constructFrom(SubPart, "its own").parts, "its own");
});

Deno.test("what a constructor makes on the way finds none, and it has its own still", () => {
  const whole = constructFrom(Whole, "all");
  assert.deepEqual([whole.made.parts, whole.parts], [undefined, "all"]);
});

Deno.test("parts that no constructor asked for, as it threw, are gone", () => {
  class Throws {
    constructor() {
      throw new Error("no");
    }
  }
  assert.throws(() => constructFrom(Throws, "parts"), /no/);
  assert.equal(new Part().parts, undefined);
});

/** What an object crosses as. */
const serializedOf = (object: object) => (object as { [serialize](): Serialized })[serialize]();

Deno.test("an object that arrives shares what it was made from, and one of a subclass comes as its base", () => {
  class MyEvent extends Event {
    readonly mine = new Event();
  }
  const event = new MyEvent(), same = deserialize(serializedOf(event)) as Event;
  assert.equal(Object.getPrototypeOf(same), Event.prototype);
  event.set();
  assert.deepEqual([same.isSet(), event.mine.isSet()], [true, false]);
});

Deno.test("every kind is constructed around what arrived, and not made anew", () => {
  const lock = new Lock(), semaphore = new Semaphore(2), barrier = new Barrier(3);
  const value = new Value("i32", 5), queue = new Queue<number>({ maxSize: 3 });
  const condition = new Condition(lock);
  lock.acquireSync();
  semaphore.acquireSync();
  queue.putNowait(1);
  assert.equal((deserialize(serializedOf(lock)) as Lock).locked, true);
  assert.equal((deserialize(serializedOf(semaphore)) as Semaphore).value, 1);
  assert.equal((deserialize(serializedOf(barrier)) as Barrier).parties, 3);
  assert.equal((deserialize(serializedOf(value)) as Value<"i32">).value, 5);
  assert.equal((deserialize(serializedOf(queue)) as Queue<number>).getNowait(), 1);
  (deserialize(serializedOf(condition)) as Condition).notify(); // this process holds the lock that came with it
  assert.equal(new Lock().locked, false);
  lock.release();
});
