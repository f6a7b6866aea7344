// Whether two values are the same in everything that structured cloning keeps. deepStrictEqual
// is blind to some of it: the identity of objects, a length that is tracked, an
// error's own properties, lastIndex.

import assert from "node:assert/strict";

/** Throws an AssertionError that names the place where `actual` differs from `expected`. */
export function assertSame(actual: unknown, expected: unknown): void {
  const pairs = new Map<unknown, unknown>();
  const taken = new Set<unknown>();
  const todo: [unknown, unknown, string][] = [[actual, expected, "value"]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [a, e, place] = next;
    if (typeof e !== "object" || e === null) {
      if (!Object.is(a, e)) assert.fail(`${place} is ${String(a)}, not ${String(e)}`);
      continue;
    }
    if (typeof a !== "object" || a === null) assert.fail(`${place} is ${String(a)}, no object`);
    if (pairs.has(e)) {
      assert.ok(pairs.get(e) === a, `${place} is another object than elsewhere`);
      continue;
    }
    assert.ok(!taken.has(a), `${place} is the same object as elsewhere`);
    pairs.set(e, a);
    taken.add(a);
    compareOne(a, e, place, todo);
  }
}

function compareOne(a: object, e: object, place: string, todo: [unknown, unknown, string][]) {
  assert.equal(Object.getPrototypeOf(a), Object.getPrototypeOf(e), `${place}'s prototype`);
  // The elements of a view are compared as bytes of its buffer.
  const keys = ArrayBuffer.isView(e) ? [] : strings(e);
  if (!ArrayBuffer.isView(e)) assert.deepEqual(strings(a), keys, `${place}'s keys, in order`);
  for (const key of keys) {
    const actual = Object.getOwnPropertyDescriptor(a, key);
    const expected = Object.getOwnPropertyDescriptor(e, key);
    assert.deepEqual(shape(actual), shape(expected), `${place}.${key}`);
    todo.push([Reflect.get(a, key), Reflect.get(e, key), `${place}.${key}`]);
  }
  for (const [name, actual, expected] of inner(a, e)) {
    todo.push([actual, expected, `${place}, ${name}`]);
  }
}

function strings(object: object): string[] {
  return Reflect.ownKeys(object).filter((key) => typeof key === "string");
}

function shape(descriptor: PropertyDescriptor | undefined) {
  const { writable, enumerable, configurable, get, set } = descriptor ?? {};
  return { writable, enumerable, configurable, get: get !== undefined, set: set !== undefined };
}

function* inner(a: object, e: object): Generator<[string, unknown, unknown]> {
  if (e instanceof Map && a instanceof Map) {
    yield ["size", a.size, e.size];
    const entries = [...a];
    let i = 0;
    for (const [key, value] of e) {
      yield [`key ${i}`, entries[i][0], key];
      yield [`value ${i}`, entries[i++][1], value];
    }
  } else if (e instanceof Set && a instanceof Set) {
    yield ["size", a.size, e.size];
    const members = [...a];
    let i = 0;
    for (const member of e) yield [`member ${i}`, members[i++], member];
  } else if (e instanceof Date && a instanceof Date) {
    yield ["time", a.getTime(), e.getTime()];
  } else if (e instanceof RegExp && a instanceof RegExp) {
    yield ["source", String(a), String(e)];
  } else if (e instanceof ArrayBuffer && a instanceof ArrayBuffer) {
    yield ["resizable", a.resizable, e.resizable];
    yield ["maxByteLength", a.maxByteLength, e.maxByteLength];
    yield ["byteLength", a.byteLength, e.byteLength];
    assert.ok(sameBytes(new Uint8Array(a), new Uint8Array(e)), "the bytes of a buffer differ");
  } else if (ArrayBuffer.isView(e) && ArrayBuffer.isView(a)) {
    yield ["byteOffset", a.byteOffset, e.byteOffset];
    yield ["byteLength", a.byteLength, e.byteLength];
    yield ["length when resized", observed(a), observed(e)];
    yield ["buffer", a.buffer, e.buffer];
  } else if (e instanceof DOMException && a instanceof DOMException) {
    yield ["code", `${a.name}, ${a.message}, ${a.code}`, `${e.name}, ${e.message}, ${e.code}`];
  } else if (typeof e.valueOf() !== "object") {
    yield ["boxed value", a.valueOf(), e.valueOf()];
  }
}

function sameBytes(a: Uint8Array, e: Uint8Array): boolean {
  if (a.length !== e.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== e[i]) return false;
  return true;
}

/** What becomes of a view when its buffer grows and shrinks; the buffer is as before after it. */
function observed(view: ArrayBufferView): string {
  const { buffer, byteOffset, byteLength } = view;
  if (!(buffer instanceof ArrayBuffer) || !buffer.resizable) return "fixed";
  const bytes = new Uint8Array(buffer.slice(0));
  const lengths: unknown[] = [];
  for (const size of [buffer.maxByteLength, Math.max(byteOffset + byteLength - 1, 0)]) {
    buffer.resize(size);
    try {
      lengths.push(view.byteLength);
    } catch {
      lengths.push("a DataView out of bounds");
    }
  }
  buffer.resize(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return lengths.join();
}
