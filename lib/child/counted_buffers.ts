// Counts buffers in a sealed process with a memory limit. Code that makes buffers in a loop never gets to the
// event loop, where MemoryWatch checks the memory, and V8 sets no limit to them. So every function that makes
// large buffers is replaced by one that checks first. The classes can't be reached in another way:
// `constructor` leads to the replaced ones as well.

import type { MemoryWatch } from "./memory_watch.ts";
import { watchGrowth } from "../shm/growth.ts";
import * as primordials from "../platform/primordials.ts";

const { each, FinalizationRegistry, Object, Proxy, Reflect } = primordials;

// The classes themselves, and not primordials: those are stand-ins for some of them.
const {
  ArrayBuffer,
  BigInt64Array,
  BigUint64Array,
  Blob,
  File,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  SharedArrayBuffer,
  TextEncoder,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
} = globalThis;

// deno-lint-ignore no-explicit-any
type Class = new (...args: any[]) => object;
// deno-lint-ignore no-explicit-any
type Method = (this: any, ...args: any[]) => unknown;
type Methods = Record<string, Method>;

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, construct } = Reflect;
const PlainProxy = Proxy, Registry = FinalizationRegistry;
const register = FinalizationRegistry.prototype.register;
const isView = ArrayBuffer.isView;

/** How many bytes may be made between two checks. */
const BETWEEN = 2 ** 20;

const VIEWS: readonly Class[] = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[BigInt64Array, BigUint64Array, Float32Array, Float64Array],
  // Deno 2.9.6 has Float16Array, TypeScript's library of that version doesn't.
  ...("Float16Array" in globalThis ? [Reflect.get(globalThis, "Float16Array")] : []),
];

const sizeOfBuffer = getter(ArrayBuffer.prototype, "byteLength");
const sizeOfShared = getter(SharedArrayBuffer.prototype, "byteLength");
const sizeOfView = getter(getPrototypeOf(Uint8Array.prototype), "byteLength");
const lengthOfView = getter(getPrototypeOf(Uint8Array.prototype), "length");
const sizeOfBlob = getter(Blob.prototype, "size");

/** Called once, before any code of the user's runs. */
export function countBuffers(watch: MemoryWatch): void {
  let unseen = 0;
  /** Called before this many bytes are made. */
  const expect = (bytes: number) => {
    if (!(bytes > 0)) return;
    unseen += bytes;
    if (unseen < BETWEEN) return;
    unseen = 0;
    watch.check(bytes);
  };
  const released = new Registry<number>((bytes) => watch.add(-bytes));
  /** Counts an object that V8 doesn't count, as long as it is alive. */
  const keep = (object: object, bytes: number) => {
    watch.add(bytes);
    apply(register, released, [object, bytes]);
    expect(bytes);
  };
  const replaceClass = (
    original: Class,
    made: (args: unknown[], target: Class) => object,
    holder: object = globalThis,
  ) => {
    const guarded: Class = new PlainProxy(original, {
      construct: (_, args, target) => made(args, (target === guarded ? original : target) as Class),
      // The classes of Intl make objects without `new` as well.
      apply: (original, self, args) =>
        holder === globalThis ? apply(original, self, args) : made(args, original as Class),
    });
    const { prototype, name } = original;
    defineProperty(prototype, "constructor", {
      value: guarded,
      writable: true,
      configurable: true,
    });
    defineProperty(holder, name, { value: guarded, writable: true, configurable: true });
  };
  const replace = (object: object, name: string, made: (original: Method) => Method) => {
    const original = (object as Methods)[name];
    if (original === undefined) return;
    const value = made(original);
    defineProperty(value, "name", { value: name, configurable: true });
    defineProperty(object, name, { value, writable: true, configurable: true });
  };
  replaceClass(ArrayBuffer, (args, target) => {
    expect(+(args[0] as number));
    return construct(ArrayBufferOriginal, args, target);
  });
  replaceClass(SharedArrayBuffer, (args, target) => {
    const made = construct(SharedOriginal, args, target);
    keep(made, apply(sizeOfShared, made, []) as number);
    return made;
  });
  for (const View of each(VIEWS)) {
    const { BYTES_PER_ELEMENT } = View as unknown as typeof Uint8Array;
    replaceClass(View, (args, target) => {
      const { 0: first } = args;
      // The length of an iterable isn't known in advance: its memory is seen by the next check.
      const length = typeof first === "object" && first !== null
        ? lengthOf(first)
        : +(first as number);
      expect(length * BYTES_PER_ELEMENT);
      return construct(View, args, target);
    });
  }
  for (const BlobClass of each([Blob, File] as Class[])) {
    replaceClass(BlobClass, (args, target) => {
      const made = construct(BlobClass, args, target);
      keep(made, apply(sizeOfBlob, made, []) as number);
      return made;
    });
  }
  for (const { 0: NativeClass, 1: bytes, 2: holder } of each(nativeClasses())) {
    replaceClass(NativeClass, (args, target) => {
      const made = construct(NativeClass, args, target);
      keep(made, bytes);
      return made;
    }, holder);
  }
  replace(globalThis.Atomics, "waitAsync", (waitAsync) =>
    function (...args) {
      const result = apply(waitAsync, undefined, args) as { async: boolean; value: object };
      if (result.async) keep(result.value, WAITER_BYTES);
      return result;
    });
  replace(ArrayBuffer.prototype, "slice", (slice) =>
    function (...args) {
      expect(apply(sizeOfBuffer, this, []) as number);
      return apply(slice, this, args);
    });
  replace(SharedArrayBuffer.prototype, "slice", (slice) =>
    function (...args) {
      const made = apply(slice, this, args) as object;
      keep(made, apply(sizeOfShared, made, []) as number);
      return made;
    });
  watchGrowth((growing, more) => watch.grows(growing, more));
  for (const name of each(["resize", "transfer", "transferToFixedLength"])) {
    replace(ArrayBuffer.prototype, name, (original) =>
      function (...args) {
        expect(+args[0]);
        return apply(original, this, args);
      });
  }
  replace(SharedArrayBuffer.prototype, "grow", (grow) =>
    function (...args) {
      const before = apply(sizeOfShared, this, []) as number;
      const result = apply(grow, this, args);
      keep(this, (apply(sizeOfShared, this, []) as number) - before);
      return result;
    });
  // These methods don't call a constructor.
  for (const name of each(["toSorted", "toReversed", "with"])) {
    replace(getPrototypeOf(Uint8Array.prototype), name, (original) =>
      function (...args) {
        expect(apply(sizeOfView, this, []) as number);
        return apply(original, this, args);
      });
  }
  replace(TextEncoder.prototype, "encode", (encode) =>
    function (...args) {
      if (typeof args[0] === "string") expect(3 * args[0].length);
      return apply(encode, this, args);
    });
  replace(globalThis, "structuredClone", (clone) =>
    function (...args) {
      const result = apply(clone, undefined, args);
      unseen = BETWEEN;
      expect(1);
      return result;
    });
}

/** The bytes of native code that an object of these classes takes, and that V8 doesn't know (measured). */
const STREAM_BYTES = 300_000, INTL_BYTES = 30_000, WAITER_BYTES = 600;

/** The classes of such objects, the bytes of each, and the object that has the class as a property. */
function nativeClasses(): [Class, number, object][] {
  const found: [Class, number, object][] = [];
  const add = (holder: object, name: string, bytes: number) => {
    const value = Reflect.get(holder, name);
    if (typeof value === "function" && value.prototype !== undefined) {
      found[found.length] = [value, bytes, holder];
    }
  };
  for (const name of each(["CompressionStream", "DecompressionStream"])) {
    add(globalThis, name, STREAM_BYTES);
  }
  const { Intl } = globalThis;
  for (const name of each(Object.getOwnPropertyNames(Intl))) {
    if (name !== "Locale") add(Intl, name, INTL_BYTES);
  }
  return found;
}

const ArrayBufferOriginal = ArrayBuffer, SharedOriginal = SharedArrayBuffer;

function getter(object: object, name: string): () => unknown {
  return getOwnPropertyDescriptor(object, name)!.get!;
}

/** How many elements a view of this object would copy: those of an array or a view. A buffer isn't copied. */
function lengthOf(object: object): number {
  try {
    if (isView(object)) return apply(lengthOfView, object, []) as number;
    apply(sizeOfBuffer, object, []);
    return 0;
  } catch {
    const { length } = object as { length?: unknown };
    return typeof length === "number" ? length : 0;
  }
}
