// The queues for one process under random puts, gets, timeouts and aborts.

import assert from "node:assert/strict";
import { QueueEmpty, QueueFull } from "../../local.ts";
import { drain, each, turn } from "../support/local.ts";
import { between, withSeeds } from "../support/seed.ts";

/** What a queue should do, as simple as can be: who waits is in a list, and all is looked at anew. */
class Model {
  readonly items: number[] = [];
  readonly getters: number[] = [];
  readonly putters: { id: number; item: number }[] = [];
  /** What each operation was answered: an item, "put", "empty", "full" or "aborted". */
  readonly answers = new Map<number, unknown>();
  readonly #take: (items: number[]) => number;
  readonly #maxSize: number;

  constructor(name: string, maxSize: number) {
    this.#maxSize = maxSize;
    this.#take = (items) => {
      if (name === "PriorityQueue") items.sort((a, b) => a - b);
      return (name === "LifoQueue" ? items.pop() : items.shift()) as number;
    };
  }

  put(id: number, item: number, waits: boolean): void {
    this.putters.push({ id, item });
    this.#serve();
    if (!waits && this.putters.at(-1)?.id === id) {
      this.putters.pop();
      this.answers.set(id, "full");
    }
  }

  get(id: number, waits: boolean): void {
    this.getters.push(id);
    this.#serve();
    if (!waits && this.getters.at(-1) === id) {
      this.getters.pop();
      this.answers.set(id, "empty");
    }
  }

  abort(id: number): void {
    for (const line of [this.getters, this.putters]) {
      const at = line.findIndex((one) => one === id || Object(one).id === id);
      if (at < 0) continue;
      line.splice(at, 1);
      this.answers.set(id, "aborted");
    }
  }

  #serve(): void {
    for (;;) {
      const room = this.#maxSize === 0 || this.items.length < this.#maxSize;
      const [putter] = this.putters, [getter] = this.getters;
      if (getter !== undefined && this.items.length > 0) {
        this.getters.shift();
        this.answers.set(getter, this.#take(this.items));
      } else if (putter !== undefined && room) {
        this.putters.shift();
        this.items.push(putter.item);
        this.answers.set(putter.id, "put");
      } else return;
    }
  }
}

each("does what a model does, through random puts, gets, waits and aborts", async (Class) => {
  await withSeeds(Array.from({ length: 30 }, (_, i) => i), async (random, seed) => {
    const maxSize = [0, 1, 2, 5][seed % 4];
    const queue = new Class<number>({ maxSize }), model = new Model(Class.name, maxSize);
    const answers = new Map<number, Promise<unknown>>();
    const waits = new Map<number, AbortController>();
    const words = (error: unknown) => {
      if (error instanceof QueueEmpty) return "empty";
      if (error instanceof QueueFull) return "full";
      if (error === "aborted") return "aborted";
      throw error;
    };
    for (let id = 0; id < 300; id++) {
      const dice = random(), item = between(random, 0, 50);
      if (dice < 0.15) {
        const others = [...waits.keys()];
        if (others.length === 0) continue;
        const other = others[between(random, 0, others.length - 1)];
        waits.get(other)?.abort("aborted");
        waits.delete(other);
        model.abort(other);
      } else if (dice < 0.3) {
        try {
          if (random() < 0.5) {
            model.put(id, item, false);
            queue.putNowait(item);
            answers.set(id, Promise.resolve("put"));
          } else {
            model.get(id, false);
            answers.set(id, Promise.resolve(queue.getNowait()));
          }
        } catch (error) {
          answers.set(id, Promise.resolve(words(error)));
        }
      } else {
        const timeout = random() < 0.2 ? 0 : undefined;
        const { signal } = waits.set(id, new AbortController()).get(id)!;
        const isPut = random() < 0.5;
        if (isPut) model.put(id, item, timeout === undefined);
        else model.get(id, timeout === undefined);
        const answer = isPut
          ? queue.put(item, { timeout, signal }).then(() => "put")
          : queue.get({ timeout, signal });
        answers.set(id, answer.catch(words));
      }
      const { size, waitingToGet, waitingToPut } = queue.statistics();
      assert.deepEqual(
        [size, waitingToGet, waitingToPut],
        [model.items.length, model.getters.length, model.putters.length],
        `after step ${id}`,
      );
    }
    for (const [id, controller] of waits) {
      controller.abort("aborted");
      model.abort(id);
    }
    for (const [id, answer] of answers) {
      assert.equal(await answer, model.answers.get(id), `step ${id}`);
    }
  });
});

each(
  "waits that time out or are aborted at random lose nothing and double nothing",
  async (Class) => {
    await withSeeds([1, 2, 3, 4, 5, 6], async (random, seed) => {
      const queue = new Class<number>({ maxSize: seed % 3 });
      const inside = new Set<number>(), outside: number[] = [];
      const patience = () => ({
        timeout: between(random, 0, 3),
        signal: random() < 0.5 ? AbortSignal.timeout(between(random, 0, 3)) : undefined,
      });
      const isEarly = (error: unknown) =>
        error instanceof QueueEmpty || error instanceof QueueFull ||
        (error instanceof DOMException && error.name === "TimeoutError");
      let next = 0;
      const produce = async () => {
        for (let i = 0; i < 60; i++) {
          const item = next++;
          try {
            await queue.put(item, patience());
            inside.add(item);
          } catch (error) {
            if (!isEarly(error)) throw error;
          }
          if (random() < 0.1) await turn();
        }
      };
      const consume = async () => {
        for (let i = 0; i < 60; i++) {
          try {
            outside.push(await queue.get(patience()));
          } catch (error) {
            if (!isEarly(error)) throw error;
          }
          if (random() < 0.1) await turn();
        }
      };
      await Promise.all([produce(), consume(), produce(), consume(), produce(), consume()]);
      outside.push(...drain(queue));
      assert.deepEqual(outside.toSorted((a, b) => a - b), [...inside].sort((a, b) => a - b));
      const { waitingToGet, waitingToPut } = queue.statistics();
      assert.deepEqual([waitingToGet, waitingToPut], [0, 0]);
    });
  },
);
