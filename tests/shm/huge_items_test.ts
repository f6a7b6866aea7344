// Huge items, whose buffers are used again: what was got stays as it was.

import assert from "node:assert/strict";
import { Pipe, Queue } from "../../mod.ts";

const SIZES = [1_100_000, 3_000_000, 9_000_000, 2_000_000, 9_000_001];

function isFilled(bytes: Uint8Array, length: number, value: number): boolean {
  return bytes.length === length && bytes.every((byte) => byte === value);
}

Deno.test("huge items that were got don't change when others come after them", async () => {
  using queue = new Queue<Uint8Array>();
  const [here, there] = Pipe<Uint8Array>();
  const got: { bytes: Uint8Array; length: number; value: number }[] = [];
  for (let round = 0; round < 3; round++) {
    for (const [index, length] of SIZES.entries()) {
      const value = round * SIZES.length + index + 1, bytes = new Uint8Array(length).fill(value);
      queue.putNowait(bytes);
      here.sendNowait(bytes);
      got.push({ bytes: queue.getNowait(), length, value });
      got.push({ bytes: there.recvNowait(), length, value });
      await queue.putMany([bytes.subarray(0, 10), bytes]);
      got.push({ bytes: (await queue.getMany(2)).at(-1)!, length, value });
    }
  }
  for (const { bytes, length, value } of got) {
    assert.ok(isFilled(bytes, length, value), `${value}: ${length} bytes`);
  }
  here.close();
  there.close();
});
