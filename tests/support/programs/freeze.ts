// Freezes the built-in objects of the language, as a lockdown does, when it is imported.

const { freeze, getPrototypeOf } = Object;

const classes = [
  ...[Object, Function, Array, Error, Promise, Map, Set, WeakMap, WeakSet, WeakRef, RegExp, Date],
  ...[TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError, AggregateError],
  ...[
    String,
    Number,
    Boolean,
    Symbol,
    BigInt,
    ArrayBuffer,
    SharedArrayBuffer,
    DataView,
    Uint8Array,
  ],
  ...[Int32Array, Float64Array, BigInt64Array, FinalizationRegistry, SuppressedError],
  ...[getPrototypeOf(Uint8Array), getPrototypeOf(async () => {}).constructor],
];

for (const one of classes) {
  freeze(one.prototype);
  // Some functions have a stackTraceLimit to set.
  if (one !== Error) freeze(one);
}
freeze(getPrototypeOf(getPrototypeOf([][Symbol.iterator]())));
freeze(getPrototypeOf(async function* () {}).prototype);
for (const space of [Atomics, JSON, Math, Reflect]) freeze(space);

/** The result of what is run where all is frozen. */
export async function work(n: number): Promise<number> {
  return await n * 2;
}

/** Throws where all is frozen. */
export function fail(): never {
  class Own extends RangeError {
    override name = "Own";
  }
  throw new Own("of a frozen child", { cause: new TypeError("the cause") });
}
