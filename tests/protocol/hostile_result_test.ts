// The result of a hostile process, byte by byte: reading it takes memory and time in proportion to its
// length. The test measures no time: a costly result is refused by its weight.

import assert from "node:assert/strict";
import { decode } from "../../lib/codec/decode.ts";
import { Encoder } from "../../lib/codec/encode.ts";
import * as tag from "../../lib/codec/format.ts";
import { Process } from "../../mod.ts";
import { testInFull } from "../support/length.ts";

const SIZE = 2 ** 20;

const float64 = (value: number) => [...new Uint8Array(Float64Array.of(value).buffer)];
const uint32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const text = (value: string) => {
  const encoder = new Encoder(), end = encoder.encode(value, 0, "text");
  return [...encoder.bytes.subarray(1, end)];
};

/** A list of the same part, over and over, of a megabyte. */
function listOf(part: number[], size = SIZE): Uint8Array {
  const count = Math.floor((size - 7) / part.length);
  const bytes = new Uint8Array(7 + count * part.length);
  bytes.set([0, tag.ARRAY, ...uint32(count)]);
  for (let i = 0; i < count; i++) bytes.set(part, 6 + i * part.length);
  return bytes;
}

const error = [tag.ERROR, 0, tag.NULL, tag.NULL, tag.HOLE];
const buffer = (size: number) => [tag.RESIZABLE_BUFFER, ...float64(0), ...float64(size)];
const regexp = (source: string, flags: string) => [tag.REGEXP, ...text(source), ...text(flags)];

const costly: Record<string, Uint8Array> = {
  "resizable buffers of nothing": listOf(buffer(0)),
  "resizable buffers of a gigabyte": listOf(buffer(2 ** 30)),
  "one resizable buffer of 64 TB": Uint8Array.from([0, ...buffer(2 ** 46)]),
  "a resizable buffer of a size that is no number": Uint8Array.from([0, ...buffer(NaN)]),
  "views of resizable buffers": listOf([tag.VIEW, 0, ...float64(0), ...float64(-1), ...buffer(0)]),
  "errors": listOf(error),
  "DOMExceptions": listOf([tag.DOM_EXCEPTION, ...text(""), ...text(""), tag.NULL]),
  "a regular expression of properties": Uint8Array.from([
    0,
    ...regexp("\\p{L}".repeat(200_000), "iu"),
  ]),
  "a regular expression of emoji": Uint8Array.from([
    0,
    ...regexp("\\p{RGI_Emoji}".repeat(1000), "v"),
  ]),
  "regular expressions of properties": listOf(regexp("\\P{L}", "u")),
};

for (const [what, bytes] of Object.entries(costly)) {
  Deno.test(`a result of what is costly to make is refused: ${what}`, () => {
    assert.throws(() => decode(bytes, 0, bytes.length, undefined, SIZE), /costly to make/);
  });
}

const wide: Record<string, Uint8Array> = {
  "of 2 ** 25 elements": listOf([tag.ARRAY, ...uint32(2 ** 25 - 1), tag.REST, tag.END]),
  "of a million elements": listOf([tag.ARRAY, ...uint32(1e6), tag.REST, tag.END]),
  "of 100,000 elements": listOf([tag.ARRAY, ...uint32(1e5), tag.REST, tag.END]),
  "of 1000 elements": listOf([tag.ARRAY, ...uint32(1000), tag.REST, tag.END]),
};

for (const [what, bytes] of Object.entries(wide)) {
  Deno.test(`empty arrays take no memory for elements that aren't there: ${what}`, () => {
    const before = Deno.memoryUsage().heapTotal;
    // Without a bound, as from a queue or a pipe; 150,000 of them.
    const arrays = decode(bytes, 0, bytes.length) as unknown[][];
    const grown = (Deno.memoryUsage().heapTotal - before) / 2 ** 20;
    assert.ok(arrays.length > 100_000);
    assert.ok(grown < 300, `${grown} MB`);
  });
}

Deno.test("objects with one large index take no memory for those before it", () => {
  for (const holder of [[tag.OBJECT], [tag.ARRAY, ...uint32(0)]]) {
    const bytes = listOf([...holder, 4, ...new TextEncoder().encode("1000"), tag.NULL, tag.END]);
    const before = Deno.memoryUsage().heapTotal;
    const objects = decode(bytes, 0, bytes.length, undefined, SIZE) as object[];
    const grown = (Deno.memoryUsage().heapTotal - before) / 2 ** 20;
    assert.ok(grown < 300, `${grown} MB`);
    assert.deepEqual(Object.keys(objects[0]), ["1000"]);
    if (Array.isArray(objects[0])) assert.equal(objects[0].length, 1001);
  }
});

testInFull("arrays with gaps arrive as they were", () => {
  const encoder = new Encoder();
  const one = (length: number, at: number[]) => {
    const array: unknown[] = [];
    for (const index of at) array[index] = index;
    array.length = length;
    return array;
  };
  const lengths = [0, 1, 63, 64, 65, 130, 1000, 1024, 5000, 2 ** 20, 2 ** 25 - 1, 2 ** 25];
  for (const length of [...lengths, 2 ** 32 - 2, 2 ** 32 - 1]) {
    for (const at of [[], [0], [0, 1, 2], [length - 1], [0, length >>> 1]]) {
      if (at.some((index) => index < 0 || index >= length)) continue;
      const array = one(length, at);
      const end = encoder.encode([array, "after"], 0, "array");
      for (const most of [undefined, SIZE]) {
        const [copy, after] = decode(encoder.bytes.slice(0, end), 0, end, undefined, most) as [
          unknown[],
          string,
        ];
        assert.equal(after, "after");
        assert.equal(copy.length, length);
        assert.deepEqual(Object.keys(copy), Object.keys(array));
        for (const index of at) assert.equal(copy[index], index);
      }
    }
  }
});

testInFull("what a confined process may not return is refused where it returns it", async () => {
  const attempts: [() => unknown, RegExp][] = [
    [() => new ArrayBuffer(1, { maxByteLength: 2 ** 30 }), /result counts as 1073741824 bytes/],
    [() => Array.from({ length: 10_000 }, () => new Error("x")), /result (counts as|takes) \d+/],
    [() => Array.from({ length: 5000 }, () => new DOMException()), /result (counts as|takes) \d+/],
    [() => Array.from({ length: 100 }, () => /\p{L}/v), /result counts as \d+ bytes/],
  ];
  for (const [target, message] of attempts) {
    const process = new Process({ target, by: "source", permissions: "none" });
    process.start();
    await assert.rejects(process.result(), ({ cause }: Error) => {
      return cause instanceof RangeError && message.test(cause.message);
    });
    await process.join();
  }
});

Deno.test("a confined process returns some of all that", async () => {
  const process = new Process({
    target: () => [
      new Uint8Array(new ArrayBuffer(8, { maxByteLength: 2 ** 16 })),
      new Error("failed"),
      new DOMException("gone", "AbortError"),
      /\p{L}+/u,
      /[\p{L}--\p{Lu}]/v,
      new Array(2000),
      { 1000: "a" },
    ],
    by: "source",
    permissions: "none",
  });
  process.start();
  const [view, error, exception, letters, lower, gap, indexed] = await process.result() as [
    Uint8Array,
    Error,
    DOMException,
    RegExp,
    RegExp,
    unknown[],
    object,
  ];
  assert.equal((view.buffer as ArrayBuffer).maxByteLength, 2 ** 16);
  assert.equal(error.message, "failed");
  assert.equal(exception.name, "AbortError");
  assert.ok(letters.test("é") && lower.test("é"));
  assert.equal(gap.length, 2000);
  assert.deepEqual(indexed, { 1000: "a" });
  await process.join();
});
