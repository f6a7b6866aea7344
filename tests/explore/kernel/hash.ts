// Hashes for the comparison of states: two of 32 bits, of which a key keeps 53.

/** A running hash. */
export class Hash {
  #a: number;
  #b: number;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = seed + 77 | 0;
  }

  mix(x: number): void {
    this.#a = Math.imul(this.#a ^ x, 0x9E3779B1);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul(this.#b + x | 0, 0x85EBCA6B);
    this.#b ^= this.#b >>> 13;
  }

  /** Mixes in what another hash stands for. */
  mixHash(other: Hash): void {
    this.mix(other.#a);
    this.mix(other.#b);
  }

  /** A number below 2 ** 53. */
  get value(): number {
    return (this.#a >>> 0) * 0x200000 + (this.#b & 0x1fffff);
  }
}

/** A text as a number. */
export function hashText(text: string): number {
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The result of an operation as a number: what a process has learnt from it. */
export function hashValue(value: unknown): number {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? value | 0 : hashText(String(value));
    case "string":
      return hashText(value);
    case "bigint":
      return hashText(String(value));
    case "boolean":
      return value ? 17 : 19;
    case "undefined":
      return 3;
  }
  return (value as { async?: boolean }).async === true ? 11 : 13;
}
