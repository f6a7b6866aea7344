// The encoder: values to bytes, with the meaning of structured cloning (the standard is structuredClone of
// Deno 2.9.6, and tests/codec/codec_test.ts compares with it). Every item of every queue is encoded
// here, so likely and cheap questions come first: typeof, small integers, plain objects and arrays;
// one question covers all rare kinds.

import { types } from "node:util";
import {
  cannotClone,
  isHandedOver,
  type TransferableObject,
  type Uncloneable,
} from "./clone_protocol.ts";
import { Seen } from "./seen.ts";
import { kindOf } from "./kinds.ts";
import { explainRefusal, placeTooDeep } from "./locate.ts";
import { refusalOf } from "./uncloneable.ts";
import * as tag from "./format.ts";
import { tracksLength, viewKind } from "./views.ts";
import { bufferWeight, DOM_EXCEPTION_WEIGHT, ERROR_WEIGHT, regexpWeight } from "./weights.ts";
import { Writer } from "./writer.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  ArrayPrototypePush,
  BigInt,
  BigIntPrototypeToString,
  Boolean,
  DatePrototypeGetTime,
  entriesOfMap,
  Error,
  hasValue,
  Number,
  Object,
  ObjectPrototypeHasOwnProperty,
  ObjectPrototypeToString,
  RangeError,
  Reflect,
  RegExp,
  SetPrototypeHas,
  String,
  StringPrototypeCharCodeAt,
  TypeError,
  Uint8Array,
  uncurryGetter,
  valuesOfSet,
} = primordials;

const { isProxy, isMap, isSet, isDate } = types;

/** A run of holes this long ends the part of an array that is written element by element. */
const LONG_GAP = 32;

/** The objects that go beside the bytes, where the message goes through a port. */
export interface Beside {
  /** The objects that are moved instead of copied. */
  readonly moving: ReadonlySet<object>;
  /** Buffers of more bytes are posted, which copies them less often. */
  readonly largestBuffer: number;
}

/** The objects that the encoder has left out of the bytes: those handed over, and those only a port takes. */
export interface LeftOut {
  handedOver: TransferableObject[];
  posted: object[];
}

/** The result of tryEncode() for a value that can't be cloned. */
export const REFUSED = -1;

/** Thrown inside tryEncode() when a value is refused; encode() finds the place and says so. */
class Refused extends Error {}

/** Thrown inside tryEncode() when a value is nested too deep. */
class TooDeep extends Error {}

/** The most bytes that encodeInt32() writes. */
export const INT32_BYTES = 6;

/** Whether a value is a number that an i32 can hold, and not -0. */
export function isInt32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value && (value !== 0 || 1 / value > 0);
}

/** Writes values as bytes into one buffer, which is used again for each message. */
export class Encoder {
  readonly #out = new Writer();
  readonly #seen = new Seen();
  #busy = false;
  #start = 0;
  #depth = 0;
  /** Undefined where the whole value must become bytes. */
  #beside: Beside | undefined;
  #leftOut: LeftOut | undefined;
  /** How often the encoder has met an object that is handed over. */
  #met = 0;
  #weight = 0;

  /** The buffer encoded into; replaced by a larger one as needed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#out.bytes;
  }

  /** The same buffer as words. */
  get words(): Int32Array<ArrayBuffer> {
    return this.#out.words;
  }

  /** The weight (weights.ts) of the value that was encoded last. */
  get weight(): number {
    return this.#weight;
  }

  /** True while encode() runs: a getter of the value may put to a queue itself. */
  get busy(): boolean {
    return this.#busy;
  }

  /**
   * Writes `value` at byte offset `at`, keeping the bytes before it; returns the offset after the
   * last byte. Throws what a getter of the value throws, a TypeError that names the place of the part that
   * can't be cloned (`root` is the name of the value itself), and a RangeError if the value is nested too
   * deep or no memory is left. After a throw the encoder can be used as before.
   */
  encode(value: unknown, at: number, root: string, beside?: Beside): number {
    const end = this.tryEncode(value, at, root, beside);
    if (end !== REFUSED) return end;
    const { moving } = beside ?? {};
    const options = {
      isPosted: beside !== undefined,
      mayCross: moving && ((o: object) => SetPrototypeHas(moving, o)),
    };
    throw new TypeError(explainRefusal(value, root, options));
  }

  /**
   * The same, but returns REFUSED where a part of the value can't be cloned.
   *
   * @param beside where not all of the value must become bytes; takeLeftOut() then returns the objects left out
   */
  tryEncode(value: unknown, at: number, root: string, beside?: Beside): number {
    if (this.#busy) throw new Error("This encoder is busy. Ask freeEncoder() for another.");
    this.#busy = true;
    this.#weight = 0;
    try {
      const out = this.#out;
      out.at = at;
      out.room(1);
      out.byte(0);
      this.#start = at;
      this.#depth = 0;
      this.#beside = beside;
      this.#leftOut = undefined;
      this.#met = 0;
      this.#value(value);
      return out.at;
    } catch (error) {
      this.#leftOut = undefined;
      if (error instanceof TooDeep) throw new RangeError(placeTooDeep(value, root));
      if (!(error instanceof Refused)) throw error;
      return REFUSED;
    } finally {
      this.#seen.clear();
      this.#busy = false;
    }
  }

  /** As encode(), for a number that `isInt32()`. */
  encodeInt32(value: number, at: number): number {
    if (this.#busy) throw new Error("This encoder is busy. Ask freeEncoder() for another.");
    const out = this.#out;
    out.at = at;
    out.room(INT32_BYTES);
    out.byte(0);
    this.#weight = 0;
    this.#leftOut = undefined;
    if (value >= 0 && value < tag.SMALL) {
      out.byte(tag.SMALL + value);
    } else {
      out.byte(tag.INT32);
      out.int32(value);
    }
    return out.at;
  }

  /** Whether objects go beside the bytes that were just encoded. */
  get hasLeftOut(): boolean {
    return this.#leftOut !== undefined;
  }

  /** Returns the objects that go beside the bytes, once. */
  takeLeftOut(): LeftOut | undefined {
    const leftOut = this.#leftOut;
    this.#leftOut = undefined;
    return leftOut;
  }

  /** Releases a buffer that grew beyond a mebibyte. The bytes in the buffer must no longer be needed. */
  trim(): void {
    if (!this.#busy) this.#out.trim();
  }

  #value(value: unknown): void {
    if (typeof value === "string") return this.#out.string(value);
    if (typeof value === "number") return this.#number(value);
    if (typeof value === "object" && value !== null) return this.#object(value);
    const out = this.#out;
    out.room(10);
    if (value === undefined) return out.byte(tag.UNDEFINED);
    if (value === null) return out.byte(tag.NULL);
    if (value === true) return out.byte(tag.TRUE);
    if (value === false) return out.byte(tag.FALSE);
    if (typeof value === "bigint") return this.#bigint(value);
    throw new Refused();
  }

  #number(value: number): void {
    const out = this.#out;
    out.room(9);
    const integer = value | 0;
    if (integer !== value || (integer === 0 && 1 / value < 0)) {
      out.byte(tag.FLOAT64);
      out.float64(value);
    } else if (integer >= 0 && integer < tag.SMALL) {
      out.byte(tag.SMALL + integer);
    } else {
      out.byte(tag.INT32);
      out.int32(integer);
    }
  }

  #bigint(value: bigint): void {
    const out = this.#out;
    if (BigInt.asIntN(64, value) === value) {
      out.byte(tag.BIGINT64);
      out.int32(Number(BigInt.asIntN(32, value)));
      out.int32(Number(value >> 32n));
      return;
    }
    // Writing and reading hexadecimal are both linear in the length.
    out.byte(tag.BIGINT);
    out.byte(value < 0n ? tag.TRUE : tag.FALSE);
    out.string(BigIntPrototypeToString(value < 0n ? -value : value, 16));
  }

  #object(object: object): void {
    const out = this.#out;
    out.room(5);
    const known = this.#seen.numberOf(object);
    if (known >= 0) {
      out.bytes[this.#start] = 1;
      out.byte(tag.REFERENCE);
      out.int32(known);
      if (this.#met > 0 && isHandedOver(object)) this.#met++;
      return;
    }
    if (++this.#depth > tag.MAX_DEPTH) throw new TooDeep();
    // Proxies are refused first: each other question would run their traps.
    if (isProxy(object)) throw new Refused();
    if (Array.isArray(object)) this.#array(object);
    else if ((object as Partial<Uncloneable>)[cannotClone] !== undefined) this.#serialize(object);
    else if (ObjectPrototypeToString(object) === "[object Object]") this.#plain(object);
    else if (isMap(object)) this.#map(object);
    else if (isSet(object)) this.#set(object);
    else if (isDate(object)) this.#date(object);
    else this.#other(object);
    this.#depth--;
  }

  #serialize(object: object): void {
    if (this.#beside === undefined || !isHandedOver(object)) throw new Refused();
    const { handedOver } = this.#leftOut ??= { handedOver: [], posted: [] };
    this.#met++;
    this.#out.byte(tag.HANDED_OVER);
    this.#out.int32(handedOver.length);
    ArrayPrototypePush(handedOver, object);
  }

  /** Refuses a container of objects that are handed over, unless it is a plain object, an array, a Map or a Set. */
  #checkReach(object: object): void {
    const prototype = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) throw new Refused();
  }

  #post(object: object): void {
    const { posted } = this.#leftOut ??= { handedOver: [], posted: [] };
    this.#out.byte(tag.POSTED);
    this.#out.int32(posted.length);
    ArrayPrototypePush(posted, object);
  }

  /** Posts an object that can't become bytes, where a port takes it. */
  #refused(object: object): void {
    const beside = this.#beside;
    if (beside === undefined) throw new Refused();
    if (!SetPrototypeHas(beside.moving, object) && refusalOf(object, true) !== undefined) {
      throw new Refused();
    }
    if (ArrayBuffer.isView(object)) this.#view(object);
    else this.#post(object);
  }

  #plain(object: object): void {
    const out = this.#out, met = this.#met;
    out.byte(tag.OBJECT);
    const record = object as Record<string, unknown>;
    let empty = true;
    // This loop is three times as fast as Object.keys, but only with hasOwnProperty called in this form: V8
    // then answers without a lookup, where Object.hasOwn takes 8 ns (Deno 2.9.6).
    for (const key in record) {
      if (!ObjectPrototypeHasOwnProperty(record, key)) continue;
      const value = record[key];
      empty = false;
      out.key(key);
      this.#value(value);
    }
    if (empty && kindOf(object) !== "plain") {
      // The object isn't plain; it is, for instance, a Promise, or a Map with a changed prototype.
      out.at--;
      return this.#other(object);
    }
    if (this.#met !== met) this.#checkReach(object);
    out.room(1);
    out.byte(tag.END);
  }

  #array(array: unknown[]): void {
    const out = this.#out;
    const length = array.length;
    out.byte(tag.ARRAY);
    out.int32(length);
    let gap = 0;
    let holes = false;
    let i = 0;
    for (; i < length && gap < LONG_GAP; i++) {
      const value = array[i];
      if (typeof value === "number") {
        gap = 0;
        this.#number(value);
      } else if (value === undefined && !Object.hasOwn(array, i)) {
        gap++;
        holes = true;
        out.room(1);
        out.byte(tag.HOLE);
      } else {
        gap = 0;
        this.#value(value);
      }
    }
    out.room(2);
    if (i < length) {
      out.byte(tag.REST);
      this.#elementsAndNames(array, Object.keys(array), i, length);
    } else if (length === 0 || holes || this.#mayHaveNames(array)) {
      this.#elementsAndNames(array, Object.keys(array), length, length);
    }
    out.room(1);
    out.byte(tag.END);
  }

  // No call tells whether an array without holes has named properties. Object.keys makes a string per element,
  // which takes 6 ns; Object.values takes 2 ns per element, but 10 ns if the elements are doubles (Deno 2.9.6).
  // Object.values calls a getter among the elements once more than structuredClone does.
  #mayHaveNames(array: unknown[]): boolean {
    const length = array.length;
    const last = array[length - 1];
    if (length <= 8 || (typeof last === "number" && (last | 0) !== last)) return true;
    return Object.values(array).length !== length;
  }

  /** Writes the elements from index `from` on (the end, or where REST was written), and the named properties. */
  #elementsAndNames(array: unknown[], keys: string[], from: number, length: number): void {
    // Named properties come after the indices.
    if (from === length && (keys.length === 0 || indexOfKey(keys[keys.length - 1]) >= 0)) return;
    const record = array as unknown as Record<string, unknown>;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const index = indexOfKey(key);
      // A getter has added an element beyond the end.
      if (index >= 0 && (index < from || index >= length)) continue;
      const value = record[key];
      if (value === undefined && !Object.hasOwn(array, key)) continue;
      this.#out.key(key);
      this.#value(value);
    }
  }

  // The entries of Maps and Sets are listed before any getter in them runs.
  #map(map: Map<unknown, unknown>): void {
    const { keys, values } = entriesOfMap(map);
    this.#out.byte(tag.MAP);
    this.#out.int32(keys.length);
    for (let i = 0; i < keys.length; i++) {
      this.#value(keys[i]);
      this.#value(values[i]);
    }
  }

  #set(set: Set<unknown>): void {
    const values = valuesOfSet(set);
    this.#out.byte(tag.SET);
    this.#out.int32(values.length);
    for (let i = 0; i < values.length; i++) this.#value(values[i]);
  }

  #date(date: Date): void {
    this.#out.room(9);
    this.#out.byte(tag.DATE);
    this.#out.float64(DatePrototypeGetTime(date));
  }

  #other(object: object): void {
    switch (kindOf(object)) {
      case "view":
        return this.#view(object as ArrayBufferView);
      case "buffer":
        return this.#buffer(object as ArrayBuffer);
      case "error":
        return this.#error(object as Error);
      case "domException":
        return this.#domException(object as DOMException);
      case "regexp":
        return this.#regexp(object as RegExp);
      case "boxed":
        this.#out.byte(tag.BOXED);
        return this.#value(valueOfBoxed(object));
      case "map":
        return this.#map(object as Map<unknown, unknown>);
      case "set":
        return this.#set(object as Set<unknown>);
      case "date":
        return this.#date(object as Date);
      case "array":
      case "plain":
        return this.#record(object);
      case "refused":
        return this.#refused(object);
    }
  }

  // Writes a plain object with a name of its own, by Symbol.toStringTag.
  #record(object: object): void {
    const out = this.#out, met = this.#met;
    out.byte(tag.OBJECT);
    const keys = Object.keys(object);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (!Object.hasOwn(object, key)) continue;
      const value: unknown = Reflect.get(object, key);
      out.key(key);
      this.#value(value);
    }
    if (this.#met !== met) this.#checkReach(object);
    out.room(1);
    out.byte(tag.END);
  }

  #view(view: ArrayBufferView): void {
    const out = this.#out;
    out.room(18);
    out.byte(tag.VIEW);
    out.byte(viewKind(view));
    out.float64(view.byteOffset);
    if (tracksLength(view)) out.float64(-1);
    else out.float64("length" in view ? Number(view.length) : view.byteLength);
    this.#object(view.buffer);
  }

  #buffer(buffer: ArrayBuffer): void {
    const out = this.#out, beside = this.#beside;
    if (beside !== undefined) {
      const isLarge = buffer.byteLength > beside.largestBuffer;
      if (isLarge || SetPrototypeHas(beside.moving, buffer)) return this.#post(buffer);
    }
    out.room(17);
    out.byte(buffer.resizable ? tag.RESIZABLE_BUFFER : tag.BUFFER);
    out.float64(buffer.byteLength);
    if (buffer.resizable) {
      out.float64(buffer.maxByteLength);
      this.#weight += bufferWeight(buffer.maxByteLength);
    }
    out.copy(new Uint8Array(buffer));
  }

  // Writes the parts of an error that V8 clones: its name if it is a known one, message and cause if they are
  // own data properties, stack if it is a string. The `errors` of an AggregateError aren't cloned.
  #error(error: Error): void {
    const out = this.#out;
    const name = asString(error.name);
    const message = Object.getOwnPropertyDescriptor(error, "message");
    const cause = Object.getOwnPropertyDescriptor(error, "cause");
    this.#weight += ERROR_WEIGHT;
    let kind = tag.ERROR_KINDS.length - 1;
    while (kind > 0 && tag.ERROR_KINDS[kind].name !== name) kind--;
    out.room(2);
    out.byte(tag.ERROR);
    out.byte(kind);
    this.#value(message && hasValue(message) ? asString(message.value) : undefined);
    const stack: unknown = error.stack;
    this.#value(typeof stack === "string" ? stack : undefined);
    if (cause && hasValue(cause)) {
      const met = this.#met;
      // An error counts as two levels: making the text of its stack takes room on the call stack, and where that
      // room is missing, Deno 2.9.6 ends the program.
      this.#depth++;
      this.#value(cause.value);
      this.#depth--;
      if (this.#met !== met) throw new Refused();
      return;
    }
    out.room(1);
    out.byte(tag.HOLE);
  }

  #domException(exception: DOMException): void {
    const out = this.#out;
    out.room(1);
    out.byte(tag.DOM_EXCEPTION);
    this.#weight += DOM_EXCEPTION_WEIGHT;
    out.string(exception.name);
    out.string(exception.message);
    const stack: unknown = exception.stack;
    this.#value(typeof stack === "string" ? stack : undefined);
  }

  #regexp(regexp: RegExp): void {
    const source = Reflect.get(RegExp.prototype, "source", regexp);
    const flags = Reflect.get(RegExp.prototype, "flags", regexp);
    this.#out.byte(tag.REGEXP);
    this.#out.string(source);
    this.#out.string(flags);
    this.#weight += regexpWeight(source, flags);
  }
}

/** The encoder of this isolate, or a new one while it is busy. */
export function freeEncoder(): Encoder {
  return shared.busy ? new Encoder() : shared;
}
const shared = new Encoder();

/** The index of the element that a key stands for, or -1 if the key is a name. */
function indexOfKey(key: string): number {
  const first = StringPrototypeCharCodeAt(key, 0);
  if (first < 0x30 || first > 0x39) return -1;
  const index = Number(key) >>> 0;
  return String(index) === key && index !== 0xffffffff ? index : -1;
}

function asString(value: unknown): string {
  if (typeof value === "symbol") throw new Refused();
  return String(value);
}

const valueOfNumber = uncurryGetter<object, number>(Number.prototype.valueOf),
  valueOfString = uncurryGetter<object, string>(String.prototype.valueOf),
  valueOfBoolean = uncurryGetter<object, boolean>(Boolean.prototype.valueOf),
  valueOfBigInt = uncurryGetter<object, bigint>(BigInt.prototype.valueOf);

function valueOfBoxed(object: object): unknown {
  if (types.isNumberObject(object)) return valueOfNumber(object);
  if (types.isStringObject(object)) return valueOfString(object);
  if (types.isBooleanObject(object)) return valueOfBoolean(object);
  return valueOfBigInt(object);
}
