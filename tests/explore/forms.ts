// Forms of code that the transform changes: each gives the same result as it is and transformed.

const words = new Int32Array(new SharedArrayBuffer(64));

function next(): number {
  return Atomics.add(words, 0, 1);
}

class Counter {
  readonly list = [next(), next()];
  #secret = 1;
  static made = 0;

  readonly step: number;

  constructor(step = next()) {
    this.step = step;
    Counter.made++;
  }

  get now(): number {
    return Atomics.load(words, 0);
  }

  get secret(): number {
    return this.#secret + Atomics.load(words, 0) * 0;
  }

  set secret(value: number) {
    this.#secret = value + Atomics.load(words, 0) * 0;
  }

  get own(): this {
    Atomics.load(words, 0);
    return this;
  }

  method(n: number): number {
    return n + next() * 0;
  }

  #private(n: number): number {
    return this.method(n) + 1;
  }

  callPrivate(n: number): number {
    return this.#private(n);
  }

  readonly arrow = (n: number): number => this.method(n) * 2;

  maybe(): Counter | undefined {
    return next() >= 0 ? this : undefined;
  }

  none(): Counter | undefined {
    return next() < 0 ? this : undefined;
  }

  async later(n: number): Promise<number> {
    await undefined;
    return this.method(n);
  }

  [Symbol.toPrimitive](): string {
    return "counter";
  }
}

class Sub extends Counter {
  override method(n: number): number {
    return super.method(n) + 100;
  }
}

function withDefaults(
  { now, own: { secret = 5 } = new Counter(), extra = next() * 0 }: Counter & { extra?: number },
): number[] {
  return [typeof now, secret, extra].map((each) => typeof each === "number" ? each : 0);
}

function thrower(): never {
  next();
  throw new Error("thrown");
}

function caught(): string {
  try {
    thrower();
  } catch (error) {
    next();
    return (error as Error).message;
  } finally {
    next();
  }
}

function* nothing(): Generator<number> {
  yield 1;
}
void nothing;

function labelled(): number {
  let count = 0;
  outer: for (let i = 0; i < 3; i++) {
    for (const j of [0, 1, 2]) {
      if (Atomics.load(words, 0) < 0) break outer;
      if (j === 1) continue outer;
      count++;
    }
  }
  do count += next() * 0 + 1; while (count < 5);
  while (count < 7) count += Atomics.load(words, 0) * 0 + 1;
  for (const key in { a: 1, b: 2 }) count += key.length + next() * 0;
  return count;
}

function elements(): number[] {
  const plain = new Int32Array(new SharedArrayBuffer(32)), list = [1, 2, 3];
  plain[0] = 5;
  plain[1] += 2;
  plain[0] -= plain[1] * 2;
  const old = plain[2]++, now = ++plain[2], less = plain[2]--;
  list[1] ??= 7;
  list[0] += list[2]--;
  plain.set([7, 8], 4);
  plain.copyWithin(6, 4, 5);
  plain.subarray(3, 4).fill(9);
  return [...plain, old, now, less, ...list, ...plain.slice(4, 6)];
}

function callbacks(): unknown[] {
  const list = [1, 2, 3];
  const isEven = (n: number) => Atomics.load(words, 0) >= 0 && n % 2 === 0;
  return [
    list.map((n) => n + next() * 0),
    list.filter(isEven),
    list.some(isEven),
    list.every(isEven),
    list.find(isEven),
    list.findIndex(isEven),
    list.reduce((sum, n) => sum + n + next() * 0, 10),
    list.reduce((sum, n) => sum + n + next() * 0),
    list.flatMap((n) => next() < 0 ? [] : [n, n]),
    list.map((n) => n * 2),
    [...new Set(list)].map((n) => n + next() * 0),
  ];
}

function chains(): unknown[] {
  const counter = new Counter(), none = [].at(0) as Counter | undefined;
  const record: { counter?: Counter; fn?: (n: number) => number } = {
    counter,
    fn: (n) => n + next() * 0,
  };
  const empty: typeof record = {};
  return [
    counter?.method(1),
    none?.method(1),
    record.counter?.method(2),
    empty.counter?.method(2),
    record.fn?.(3),
    empty.fn?.(3),
    counter.maybe()?.method(4),
    counter.none()?.method(4),
    (counter.maybe()?.list)?.at(0) !== undefined,
    (counter.none()?.list)?.at(0),
    counter.own.own?.secret,
    none?.secret,
    counter.maybe()?.list[0] !== undefined,
  ];
}

function assignments(): unknown[] {
  const counter = new Counter();
  counter.secret = 5;
  counter.secret += 2;
  const { secret, list: [first] } = counter;
  const value = (counter.secret = 9);
  return [counter.secret, secret, first !== undefined, value];
}

function loops(): number[] {
  const found: number[] = [];
  for (const { secret, step } of [new Counter(1), new Counter(2)]) found.push(secret, step);
  for (let i = 0, { secret } = new Counter(); i < 2; i++) found.push(secret + i);
  const closures = [0, 1, 2].map((i) => () => i + next() * 0);
  for (const closure of closures) found.push(closure());
  return found;
}

async function awaits(): Promise<unknown[]> {
  const counter = new Counter();
  const order: string[] = [];
  const later = (async () => {
    order.push("begins");
    await null;
    order.push("goes on");
    return next() * 0 + 3;
  })();
  order.push("after");
  const results = await Promise.all([later, counter.later(4), 5]);
  const settled = await Promise.allSettled([Promise.reject(new Error("no")), counter.later(1)]);
  const chained = await counter.later(1).then((n) => n + next() * 0).then((n) => n + 1);
  const failed = await Promise.reject(new Error("bad")).catch((error) => error.message + next() * 0)
    .finally(() => next());
  let thrown = "";
  try {
    await (async () => {
      await null;
      thrower();
    })();
  } catch (error) {
    thrown = (error as Error).message;
  }
  const made = await new Promise<number>((resolve) => resolve(next() * 0 + 8));
  return [order, results, settled.map(({ status }) => status), chained, failed, thrown, made];
}

/** What all forms give. */
export async function forms(): Promise<string> {
  const sub = new Sub();
  const tagged = ((parts: TemplateStringsArray, n: number) => parts.join("|") + n)`a${next() * 0}b`;
  return JSON.stringify([
    new Counter().callPrivate(1),
    sub.method(1),
    sub.arrow(1),
    sub.callPrivate(2),
    withDefaults(new Counter()),
    caught(),
    labelled(),
    elements(),
    callbacks(),
    chains(),
    assignments(),
    loops(),
    tagged,
    `${sub}`,
    Counter.made > 0,
    await awaits(),
    Atomics.load(words, 0),
  ]);
}
