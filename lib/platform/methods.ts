// Methods of prototypes as functions that take their `this` first, as MapPrototypeGet(map, key). They are the
// methods that existed when this module was loaded. Node and Deno use the same names for the same functions.
//
// Methods that make an array make a plain one here. The language's own would read the array's constructor, and
// that constructor's species, and both can be replaced.

// deno-lint-ignore no-explicit-any
type Method = (...args: any) => any;
type WithThis<F extends Method, T> = (self: T, ...args: Parameters<F>) => ReturnType<F>;

const { bind, call } = globalThis.Function.prototype;
const { apply } = globalThis.Reflect;

/** A function that calls `method` with its first argument as `this`; V8 calls it as directly as the method. */
function uncurryThis<T, F extends Method>(method: F): WithThis<F, T> {
  return apply(bind, call, [method]) as WithThis<F, T>;
}

const array = globalThis.Array.prototype,
  string = globalThis.String.prototype,
  map = globalThis.Map.prototype,
  set = globalThis.Set.prototype,
  regExp = globalThis.RegExp.prototype;

// Arrays

// deno-lint-ignore no-explicit-any
type Any = any;
type List<T> = ArrayLike<T>;

export const ArrayPrototypePush = uncurryThis(array.push) as <T>(
    list: T[],
    ...items: T[]
  ) => number,
  ArrayPrototypePop = uncurryThis(array.pop) as <T>(list: T[]) => T | undefined,
  ArrayPrototypeShift = uncurryThis(array.shift) as <T>(list: T[]) => T | undefined,
  ArrayPrototypeIndexOf = uncurryThis(array.indexOf) as <T>(list: List<T>, item: T) => number,
  ArrayPrototypeIncludes = uncurryThis(array.includes) as <T>(list: List<T>, item: T) => boolean,
  ArrayPrototypeJoin = uncurryThis(array.join) as (
    list: List<unknown>,
    separator?: string,
  ) => string,
  ArrayPrototypeReverse = uncurryThis(array.reverse) as <T>(list: T[]) => T[],
  ArrayPrototypeFill = uncurryThis(array.fill) as <T>(list: T[], value: T) => T[],
  ArrayPrototypeSome = uncurryThis(array.some) as Any as <T>(
    list: List<T>,
    test: (item: T, index: number) => unknown,
  ) => boolean,
  ArrayPrototypeEvery = uncurryThis(array.every) as Any as <T>(
    list: List<T>,
    test: (item: T, index: number) => unknown,
  ) => boolean,
  ArrayPrototypeFind = uncurryThis(array.find) as Any as <T>(
    list: List<T>,
    test: (item: T, index: number) => unknown,
  ) => T | undefined,
  ArrayPrototypeFindIndex = uncurryThis(array.findIndex) as Any as <T>(
    list: List<T>,
    test: (item: T, index: number) => unknown,
  ) => number,
  ArrayPrototypeUnshift = uncurryThis(array.unshift) as <T>(list: T[], ...items: T[]) => number,
  ArrayPrototypeSort = uncurryThis(array.sort) as <T>(
    list: T[],
    compare: (a: T, b: T) => number,
  ) => T[];

export function ArrayPrototypeAt<T>(list: List<T>, index: number): T | undefined {
  return list[index < 0 ? list.length + index : index];
}

export function ArrayPrototypeMap<T, R>(list: List<T>, make: (item: T, index: number) => R): R[] {
  const made: R[] = [];
  for (let i = 0; i < list.length; i++) made[i] = make(list[i], i);
  return made;
}

export function ArrayPrototypeFilter<T, S extends T>(
  list: List<T>,
  test: (item: T, index: number) => item is S,
): S[];
export function ArrayPrototypeFilter<T>(
  list: List<T>,
  test: (item: T, index: number) => unknown,
): T[];
export function ArrayPrototypeFilter<T>(
  list: List<T>,
  test: (item: T, index: number) => unknown,
): T[] {
  const kept: T[] = [];
  for (let i = 0; i < list.length; i++) if (test(list[i], i)) kept[kept.length] = list[i];
  return kept;
}

export function ArrayPrototypeFlatMap<T, R>(
  list: List<T>,
  make: (item: T, index: number) => R | readonly R[],
): R[] {
  const made: R[] = [];
  for (let i = 0; i < list.length; i++) {
    const one = make(list[i], i);
    if (!isArray(one)) made[made.length] = one as R;
    else for (let j = 0; j < one.length; j++) made[made.length] = one[j];
  }
  return made;
}
const { isArray } = globalThis.Array;

export function ArrayPrototypeSlice<T>(list: List<T>, start = 0, end = list.length): T[] {
  const last = end < 0 ? list.length + end : end < list.length ? end : list.length;
  const copy: T[] = [];
  for (let i = start < 0 ? list.length + start : start; i < last; i++) copy[copy.length] = list[i];
  return copy;
}

/** Several lists as one. */
export function ArrayPrototypeConcat<T>(...lists: List<T>[]): T[] {
  const all: T[] = [];
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i];
    for (let j = 0; j < list.length; j++) all[all.length] = list[j];
  }
  return all;
}

/** Takes elements out of an array and puts others in their place. Returns the elements taken out. */
export function ArrayPrototypeSplice<T>(
  list: T[],
  start: number,
  count = list.length - start,
  ...items: T[]
): T[] {
  const taken: T[] = [], length = list.length, added = items.length;
  const gone = count < length - start ? count : length - start;
  // V8 takes the first one away without moving the others.
  if (start === 0 && gone === 1 && added === 0) return [ArrayPrototypeShift(list) as T];
  for (let i = 0; i < gone; i++) taken[i] = list[start + i];
  const shift = added - gone;
  if (shift < 0) {
    for (let i = start + gone; i < length; i++) list[i + shift] = list[i];
    list.length = length + shift;
  } else if (shift > 0) {
    for (let i = 0; i < shift; i++) list[length + i] = items[0];
    for (let i = length - 1; i >= start + gone; i--) list[i + shift] = list[i];
  }
  for (let i = 0; i < added; i++) list[start + i] = items[i];
  return taken;
}

// Maps and sets that users see; for its own use this library has those of containers.ts.

export const MapPrototypeGet = uncurryThis(map.get) as <K, V>(
    map: ReadonlyMap<K, V>,
    key: K,
  ) => V | undefined,
  MapPrototypeSet = uncurryThis(map.set) as <K, V>(map: Map<K, V>, key: K, value: V) => Map<K, V>,
  MapPrototypeHas = uncurryThis(map.has) as <K>(map: ReadonlyMap<K, unknown>, key: K) => boolean,
  MapPrototypeClear = uncurryThis(map.clear) as (map: Map<unknown, unknown>) => void,
  SetPrototypeAdd = uncurryThis(set.add) as <T>(set: Set<T>, item: T) => Set<T>,
  SetPrototypeHas = uncurryThis(set.has) as <T>(set: ReadonlySet<T>, item: T) => boolean,
  SetPrototypeClear = uncurryThis(set.clear) as (set: Set<unknown>) => void;

const { iterator } = globalThis.Symbol;

/**
 * A function that spreads an iterator of a map or set, if the iterator's prototype is still the original:
 * spread is twice as fast as forEach (Deno 2.9.6).
 */
function spreader(prototype: Any): <T>(of: Iterable<T>) => T[] | undefined {
  const { next, [iterator]: self } = prototype;
  return (of) => {
    if (prototype.next === next && prototype[iterator] === self) return [...of];
  };
}
const { getPrototypeOf } = globalThis.Object;
const spreadOfMap = spreader(getPrototypeOf(new globalThis.Map().keys())),
  spreadOfSet = spreader(getPrototypeOf(new globalThis.Set().values()));

const forEachOfMap = uncurryThis(map.forEach) as Any,
  forEachOfSet = uncurryThis(set.forEach) as Any,
  keysOfMap = uncurryThis(map.keys) as Any,
  valuesOfMap = uncurryThis(map.values) as Any,
  iterateSet = uncurryThis(set.values) as Any;

/** The keys of a map, and the values, as they are now. */
export function entriesOfMap<K, V>(map: ReadonlyMap<K, V>): { keys: K[]; values: V[] } {
  const allKeys = spreadOfMap<K>(keysOfMap(map)), allValues = spreadOfMap<V>(valuesOfMap(map));
  if (allKeys !== undefined && allValues !== undefined) return { keys: allKeys, values: allValues };
  const keys: K[] = [], values: V[] = [];
  forEachOfMap(map, (value: V, key: K) => {
    keys[keys.length] = key;
    values[values.length] = value;
  });
  return { keys, values };
}

/** The values of a set, as they are now. */
export function valuesOfSet<T>(set: ReadonlySet<T>): T[] {
  const all = spreadOfSet<T>(iterateSet(set));
  if (all !== undefined) return all;
  const values: T[] = [];
  forEachOfSet(set, (value: T) => values[values.length] = value);
  return values;
}

// Strings and patterns

export const StringPrototypeSlice = uncurryThis<string, typeof string.slice>(string.slice),
  StringPrototypeIndexOf = uncurryThis<string, typeof string.indexOf>(string.indexOf),
  StringPrototypeCharCodeAt = uncurryThis<string, typeof string.charCodeAt>(string.charCodeAt),
  StringPrototypeStartsWith = uncurryThis<string, typeof string.startsWith>(string.startsWith),
  StringPrototypeEndsWith = uncurryThis<string, typeof string.endsWith>(string.endsWith),
  StringPrototypeIncludes = uncurryThis<string, typeof string.includes>(string.includes),
  StringPrototypeTrim = uncurryThis<string, typeof string.trim>(string.trim),
  StringPrototypeLastIndexOf = uncurryThis<string, typeof string.lastIndexOf>(string.lastIndexOf),
  StringPrototypeRepeat = uncurryThis<string, typeof string.repeat>(string.repeat);

const encoder = new globalThis.TextEncoder(), decoder = new globalThis.TextDecoder();
const encode = uncurryThis<TextEncoder, typeof encoder.encode>(encoder.encode),
  decode = uncurryThis<TextDecoder, (bytes: Uint8Array) => string>(decoder.decode);

/** As encodeInto() of a TextEncoder. */
export const encodeTextInto = apply(bind, encoder.encodeInto, [
  encoder,
]) as typeof encoder.encodeInto;

/** The UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encode(encoder, text);
}

/** The text of UTF-8 bytes; their memory must not be shared. */
export function decodeText(bytes: Uint8Array): string {
  return decode(decoder, bytes);
}

/** Not bound, as it needs no `this`: a bound function takes 3 ns more per call (Deno 2.9.6). */
export const StringFromCharCode = globalThis.String.fromCharCode;

export const RegExpPrototypeExec = uncurryThis<RegExp, typeof regExp.exec>(regExp.exec);

/** Whether a pattern matches. */
export function RegExpPrototypeTest(pattern: RegExp, text: string): boolean {
  return RegExpPrototypeExec(pattern, text) !== null;
}

/** All matches of a pattern with the flag `g`. */
export function matchesOf(pattern: RegExp, text: string): RegExpExecArray[] {
  const all: RegExpExecArray[] = [];
  pattern.lastIndex = 0;
  for (
    let match = RegExpPrototypeExec(pattern, text);
    match !== null;
    match = RegExpPrototypeExec(pattern, text)
  ) {
    all[all.length] = match;
    if (match[0] === "") pattern.lastIndex++;
  }
  return all;
}

/** The text with each match of a pattern with the flag `g` replaced. */
export function replaceMatches(
  text: string,
  pattern: RegExp,
  make: (match: RegExpExecArray) => string,
): string {
  const matches = matchesOf(pattern, text);
  let made = "", at = 0;
  for (let i = 0; i < matches.length; i++) {
    const match = matches[i];
    made += StringPrototypeSlice(text, at, match.index) + make(match);
    at = match.index + match[0].length;
  }
  return made + StringPrototypeSlice(text, at);
}

/** The text with each `part` replaced by another text. */
export function replaceText(text: string, part: string, by: string): string {
  return ArrayPrototypeJoin(splitText(text, part), by);
}

/** The parts of a text between separators. */
export function splitText(text: string, separator: string): string[] {
  const parts: string[] = [];
  let at = 0;
  for (
    let next = StringPrototypeIndexOf(text, separator);
    next >= 0;
    next = StringPrototypeIndexOf(text, separator, at)
  ) {
    parts[parts.length] = StringPrototypeSlice(text, at, next);
    at = next + separator.length;
  }
  parts[parts.length] = StringPrototypeSlice(text, at);
  return parts;
}

// Bytes

const typedArray = getPrototypeOf(globalThis.Uint8Array.prototype) as Uint8Array;

export const TypedArrayPrototypeSet = uncurryThis(typedArray.set) as (
    to: Uint8Array,
    from: ArrayLike<number>,
    at?: number,
  ) => void,
  TypedArrayPrototypeSlice = uncurryThis(typedArray.slice) as (
    bytes: Uint8Array,
    start?: number,
    end?: number,
  ) => Uint8Array<ArrayBuffer>,
  TypedArrayPrototypeCopyWithin = uncurryThis(typedArray.copyWithin) as (
    words: Int32Array,
    to: number,
    start: number,
    end: number,
  ) => void,
  TypedArrayPrototypeFill = uncurryThis(typedArray.fill) as (
    bytes: Uint8Array,
    value: number,
    start: number,
    end: number,
  ) => Uint8Array,
  ArrayBufferPrototypeSlice = uncurryThis(globalThis.ArrayBuffer.prototype.slice) as (
    buffer: ArrayBuffer,
    begin: number,
  ) => ArrayBuffer,
  ArrayBufferPrototypeResize = uncurryThis(globalThis.ArrayBuffer.prototype.resize) as (
    buffer: ArrayBuffer,
    bytes: number,
  ) => void,
  SharedArrayBufferPrototypeGrow = uncurryThis(globalThis.SharedArrayBuffer.prototype.grow) as (
    buffer: SharedArrayBuffer,
    bytes: number,
  ) => void,
  TypedArrayPrototypeSubarray = uncurryThis(typedArray.subarray) as <
    A extends Uint8Array | Int32Array,
  >(bytes: A, start?: number, end?: number) => A;

// Others

const { toString: numberToString } = globalThis.BigInt.prototype;
const { toFixed } = globalThis.Number.prototype;
export const FunctionPrototypeToString = uncurryThis<object, () => string>(
    globalThis.Function.prototype.toString,
  ),
  ObjectPrototypeHasOwnProperty = uncurryThis<object, (key: PropertyKey) => boolean>(
    globalThis.Object.prototype.hasOwnProperty,
  ),
  ObjectPrototypeToString = uncurryThis<unknown, () => string>(
    globalThis.Object.prototype.toString,
  ),
  BigIntPrototypeToString = uncurryThis<bigint, typeof numberToString>(numberToString),
  NumberPrototypeToFixed = uncurryThis<number, typeof toFixed>(toFixed),
  DatePrototypeGetTime = uncurryThis<Date, () => number>(globalThis.Date.prototype.getTime),
  StringPrototypeToUpperCase = uncurryThis<string, () => string>(string.toUpperCase),
  FinalizationRegistryPrototypeRegister = uncurryThis(
    globalThis.FinalizationRegistry.prototype.register,
  ) as <T>(registry: FinalizationRegistry<T>, target: object, held: T, token?: WeakKey) => void,
  FinalizationRegistryPrototypeUnregister = uncurryThis(
    globalThis.FinalizationRegistry.prototype.unregister,
  ) as <T>(registry: FinalizationRegistry<T>, token: WeakKey) => boolean,
  WeakMapPrototypeGet = uncurryThis(globalThis.WeakMap.prototype.get) as <K extends WeakKey, V>(
    map: WeakMap<K, V>,
    key: K,
  ) => V | undefined,
  WeakMapPrototypeSet = uncurryThis(globalThis.WeakMap.prototype.set) as <K extends WeakKey, V>(
    map: WeakMap<K, V>,
    key: K,
    value: V,
  ) => WeakMap<K, V>,
  WeakSetPrototypeAdd = uncurryThis(globalThis.WeakSet.prototype.add) as <T extends WeakKey>(
    set: WeakSet<T>,
    value: T,
  ) => WeakSet<T>,
  WeakSetPrototypeHas = uncurryThis(globalThis.WeakSet.prototype.has) as <T extends WeakKey>(
    set: WeakSet<T>,
    value: T,
  ) => boolean,
  WeakRefPrototypeDeref = uncurryThis(globalThis.WeakRef.prototype.deref) as <T extends WeakKey>(
    ref: WeakRef<T>,
  ) => T | undefined;

/** The description of a symbol. */
export const SymbolPrototypeGetDescription = uncurryThis<symbol, () => string | undefined>(
  globalThis.Object.getOwnPropertyDescriptor(globalThis.Symbol.prototype, "description")!.get!,
);

/** A function that calls a method, or a getter, with its argument as `this`. */
export function uncurryGetter<T, R>(method: (this: T) => R): (self: T) => R {
  return uncurryThis<T, () => R>(method);
}

/** A function that calls a method with its first argument as `this`. */
export function uncurry<T, A extends unknown[], R>(
  method: (this: T, ...args: A) => R,
): (self: T, ...args: A) => R {
  return uncurryThis<T, (...args: A) => R>(method as (...args: A) => R);
}

const promise = globalThis.Promise.prototype;
/** As then(), for a promise of the language's own. */
export const PromisePrototypeThen = uncurryThis(promise.then) as <T, R>(
  promise: Promise<T>,
  fulfilled: ((value: T) => R | PromiseLike<R>) | undefined,
  rejected?: (reason: unknown) => R | PromiseLike<R>,
) => Promise<R>;

const { Promise: Promises } = globalThis;

/** Resolves to the values of all these promises; rejects as soon as one of them does. */
export function whenAll<T>(promises: List<PromiseLike<T>>): Promise<T[]> {
  return new Promises((resolve, reject) => {
    const values: T[] = [];
    let left = promises.length;
    values.length = left;
    if (left === 0) resolve(values);
    const take = async (i: number) => {
      try {
        values[i] = await promises[i];
        if (--left === 0) resolve(values);
      } catch (error) {
        reject(error);
      }
    };
    for (let i = 0; i < promises.length; i++) take(i);
  });
}

/** Whether the object has its own property `value`; a program may have added one to Object.prototype. */
export function hasValue<T extends object>(
  object: T,
): object is Extract<T, { value?: unknown }> {
  return ObjectPrototypeHasOwnProperty(object, "value");
}
