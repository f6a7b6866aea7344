// The SPSC queue against a model: an array with the same operations. Each side is made anew from its shares at
// random, as when that end of a pipe moves; segments go by a list that stands for the port.

import assert from "node:assert/strict";
import {
  newSpscQueue,
  type SegmentPost,
  SPSC_QUEUE_WORDS,
  SpscConsumer,
  SpscProducer,
  type SpscQueueShares,
} from "../../lib/shm/spsc_queue.ts";
import { EMPTY, FULL } from "../../lib/shm/mpmc_ring.ts";
import { ensureScratch, LENGTH_BYTES, type Scratch } from "../../lib/shm/scratch.ts";
import { between, withSeeds } from "../support/seed.ts";

/** Of the first segment, of the largest for many records, and the record that has one for itself. */
const FIRST_BYTES = 4096, LONG_BYTES = 2 ** 20 + 64, MOST_BYTES = 4 * LONG_BYTES;

/** What a record takes of the segment, in bytes. */
const padded = (length: number) => (length + 7) & ~7;

function newScratch(bytes = 256): Scratch {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}

/** A scratch with a record of `length` bytes, its own length included, that shows which one it is. */
function recordOf(scratch: Scratch, length: number, stamp: number): Scratch {
  ensureScratch(scratch, padded(length));
  const { bytes } = scratch;
  bytes.fill(stamp, LENGTH_BYTES, length);
  for (let i = LENGTH_BYTES; i < length; i += 97) bytes[i] = stamp + i;
  return scratch;
}

function check({ bytes }: Scratch, length: number, stamp: number): void {
  for (let i = LENGTH_BYTES; i < length; i++) {
    const expected = (i - LENGTH_BYTES) % 97 === 0 ? (stamp + i) & 0xff : stamp & 0xff;
    if (bytes[i] !== expected) {
      assert.fail(`byte ${i} of record ${stamp} (${length} bytes) is ${bytes[i]}`);
    }
  }
}

/** Takes the oldest record; its length, or EMPTY. */
function take(receiver: SpscConsumer, into: Scratch): number {
  const length = receiver.copy(into);
  if (length !== EMPTY) receiver.take(length);
  return length;
}

/** Both sides of a queue in one isolate. */
class BothSides {
  sender: SpscProducer;
  receiver: SpscConsumer;
  /** Segments on their way. */
  readonly posted: { number: number; segment: SharedArrayBuffer }[] = [];
  /** When it says so, sending a segment fails. */
  fails: () => boolean = () => false;
  #number = 0;
  readonly #post: SegmentPost = {
    send: (segment) => {
      if (this.fails()) throw new Error("the segment can't be sent");
      const number = this.#number = (this.#number + 1) | 0;
      this.posted.push({ number, segment });
      return number;
    },
    receive: (number) => {
      for (;;) {
        const next = this.posted.shift();
        if (next === undefined) throw new Error(`nothing was sent under ${number}`);
        if (next.number === number) return next.segment;
      }
    },
  };

  constructor(shares: SpscQueueShares) {
    this.sender = new SpscProducer(shares, this.#post);
    this.receiver = new SpscConsumer(shares, this.#post);
  }

  moveSender(): void {
    this.sender = new SpscProducer(this.sender.shares, this.#post);
  }

  moveReceiver(): void {
    this.receiver = new SpscConsumer(this.receiver.shares, this.#post);
  }
}

const newQueueOf = (maxSize = 0, maxBytes = 2 ** 30) =>
  new BothSides(newSpscQueue(maxSize, maxBytes, SPSC_QUEUE_WORDS));

/** Random records through a queue and through its model. */
function compare(
  queue: BothSides,
  random: () => number,
  steps: number,
  maxSize: number,
  maxBytes: number,
) {
  const model: { stamp: number; length: number }[] = [];
  const source = newScratch(), into = newScratch(8);
  const most = Math.min(
    maxBytes + LENGTH_BYTES,
    random() < 0.2 ? 1_200_000 : random() < 0.5 ? 6_000 : 60,
  );
  const units = Math.ceil((maxBytes + LENGTH_BYTES) / 8);
  const phase = between(random, 20, 200);
  let used = 0, stamp = 0;
  for (let step = 0; step < steps; step++) {
    if (random() < 0.02) queue.moveSender();
    if (random() < 0.02) queue.moveReceiver();
    if (random() < 0.5 + 0.4 * Math.sin(step / phase)) {
      // Most records are short, whatever the longest is.
      const length = between(random, LENGTH_BYTES + 1, random() < 0.1 ? most : Math.min(most, 60));
      const least = random() < 0.1 ? between(random, 1, 20) : undefined;
      const bound = Math.min(maxSize || Infinity, least ?? Infinity);
      const fits = model.length < bound && (used === 0 || (used + padded(length)) / 8 <= units);
      recordOf(source, length, stamp);
      let answer;
      try {
        answer = queue.sender.tryPut(source, 0, length, least);
      } catch (error) {
        // Nothing was put, and the next one may succeed.
        assert.match(`${error}`, /can't be sent/);
        assert.ok(fits);
        continue;
      }
      assert.equal(answer, fits ? 1 : FULL, `record ${stamp}`);
      if (fits) {
        model.push({ stamp, length });
        used += padded(length);
      }
      stamp++;
    } else {
      const expected = model.shift();
      if (random() < 0.2) {
        assert.equal(queue.receiver.peek(), expected?.length ?? EMPTY);
        if (expected) {
          assert.equal(queue.receiver.peekByte(), (expected.stamp + LENGTH_BYTES) & 0xff);
        }
      }
      const length = take(queue.receiver, into);
      assert.equal(length, expected?.length ?? EMPTY);
      if (expected) {
        check(into, length, expected.stamp);
        used -= padded(length);
      }
    }
    for (const side of [queue.sender, queue.receiver]) {
      assert.equal(side.size, model.length);
      assert.equal(side.usedBytes, used);
    }
    assert.equal(queue.receiver.isEmpty, model.length === 0);
  }
  for (const { stamp, length } of model) {
    assert.equal(take(queue.receiver, into), length);
    check(into, length, stamp);
  }
  assert.equal(take(queue.receiver, into), EMPTY);
}

/** What is left when all was taken. */
function checkGivenBack(queue: BothSides): void {
  assert.ok(queue.sender.capacityBytes <= MOST_BYTES, `${queue.sender.capacityBytes} bytes`);
  assert.ok(queue.receiver.capacityBytes <= MOST_BYTES, `${queue.receiver.capacityBytes} bytes`);
  assert.equal(queue.sender.usedBytes, 0);
}

const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

Deno.test("a queue gives back what an array would, while its sides move", async () => {
  await withSeeds(seeds(30), (random) => {
    const maxSize = random() < 0.5 ? 0 : between(random, 1, 300);
    const maxBytes = random() < 0.5 ? 2 ** 30 : between(random, 64, 20_000);
    const queue = newQueueOf(maxSize, maxBytes);
    compare(queue, random, 2000, maxSize, maxBytes);
    checkGivenBack(queue);
  });
});

Deno.test("so it does where segments can't always be sent", async () => {
  await withSeeds(seeds(20), (random) => {
    const queue = newQueueOf();
    queue.fails = () => random() < 0.4;
    compare(queue, random, 2000, 0, 2 ** 30);
    checkGivenBack(queue);
  });
});

Deno.test("so it does while its counts and positions pass 2 ** 31 and 2 ** 32", async () => {
  // As after so much traffic: PUT_COUNT, PUT_UNITS, GOT_COUNT, GOT_UNITS, GOT_POSITION.
  const counts = [16, 32], units = [17, 33], position = 34;
  await withSeeds(seeds(6), (random) => {
    for (const turn of [2 ** 31, 2 ** 32]) {
      const shares = newSpscQueue(0, 2 ** 30, SPSC_QUEUE_WORDS);
      const words = new Int32Array(shares.header);
      const begin = (turn - 200) | 0;
      for (const word of [...counts, ...units, position]) words[word] = begin;
      const queue = new BothSides({ ...shares, base: begin, position: begin, count: begin });
      compare(queue, random, 1500, 0, 2 ** 30);
      checkGivenBack(queue);
    }
  });
});

Deno.test("of a burst that was taken nothing is kept but one segment", () => {
  const queue = newQueueOf();
  const source = newScratch(), into = newScratch();
  const count = 300_000;
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < count; i++) {
      source.words[1] = i;
      assert.equal(queue.sender.tryPut(source, 0, 12), 1);
    }
    assert.ok(queue.sender.usedBytes >= count * 16);
    for (let i = 0; i < count; i++) {
      take(queue.receiver, into);
      if (into.words[1] !== i) assert.fail(`${into.words[1]} came instead of ${i}`);
    }
    checkGivenBack(queue);
    assert.deepEqual(queue.posted, []);
  }
});

Deno.test("a queue that is never far behind stays in its first segment", () => {
  const queue = newQueueOf();
  const source = newScratch(), into = newScratch();
  for (let i = 0; i < 5000; i++) {
    recordOf(source, 5 + i % 300, i);
    assert.equal(queue.sender.tryPut(source, 0, 5 + i % 300), 1);
    if (i >= 8) assert.equal(take(queue.receiver, into), 5 + (i - 8) % 300);
  }
  assert.equal(queue.sender.capacityBytes, FIRST_BYTES);
  assert.equal(queue.receiver.capacityBytes, FIRST_BYTES);
  assert.deepEqual(queue.posted, []);
});

Deno.test("segments that the receiver has left are used again", () => {
  const queue = newQueueOf();
  const source = newScratch(), into = newScratch();
  const buffers = new Set<SharedArrayBuffer>();
  const length = 2 ** 16, burst = 100, bursts = 20;
  for (let i = 0; i < bursts * burst; i++) {
    queue.sender.tryPut(recordOf(source, length, i), 0, length);
    for (const { segment } of queue.posted) buffers.add(segment);
    if (i % burst !== burst - 1) continue;
    for (let got = i - burst + 1; got <= i; got++) {
      assert.equal(take(queue.receiver, into), length);
      check(into, length, got);
    }
  }
  const needed = Math.ceil(bursts * burst * length / 2 ** 20);
  assert.ok(buffers.size < needed / 4, `${buffers.size} segments`);
});

Deno.test("the memory of a long record goes as soon as it was taken", () => {
  const queue = newQueueOf();
  const source = newScratch(), into = newScratch();
  for (const length of [LONG_BYTES + 1, 5_000_000, LONG_BYTES + 8, 1_300_000]) {
    recordOf(source, length, 5);
    assert.equal(queue.sender.tryPut(source, 0, length), 1);
    assert.equal(take(queue.receiver, into), length);
    check(into, length, 5);
    assert.equal(queue.sender.capacityBytes, FIRST_BYTES);
    assert.equal(queue.receiver.capacityBytes, FIRST_BYTES);
  }
});

Deno.test("records of all lengths about the bounds of segments come as they went", () => {
  const source = newScratch(), into = newScratch();
  for (const around of [FIRST_BYTES, LONG_BYTES, MOST_BYTES]) {
    for (let length = around - 24; length <= around + 24; length += 3) {
      const queue = newQueueOf();
      for (const before of [0, 1, 200]) {
        for (let i = 0; i < before; i++) queue.sender.tryPut(recordOf(source, 16, i), 0, 16);
        assert.equal(queue.sender.tryPut(recordOf(source, length, before), 0, length), 1);
        for (let i = 0; i < before; i++) {
          assert.equal(take(queue.receiver, into), 16);
          check(into, 16, i);
        }
        assert.equal(take(queue.receiver, into), length);
        check(into, length, before);
      }
      checkGivenBack(queue);
    }
  }
});

Deno.test("a record as long as the queue allows always finds room once the queue is empty", async () => {
  await withSeeds(seeds(5), (random) => {
    for (const maxBytes of [64, 100, 1000, 5000, 400_000]) {
      const queue = newQueueOf(0, maxBytes);
      const source = newScratch(), into = newScratch();
      const most = maxBytes + LENGTH_BYTES;
      ensureScratch(source, padded(most));
      for (let i = 0; i < 100; i++) {
        const small = between(random, LENGTH_BYTES, maxBytes / 2);
        assert.equal(queue.sender.tryPut(source, 0, small), 1);
        assert.equal(take(queue.receiver, into), small);
        assert.equal(queue.sender.tryPut(source, 0, most), 1, `round ${i}`);
        assert.equal(queue.sender.tryPut(source, 0, 16), FULL);
        assert.equal(take(queue.receiver, into), most);
      }
    }
  });
});

Deno.test("what is done in one with a put is done if it was put, and not otherwise", () => {
  const queue = newQueueOf(2);
  const source = newScratch(), into = newScratch();
  let times = 0;
  const beforehand = () => void times++;
  assert.equal(queue.sender.tryPut(source, 0, 16, undefined, beforehand), 1);
  assert.equal(queue.sender.tryPut(source, 0, 16, 1, beforehand), FULL);
  assert.equal(times, 1);
  const fails = () => {
    throw new Error("it can't be done");
  };
  for (const length of [16, 300_000]) {
    recordOf(source, length, 1);
    assert.throws(() => queue.sender.tryPut(source, 0, length, undefined, fails), /can't be done/);
  }
  assert.equal(queue.receiver.size, 1);
  recordOf(source, 24, 7);
  assert.equal(queue.sender.tryPut(source, 0, 24), 1);
  assert.equal(take(queue.receiver, into), 16);
  assert.equal(take(queue.receiver, into), 24);
  check(into, 24, 7);
  assert.equal(take(queue.receiver, into), EMPTY);
});

Deno.test("room that was reserved for a record is there even if no segment can be sent", async () => {
  await withSeeds(seeds(10), (random) => {
    const queue = newQueueOf();
    const source = newScratch(), into = newScratch();
    let put = 0, taken = 0;
    for (let i = 0; i < 3000; i++) {
      queue.fails = () => false;
      const length = random() < 0.01 ? 300_000 : between(random, 5, 500);
      queue.sender.tryPut(recordOf(source, length, 1), 0, length);
      queue.sender.reserve(12);
      queue.fails = () => true;
      assert.equal(queue.sender.tryPut(recordOf(source, 12, i), 0, 12), 1);
      put += 2;
      while (taken < put && random() < 0.7) {
        const got = take(queue.receiver, into);
        if (taken++ % 2 === 1) {
          assert.equal(got, 12);
          check(into, 12, (taken >> 1) - 1);
        }
      }
    }
  });
});

Deno.test("the end that the sender and the receiver declare is seen by both, and moves with them", () => {
  const queue = newQueueOf();
  assert.deepEqual([queue.receiver.hasEnded, queue.sender.isRefused], [false, false]);
  queue.sender.tryPut(newScratch(), 0, 12);
  queue.sender.end();
  queue.receiver.refuse();
  queue.moveSender();
  queue.moveReceiver();
  assert.deepEqual([queue.sender.hasEnded, queue.receiver.hasEnded], [true, true]);
  assert.deepEqual([queue.sender.isRefused, queue.receiver.isRefused], [true, true]);
  assert.equal(take(queue.receiver, newScratch()), 12);
});
