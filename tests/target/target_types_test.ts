// The compiler's view of targets and their arguments: this file is type-checked, and the calls that must not be
// accepted are marked.

import assert from "node:assert/strict";
import { Process, type Queue, type SharedArray } from "@multiproc/multiprocessing";

type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends (<T>() => T extends Y ? 1 : 2) ? true
  : false;

/** Only for types that are the same. */
function same<_T extends true>(): void {}

function add(a: number, b: number): number {
  return a + b;
}

function optional(a: number, b = 2): number {
  return a + b;
}

function rest(text: string, ...numbers: number[]): string {
  return `${text}${numbers}`;
}

function overloaded(a: string): string;
function overloaded(a: number, b: number): number;
function overloaded(a: unknown, b?: unknown): unknown {
  return b ?? a;
}

function identity<T>(value: T): T {
  return value;
}

function first<T>(values: readonly T[]): T {
  return values[0];
}

/** Functions of the same parameters and different results. */
const table = {
  length: (text: string) => text.length,
  upper: (text: string) => text.toUpperCase(),
  later: (text: string) => Promise.resolve([text]),
};

/** Functions of different parameters. */
const mixed = { number: (n: number) => n, text: (text: string) => text };

Deno.test("arguments may be given as const, and are checked against the parameters", () => {
  const args = [1, 2] as const, frozen: readonly [number, number] = Object.freeze([1, 2] as const);
  const process = new Process({ target: add, args });
  same<Same<typeof process, Process<[a: number, b: number], number>>>();
  new Process({ target: add, args: frozen });
  new Process({ target: "add", args, module: import.meta.url });
  // @ts-expect-error the second one is missing
  new Process({ target: add, args: [1] as const });
  // @ts-expect-error the second one is a string
  new Process({ target: add, args: [1, "2"] as const });
  // @ts-expect-error there are only two
  new Process({ target: add, args: [1, 2, 3] as const });
  // @ts-expect-error they are missing
  new Process({ target: add });
  // @ts-expect-error an array, of no known length
  new Process({ target: add, args: [1, 2] as readonly number[] });
});

Deno.test("parameters with defaults may be left out, and rest parameters are any number", () => {
  new Process({ target: optional, args: [1] });
  new Process({ target: optional, args: [1, 2] as const });
  new Process({ target: rest, args: ["a"] });
  new Process({ target: rest, args: ["a", 1, 2] as const });
  new Process({ target: (...numbers: number[]) => numbers });
  new Process({ target: (...numbers: number[]) => numbers, args: [1, 2] as readonly number[] });
  // @ts-expect-error one is needed
  new Process({ target: optional, args: [] });
  // @ts-expect-error a string among the numbers
  new Process({ target: rest, args: ["a", 1, "b"] });
});

Deno.test("a target of a table has the results of all of them", () => {
  const key = "upper" as keyof typeof table;
  const process = new Process({ target: table[key], args: ["a"] });
  same<Same<ReturnType<typeof process.resultNowait>, number | string | string[]>>();
  new Process({ target: table[key], args: ["a"] as const });
  for (const target of Object.values(table)) new Process({ target, args: ["a"] });
  const one = new Process({ target: table.later, args: ["a"] });
  same<Same<ReturnType<typeof one.resultNowait>, string[]>>();
  // @ts-expect-error none takes a number
  new Process({ target: table[key], args: [1] });
  // @ts-expect-error they are missing
  new Process({ target: table[key] });
  // @ts-expect-error one of them takes a number
  new Process({ target: mixed["text" as keyof typeof mixed], args: ["a"] });
});

Deno.test("an overloaded target takes what any of its forms does", () => {
  new Process({ target: overloaded, args: ["a"] });
  const process = new Process({ target: overloaded, args: [1, 2] });
  same<Same<ReturnType<typeof process.resultNowait>, number>>();
  const either = new Process({ target: overloaded, args: ["a"] as const });
  same<Same<ReturnType<typeof either.resultNowait>, string | number>>();
  // @ts-expect-error no form takes that
  new Process({ target: overloaded, args: [true] });
  // @ts-expect-error no form takes one number
  new Process({ target: overloaded, args: [1] });
});

Deno.test("a generic target takes anything that fits, and can be told of what type", () => {
  new Process({ target: identity, args: [5] });
  new Process({ target: first, args: [[1, 2]] });
  const process = new Process({ target: identity<string>, args: ["a"] });
  same<Same<ReturnType<typeof process.resultNowait>, string>>();
  // @ts-expect-error it is a string
  new Process({ target: identity<string>, args: [5] });
  // @ts-expect-error no array
  new Process({ target: first, args: [1] });
});

Deno.test("parameters that are known by the arguments, and handed over ones", () => {
  new Process({ target: (n) => n * 2, args: [2 as number] });
  const target = async (queue: Queue<number>, shared: SharedArray<"i32">) => {
    await queue.put(shared[0]);
  };
  const args = [] as unknown as readonly [Queue<number>, SharedArray<"i32">];
  const process = new Process({ target, args });
  same<Same<ReturnType<typeof process.resultNowait>, void>>();
});

Deno.test("subclasses, with type arguments and without, are processes", () => {
  class Plain extends Process {
    constructor(readonly n: number) {
      super({ name: "plain" });
    }
    override run(): number {
      return this.n;
    }
  }
  class Typed extends Process<[], string> {
    override run(): Promise<string> {
      return Promise.resolve("a");
    }
  }
  const typed = new Typed();
  same<Same<ReturnType<typeof typed.resultNowait>, string>>();
  const processes: Process[] = [new Plain(1), typed as unknown as Process];
  for (const process of processes) assert.ok(process instanceof Process);
  assert.equal(Process.name, "Process");
  assert.equal(new Plain(1).constructor.name, "Plain");
});
