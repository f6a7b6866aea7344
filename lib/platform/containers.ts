// Maps and sets for this library's own use. Their methods are copies of the language's, made when this module
// was loaded, and their iterators are their own, so that nothing a program replaces affects them. (Node and
// Deno have the same, by the same names.) And each(), which iterates an array in the same way.

const { Map, Set } = globalThis;
const { create, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } =
  globalThis.Object;
const { apply, construct, ownKeys } = globalThis.Reflect;
const { iterator } = globalThis.Symbol, { isArray } = globalThis.Array;

type Next<T> = () => IteratorResult<T, undefined>;

// These classes have no prototype above theirs; an object literal with `__proto__: null` is slow (Deno 2.9.6).

/** An iterator that calls nothing but `next`. */
class OwnIterator<T> implements IterableIterator<T, undefined, unknown> {
  readonly next: Next<T>;

  constructor(next: Next<T>) {
    this.next = next;
  }

  [Symbol.iterator](): this {
    return this;
  }

  static {
    setPrototypeOf(this.prototype, null);
  }
}

/** An iterator of the elements of an array. It is also the result object that its next() returns. */
class Elements<T> implements IterableIterator<T, undefined, unknown> {
  readonly #list: ArrayLike<T>;
  #next = 0;
  done = false;
  value: T | undefined = undefined;

  constructor(list: ArrayLike<T>) {
    this.#list = list;
  }

  next(): IteratorResult<T, undefined> {
    // In this form a list without a length, which hostile code may have sent, has no elements.
    this.done = !(this.#next < this.#list.length);
    this.value = this.done ? undefined : this.#list[this.#next++];
    return this as IteratorResult<T, undefined>;
  }

  [Symbol.iterator](): this {
    return this;
  }

  static {
    setPrototypeOf(this.prototype, null);
  }
}

/** An iterable for loops over an array. Changes of the array during the loop are seen. */
export function each<T>(list: ArrayLike<T>): Iterable<T> {
  return new Elements(list);
}

/** The elements of an iterable as a new array. Of an array only the elements are read, not its iterator. */
export function listOf<T>(iterable: Iterable<T>): T[] {
  if (!isArray(iterable)) return [...iterable];
  const list: T[] = [];
  for (let i = 0; i < iterable.length; i++) list[i] = iterable[i];
  return list;
}

/** An iterator with this `next`. */
export function iterate<T>(next: Next<T>): IterableIterator<T, undefined, unknown> {
  return new OwnIterator(next);
}

/** A set of these values. */
export function setOf<T>(list: ArrayLike<T>): Set<T> {
  const all = new SafeSet<T>();
  for (let i = 0; i < list.length; i++) all.add(list[i]);
  return all;
}

// deno-lint-ignore no-explicit-any
type Container = new () => any;

/** A class whose objects are made by the original, and have a copy of its prototype instead of that prototype. */
function safe<C extends Container>(original: C, methods: readonly string[]): C {
  const prototype = create(null);
  const next = getPrototypeOf(construct(original, []).values()).next;
  for (let i = 0, keys = ownKeys(original.prototype); i < keys.length; i++) {
    const descriptor = getOwnPropertyDescriptor(original.prototype, keys[i])!;
    defineProperty(prototype, keys[i], { __proto__: null, ...descriptor } as PropertyDescriptor);
  }
  for (let i = 0; i < methods.length; i++) {
    const method = original.prototype[methods[i]];
    const value = function (this: unknown) {
      const wrapped = apply(method, this, []);
      return new OwnIterator(() => apply(next, wrapped, []) as IteratorResult<unknown, undefined>);
    };
    const key = i === 0 ? iterator : methods[i];
    defineProperty(prototype, key, { __proto__: null, value } as PropertyDescriptor);
    if (i === 0) {
      defineProperty(prototype, methods[0], { __proto__: null, value } as PropertyDescriptor);
    }
  }
  const made = function () {
    return construct(original, [], made);
  };
  made.prototype = prototype;
  return made as unknown as C;
}

/** A Map for this library's own use; the constructor takes no entries. */
export const SafeMap = safe(Map, ["entries", "keys", "values"]) as new <K, V>() => Map<K, V>;

/** A Set for this library's own use; the constructor takes no values. */
export const SafeSet = safe(Set, ["values", "keys", "entries"]) as new <T>() => Set<T>;
