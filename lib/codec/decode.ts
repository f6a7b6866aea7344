// The decoder: bytes back to values, the inverse of encode.ts. Decoding runs no code of the program, and
// no value that is returned shares memory with the bytes.

import { Reader } from "./reader.ts";
import * as tag from "./format.ts";
import { newResizable } from "../validate/reservations.ts";
import { bufferWeight, DOM_EXCEPTION_WEIGHT, ERROR_WEIGHT, regexpWeight } from "./weights.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  BigInt,
  Date,
  DOMException,
  Error,
  Map,
  MapPrototypeSet,
  Math,
  Number,
  Object,
  performance,
  RegExp,
  Set,
  SetPrototypeAdd,
  SharedArrayBuffer,
  String,
  ToObject,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;
const { prototype: ObjectPrototype } = Object;

/** The objects that came beside the bytes. */
export interface Beside {
  readonly handedOver: readonly unknown[];
  readonly posted: readonly unknown[];
}

const NOTHING_BESIDE: Beside = { handedOver: [], posted: [] };

/**
 * Decodes the value at bytes[at..end). `bytes` is private (never shared memory) and may be
 * overwritten once this returns. Throws an Error if Encoder can't have written these bytes.
 *
 * @param most the largest total weight (weights.ts) of costly objects, where the bytes may be hostile
 */
export function decode(
  bytes: Uint8Array,
  at: number,
  end: number,
  beside: Beside = NOTHING_BESIDE,
  most: number = Infinity,
): unknown {
  try {
    return decoder.decode(bytes, at, end, beside, most);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Bytes ${at} to ${end} can't be decoded. ${reason}`, { cause: error });
  }
}

/**
 * The integer at bytes[at..end), where the bytes hold nothing else: in the form of an i32 or of a small integer.
 * Undefined for any other value.
 */
export function decodeInt32(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (end - at === 2) {
    const kind = bytes[at + 1];
    return kind >= tag.SMALL && bytes[at] === 0 ? kind - tag.SMALL : undefined;
  }
  if (end - at !== 6 || bytes[at] !== 0 || bytes[at + 1] !== tag.INT32) return undefined;
  return bytes[at + 2] | bytes[at + 3] << 8 | bytes[at + 4] << 16 | bytes[at + 5] << 24;
}

class Decoder {
  readonly #in = new Reader();
  // The objects by number; kept only if the message holds a REFERENCE.
  #objects: unknown[] | undefined;
  #depth = 0;
  #beside = NOTHING_BESIDE;
  /** The weight that is left for costly objects. */
  #weight = Infinity;
  /**
   * The number of elements for which arrays may still be allocated before the elements are read. Each element
   * takes at least one byte, so messages that Encoder wrote never need more.
   */
  #elements = 0;

  decode(bytes: Uint8Array, at: number, end: number, beside: Beside, most: number): unknown {
    const input = this.#in;
    input.bytes = bytes;
    input.at = at;
    input.end = Math.min(end, bytes.length);
    this.#depth = 0;
    if (beside !== NOTHING_BESIDE) this.#beside = beside;
    this.#weight = most;
    this.#elements = input.end - at;
    try {
      this.#objects = input.byte() === 0 ? undefined : [];
      const value = this.#value(input.byte());
      if (input.at !== end) throw new Error("They go on after the value.");
      return value;
    } finally {
      input.bytes = nothing;
      this.#objects = undefined;
      if (beside !== NOTHING_BESIDE) this.#beside = NOTHING_BESIDE;
    }
  }

  /** Reads the value whose tag was just read. Each level takes few calls, because the stack bounds nesting. */
  #value(kind: number): unknown {
    if (kind >= tag.SMALL) return kind - tag.SMALL;
    const input = this.#in;
    switch (kind) {
      case tag.INT32:
        return input.int32();
      case tag.SHORT_STRING:
        return input.latin1(input.byte());
      case tag.OBJECT:
        return this.#object();
      case tag.ARRAY:
        return this.#array();
      case tag.FLOAT64:
        return input.float64();
      case tag.ASCII_STRING:
        return input.latin1(input.uint32());
      case tag.UTF16_STRING:
        return input.utf16(input.uint32());
      case tag.UNDEFINED:
        return undefined;
      case tag.NULL:
        return null;
      case tag.TRUE:
        return true;
      case tag.FALSE:
        return false;
      case tag.REFERENCE:
        return this.#reference();
      case tag.MAP:
        return this.#map();
      case tag.SET:
        return this.#set();
      case tag.ERROR:
        return this.#error();
      default:
        return this.#rare(kind);
    }
  }

  #rare(kind: number): unknown {
    const input = this.#in;
    switch (kind) {
      case tag.BIGINT64:
        return BigInt(input.uint32()) | BigInt(input.int32()) << 32n;
      case tag.BIGINT:
        return this.#bigint();
      case tag.DATE:
        return this.#number(new Date(input.float64()));
      case tag.VIEW:
        return this.#view();
      case tag.BUFFER:
        return this.#number(this.#buffer());
      case tag.RESIZABLE_BUFFER:
        return this.#number(this.#resizableBuffer());
      case tag.DOM_EXCEPTION:
        return this.#number(this.#domException());
      case tag.REGEXP:
        return this.#number(this.#regexp());
      case tag.BOXED:
        return this.#boxed();
      case tag.HANDED_OVER:
        return this.#number(this.#oneOf(this.#beside.handedOver));
      case tag.POSTED:
        return this.#number(this.#oneOf(this.#beside.posted));
      default:
        throw new Error(`There is no tag ${kind}.`);
    }
  }

  #oneOf(beside: readonly unknown[]): unknown {
    const number = this.#in.uint32();
    if (number >= beside.length) throw new Error(`There is no ${number} beside them.`);
    return beside[number];
  }

  /** Gives an object the next number. */
  #number<T>(object: T): T {
    const objects = this.#objects;
    if (objects !== undefined) objects[objects.length] = object;
    return object;
  }

  #reference(): unknown {
    const objects = this.#objects;
    const number = this.#in.uint32();
    if (objects === undefined || number >= objects.length) {
      throw new Error(`There is no object ${number}.`);
    }
    return objects[number];
  }

  /** Subtracts the weight of a costly object that is about to be made; throws if too little weight is left. */
  #weigh(weight: number): void {
    this.#weight -= weight;
    // Written so that NaN is refused as well.
    if (!(this.#weight >= 0)) {
      throw new Error(
        "They hold more of what is costly to make than they may.",
      );
    }
  }

  #deeper(): void {
    if (++this.#depth > tag.MAX_DEPTH) throw new Error("They are nested too deep.");
  }

  #object(): object {
    const object: Record<string, unknown> = {};
    const objects = this.#objects;
    if (objects !== undefined) objects[objects.length] = object;
    this.#deeper();
    this.#properties(object);
    this.#depth--;
    return object;
  }

  #properties(object: Record<string, unknown>): void {
    const input = this.#in;
    if (this.#weight !== Infinity) return this.#propertiesWithin(object);
    for (;;) {
      let key = input.key();
      if (typeof key === "number") {
        if (key === tag.END) return;
        key = this.#string();
      }
      const value = this.#value(this.#in.byte());
      if (key === "__proto__") {
        defineOwn(object, key, value);
        continue;
      }
      try {
        object[key] = value;
      } catch {
        // Object.prototype has a property of this name that can't be set: it is frozen, or has a getter.
        defineOwn(object, key, value);
      }
    }
  }

  /** The same where the bytes may be hostile: no element reserves memory for missing elements before it. */
  #propertiesWithin(object: Record<string, unknown>): void {
    const input = this.#in;
    let isSparse = false;
    for (;;) {
      let key = input.key();
      if (typeof key === "number") {
        if (key === tag.END) return;
        key = this.#string();
      }
      const value = this.#value(input.byte());
      if (!isSparse && isLargeIndex(key)) {
        isSparse = true;
        makeSparse(object, MAX_INDEX);
      }
      if (key === "__proto__" || key in ObjectPrototype) defineOwn(object, key, value);
      else object[key] = value;
    }
  }

  #array(): unknown[] {
    const input = this.#in;
    const length = input.uint32();
    // An array that is made in full length is filled three times as fast; one with a long gap isn't filled.
    const dense = length <= this.#elements;
    if (dense) this.#elements -= length;
    const array: unknown[] = dense ? Array(length) : [];
    const objects = this.#objects;
    if (objects !== undefined) objects[objects.length] = array;
    this.#deeper();
    for (let i = 0; i < length; i++) {
      const kind = input.byte();
      if (kind === tag.HOLE) continue;
      if (kind === tag.REST) break;
      if (kind >= tag.SMALL) array[i] = kind - tag.SMALL;
      else if (kind === tag.INT32) array[i] = input.int32();
      else if (kind === tag.FLOAT64) array[i] = input.float64();
      else array[i] = this.#value(kind);
    }
    if (!dense) lengthen(array, length);
    this.#properties(array as unknown as Record<string, unknown>);
    this.#depth--;
    return array;
  }

  #map(): Map<unknown, unknown> {
    const map = this.#number(new Map<unknown, unknown>());
    this.#deeper();
    const length = this.#in.uint32(), pace = length > SAMPLE ? new Pace() : undefined;
    let next = pace === undefined ? -1 : pace.pause;
    for (let i = 0; i < length; i++) {
      const key = this.#value(this.#in.byte()), value = this.#value(this.#in.byte());
      if (i !== next) MapPrototypeSet(map, key, value);
      else {
        next += pace!.pause;
        pace!.time(() => MapPrototypeSet(map, key, value));
      }
    }
    this.#depth--;
    return map;
  }

  #set(): Set<unknown> {
    const set = this.#number(new Set<unknown>());
    this.#deeper();
    const length = this.#in.uint32(), pace = length > SAMPLE ? new Pace() : undefined;
    let next = pace === undefined ? -1 : pace.pause;
    for (let i = 0; i < length; i++) {
      const value = this.#value(this.#in.byte());
      if (i !== next) SetPrototypeAdd(set, value);
      else {
        next += pace!.pause;
        pace!.time(() => SetPrototypeAdd(set, value));
      }
    }
    this.#depth--;
    return set;
  }

  #string(): string {
    const value = this.#value(this.#in.byte());
    if (typeof value !== "string") throw new Error("A string is missing.");
    return value;
  }

  #stringOrNone(): string | undefined {
    const value = this.#value(this.#in.byte());
    return typeof value === "string" ? value : undefined;
  }

  #bigint(): bigint {
    const negative = this.#value(this.#in.byte()) === true;
    const magnitude = BigInt(`0x${this.#string()}`);
    return negative ? -magnitude : magnitude;
  }

  #boxed(): unknown {
    // The object gets its number after its content was read; its content is a primitive, which takes no number.
    return this.#number(ToObject(this.#value(this.#in.byte())));
  }

  #bytes(size: number): ArrayBuffer {
    const at = this.#in.take(size);
    return TypedArrayPrototypeSlice(this.#in.bytes, at, at + size).buffer as ArrayBuffer;
  }

  #buffer(): ArrayBuffer {
    return this.#bytes(this.#in.float64());
  }

  #resizableBuffer(): ArrayBuffer {
    const size = this.#in.float64();
    const maxByteLength = this.#in.float64();
    const at = this.#in.take(size);
    this.#weigh(bufferWeight(maxByteLength));
    const buffer = newResizable(size, maxByteLength);
    TypedArrayPrototypeSet(
      new Uint8Array(buffer),
      TypedArrayPrototypeSubarray(this.#in.bytes, at, at + size),
    );
    return buffer;
  }

  #view(): ArrayBufferView {
    const objects = this.#objects;
    const number = objects?.length ?? 0;
    if (objects !== undefined) objects[number] = undefined;
    const Kind = tag.VIEW_KINDS[this.#in.byte()];
    const offset = this.#in.float64();
    const length = this.#in.float64();
    const buffer = this.#value(this.#in.byte());
    const isBuffer = buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer;
    if (Kind === undefined || !isBuffer) throw new Error("A view lacks its kind or buffer.");
    const view = new Kind(buffer as ArrayBuffer, offset, length < 0 ? undefined : length);
    if (objects !== undefined) objects[number] = view;
    return view;
  }

  #error(): Error {
    const Kind = tag.ERROR_KINDS[this.#in.byte()];
    if (Kind === undefined) throw new Error("An error lacks its kind.");
    this.#weigh(ERROR_WEIGHT);
    const message = this.#stringOrNone();
    const error = this.#number(message === undefined ? new Kind() : new Kind(message));
    error.stack = this.#stringOrNone();
    this.#deeper();
    const kind = this.#in.byte();
    if (kind !== tag.HOLE) {
      const cause = this.#value(kind);
      const own = { value: cause, writable: true, enumerable: false, configurable: true };
      Object.defineProperty(error, "cause", own);
    }
    this.#depth--;
    return error;
  }

  #regexp(): RegExp {
    const source = this.#string(), flags = this.#string();
    if (this.#weight !== Infinity) this.#weigh(regexpWeight(source, flags));
    return new RegExp(source, flags);
  }

  #domException(): DOMException {
    this.#weigh(DOM_EXCEPTION_WEIGHT);
    const name = this.#string();
    const exception = new DOMException(this.#string(), name);
    const value = this.#stringOrNone();
    if (value !== undefined) {
      // Defined as a data property, as structuredClone does (Deno 2.9.6).
      Object.defineProperty(exception, "stack", {
        value,
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
    return exception;
  }
}

/** A gap at the end of an array may be this much longer than the part before it and still be allocated. */
const MAX_GAP = 64;
/** V8 stores an array with a gap of 1024 elements as a hash table, and reserves no memory for the gap. */
const LONG_GAP = 2 ** 12, MAX_INDEX = 2 ** 32 - 2;

/** Defines a property: assigning "__proto__" would set the prototype, where deno runs with --unsafe-proto. */
function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** Makes V8 store the elements of an object as a hash table. */
function makeSparse(object: object, far: number): void {
  const length = Array.isArray(object) ? object.length : undefined;
  const elements = object as unknown[];
  elements[far] = undefined;
  delete elements[far];
  if (length !== undefined) elements.length = length;
}

/** Whether an element of this name, as the first one, reserves memory for the elements before it. */
function isLargeIndex(key: string): boolean {
  return key.length > 1 && Number(key) > MAX_GAP;
}

/** Sets the length of an array so that its memory is in proportion to the elements that exist. */
function lengthen(array: unknown[], length: number): void {
  const there = array.length;
  // Setting the length alone reserves 8 bytes for each of up to 2 ** 25 elements (Deno 2.9.6).
  if (length - there > there + MAX_GAP) makeSparse(array, Math.min(there + LONG_GAP, MAX_INDEX));
  array.length = length;
}

/** On average, one of this many entries of a Map or Set is timed. */
const SAMPLE = 64;
/** Twenty times as long as adding an entry takes. */
const SLOW_ENTRY_MS = 0.005;

/**
 * Refuses keys that collide (hash flooding): V8's hash of a number is no secret, and adding 65,000 well-chosen
 * numbers takes ten seconds. Keys are refused where nearly every timed addition is slow.
 */
class Pace {
  #samples = 0;
  #slow = 0;

  /** The number of entries until the next one that is timed: random, so that hostile code can't foresee it. */
  get pause(): number {
    return 1 + Math.floor(2 * SAMPLE * Math.random());
  }

  time(add: () => void): void {
    const began = performance.now();
    add();
    this.#samples++;
    if (performance.now() - began > SLOW_ENTRY_MS) this.#slow++;
    if (this.#slow > 8 + (this.#samples >> 3)) {
      throw new Error(
        "The keys of a Map or Set are made so that telling them apart takes too long.",
      );
    }
  }
}

const nothing = new Uint8Array(0);
const decoder = new Decoder();
