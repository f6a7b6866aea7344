// Seeded values for tests: nested, shared, cyclic, and full of edge cases. The
// same seed gives the same value on every machine.

/** A generator of numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ state >>> 15, state | 1);
    bits ^= bits + Math.imul(bits ^ bits >>> 7, bits | 61);
    return ((bits ^ bits >>> 14) >>> 0) / 2 ** 32;
  };
}

/** What the generated values may contain. */
export interface ValueOptions {
  /** How many objects a value has at most. Default 40. */
  objects?: number;
  /** Only what JSON keeps, too: no cycles, no sharing, no rare kinds. Default false. */
  plain?: boolean;
  /** Whether there are errors among them. Default true. */
  errors?: boolean;
}

/** A value structured cloning accepts, made from a seed. */
export function valueOf(seed: number, options: ValueOptions = {}): unknown {
  return new Generator(random(seed), options).value();
}

class Point {
  constructor(readonly x: unknown, readonly y: unknown) {}
}

class Labelled {
  #label = "a label";
  value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
  get [Symbol.toStringTag]() {
    return this.#label;
  }
}

const views = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];
const errors = [Error, RangeError, TypeError, SyntaxError, EvalError, ReferenceError, URIError];
const keys = ["id", "url", "tags", "name", "value", "", "0", "17", "__proto__", "constructor"];

class Generator {
  readonly #random: () => number;
  readonly #plain: boolean;
  readonly #errors: boolean;
  readonly #made: object[] = [];
  #left: number;

  constructor(random: () => number, { objects = 40, plain = false, errors = true }: ValueOptions) {
    this.#random = random;
    this.#left = objects;
    this.#plain = plain;
    this.#errors = errors;
  }

  value(): unknown {
    const pick = this.#random();
    if (this.#left <= 0 || pick < 0.4) return this.#primitive();
    if (!this.#plain && pick < 0.47 && this.#made.length > 0) return this.#oneOf(this.#made);
    this.#left--;
    if (this.#plain) return pick < 0.75 ? this.#record() : this.#array();
    return this.#object();
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#below(list.length)];
  }

  #keep<T extends object>(object: T): T {
    this.#made.push(object);
    return object;
  }

  #primitive(): unknown {
    switch (this.#below(this.#plain ? 6 : 9)) {
      case 0:
        return this.#below(300) - 20;
      case 1:
        return this.#oneOf([2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 53, 0.1, 1e300, 127, 128, -1]);
      case 2:
      case 3:
        return this.string();
      case 4:
        return this.#oneOf([true, false]);
      case 5:
        return null;
      case 6:
        return undefined;
      case 7:
        return this.#oneOf([-0, NaN, Infinity, -Infinity, 5e-324]);
      default:
        return this.#bigint();
    }
  }

  #bigint(): bigint {
    const size = 1n << BigInt(this.#below(200));
    return this.#oneOf([size, -size, size - 1n, 1n - size, size * 0x9e3779b97f4a7c15n]);
  }

  /** ASCII, Latin-1, anything, lone surrogates; empty to some thousand units. */
  string(): string {
    const lengths = [0, 1, 2, 5, 8, 12, 23, 24, 25, 39, 40, 41, 42, 60, 127, 255, 256, 700, 3000];
    const length = this.#oneOf(lengths.slice(0, this.#random() < 0.9 ? 13 : undefined));
    const limit = this.#oneOf([0x80, 0x80, 0x80, 0x100, 0x3000, 0x10000]);
    let text = "";
    while (text.length < length) text += String.fromCharCode(this.#below(limit));
    // One other character late in the string defeats whoever looks at the beginning only.
    if (length > 40 && this.#random() < 0.2) {
      const at = this.#below(length);
      text = text.slice(0, at) + this.#oneOf(["é", "語", "\ud800", "\udc00"]) + text.slice(at + 1);
    }
    return text;
  }

  #key(): string {
    return this.#random() < 0.6 ? this.#oneOf(keys) : this.string();
  }

  #fill<T extends object>(object: T, count: number): T {
    for (let i = 0; i < count; i++) {
      Object.defineProperty(object, this.#key(), {
        value: this.value(),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return object;
  }

  #record(): object {
    const count = this.#random() < 0.9 ? this.#below(6) : this.#below(40);
    return this.#fill(this.#keep({}), count);
  }

  #array(): unknown[] {
    const array: unknown[] = this.#keep([]);
    const length = this.#random() < 0.9 ? this.#below(6) : this.#below(100);
    if (this.#random() < 0.2) {
      for (let i = 0; i < length; i++) array.push(this.#below(1000) / 2);
      return array;
    }
    for (let i = 0; i < length; i++) array.push(this.value());
    if (this.#plain) return array;
    if (this.#random() < 0.2) {
      for (let i = this.#below(9); i > 0; i--) delete array[this.#below(9)];
    }
    if (this.#random() < 0.1) array.length += this.#below(200);
    if (this.#random() < 0.1) array[this.#below(100_000)] = this.value();
    if (this.#random() < 0.1) {
      Object.assign(array, { index: this.value(), [`${2 ** 32 - 1}`]: this.value(), "-1": 1 });
    }
    return array;
  }

  #object(): object {
    switch (this.#below(16)) {
      case 0:
      case 1:
      case 2:
        return this.#record();
      case 3:
      case 4:
      case 5:
        return this.#array();
      case 6:
        return this.#map();
      case 7:
        return this.#set();
      case 8:
        return this.#errors ? this.#error() : this.#map();
      case 9:
        return this.#view();
      case 10:
        return this.#buffer();
      case 11:
        return this.#keep(new Date(this.#oneOf([0, -1, 1e12 + 0.5, 8.64e15, NaN])));
      case 12:
        return this.#regexp();
      case 13:
        return this.#keep(
          Object(this.#oneOf([-0, 5, "", "\ud800x", true, false, 7n, -(2n ** 70n)])),
        );
      case 14:
        return this.#instance();
      default:
        return this.#getter();
    }
  }

  #map(): Map<unknown, unknown> {
    const map = this.#keep(new Map<unknown, unknown>());
    for (let i = this.#below(5); i > 0; i--) {
      map.set(this.#random() < 0.1 ? map : this.value(), this.value());
    }
    return map;
  }

  #set(): Set<unknown> {
    const set = this.#keep(new Set<unknown>());
    for (let i = this.#below(5); i > 0; i--) set.add(this.#random() < 0.1 ? set : this.value());
    return set;
  }

  #error(): Error {
    const error = this.#keep(new (this.#oneOf(errors))(this.string()));
    if (this.#random() < 0.4) error.cause = this.#random() < 0.2 ? error : this.value();
    if (this.#random() < 0.2) error.name = this.#oneOf(["RangeError", "Mine", ""]);
    if (this.#random() < 0.2) error.stack = this.string();
    if (this.#random() < 0.1) delete (error as { stack?: string }).stack;
    if (this.#random() < 0.1) Reflect.deleteProperty(error, "message");
    if (this.#random() < 0.1) Object.assign(error, { code: "LOST" });
    if (this.#random() < 0.2) {
      return this.#keep(new DOMException(this.string(), this.#oneOf(["AbortError", "Mine"])));
    }
    return error;
  }

  #buffer(): ArrayBuffer {
    const size = this.#below(6) * 8 + this.#below(2);
    const buffer = this.#keep(
      this.#random() < 0.4
        ? new ArrayBuffer(size, { maxByteLength: size + this.#below(3) * 8 })
        : new ArrayBuffer(size),
    );
    const bytes = new Uint8Array(buffer);
    for (let i = 0; i < size; i++) bytes[i] = this.#below(256);
    return buffer;
  }

  #view(): ArrayBufferView {
    const known = this.#made.filter((object) => object instanceof ArrayBuffer);
    const buffer = known.length > 0 && this.#random() < 0.6 ? this.#oneOf(known) : this.#buffer();
    const offset = Math.min(this.#below(3) * 8, buffer.byteLength >> 3 << 3);
    if (this.#random() < 0.2) {
      return this.#keep(
        this.#random() < 0.5
          ? new DataView(buffer, offset)
          : new DataView(buffer, offset, buffer.byteLength - offset),
      );
    }
    const Kind = this.#oneOf(views);
    const fits = (buffer.byteLength - offset) / Kind.BYTES_PER_ELEMENT;
    const whole = Number.isInteger(fits) || buffer.resizable;
    return this.#keep(
      whole && this.#random() < 0.5
        ? new Kind(buffer, offset)
        : new Kind(buffer, offset, Math.floor(fits)),
    );
  }

  #regexp(): RegExp {
    const source = this.#oneOf(["a+", "", "/", "\\/\n", "[^\\/]\\d{2}", "語|\\u{1f600}"]);
    const regexp = this.#keep(new RegExp(source, this.#oneOf(["", "g", "dgimsuy", "v", "iy"])));
    regexp.lastIndex = this.#below(5);
    return regexp;
  }

  #instance(): object {
    switch (this.#below(5)) {
      case 0:
        return this.#keep(new Point(this.value(), this.value()));
      case 1:
        return this.#keep(new Labelled(this.value()));
      case 2:
        return this.#fill(this.#keep(Object.create(null)), this.#below(4));
      case 3:
        return this.#keep(new (class extends Map<unknown, unknown> {})([[1, this.value()]]));
      default:
        return this.#keep(
          new (class Empty {
            #hidden = 1;
            static hidden = (empty: Empty) => empty.#hidden;
          })(),
        );
    }
  }

  #getter(): object {
    const value = this.value();
    const object = {
      get computed() {
        return value;
      },
      [Symbol("left out")]: 1,
      [this.#key()]: this.value(),
    };
    return this.#keep(Object.defineProperty(object, "hidden", { value: 1, enumerable: false }));
  }
}
