// The cost of the byte codec, in nanoseconds a value, beside that of the platform's own serializers:
// deno run bench/codec_bench.ts

import { deserialize, serialize } from "node:v8";
import { decode } from "../lib/codec/decode.ts";
import { Encoder } from "../lib/codec/encode.ts";

const record = (i: number) => ({
  id: i,
  name: `Item number ${i}`,
  active: i % 2 === 0,
  price: i * 1.25,
  tags: ["new", "sale"],
  owner: { id: i * 7, name: "Ada Lovelace", mail: "ada@example.com" },
});

const values: Record<string, (i: number) => unknown> = {
  "int": (i) => i * 1000,
  "float": (i) => i + 0.5,
  "{id, url, tags}": (i) => ({
    id: i,
    url: `https://example.com/page/${i}`,
    tags: ["news", "sport", "weather"],
  }),
  "string, 24": (i) => `${i} twenty-four characters`.slice(0, 24),
  "string, 1 KiB ASCII": (i) => `${i} characters `.repeat(100).slice(0, 1024),
  "string, 1 KiB other": (i) => `${i} caractères — `.repeat(100).slice(0, 1024),
  "nested object, 1 KiB": (i) => ({
    page: i,
    total: 100,
    items: Array.from({ length: 6 }, (_, k) => record(i + k)),
  }),
  "100 ints": (i) => Array.from({ length: 100 }, (_, k) => i * k),
  "100 floats": (i) => Array.from({ length: 100 }, (_, k) => i * k + 0.5),
  "100 objects": (i) => Array.from({ length: 100 }, (_, k) => ({ x: i, y: k })),
  "Uint8Array, 64 KiB": () => new Uint8Array(65536),
};

/** The best of some rounds for each function, in ns a call; the functions take turns, round by round. */
function measure(functions: ((i: number) => unknown)[], budget = 20): number[] {
  const best = functions.map(() => Infinity);
  const counts = functions.map(() => 64);
  for (let round = 0; round < 12; round++) {
    functions.forEach((run, f) => {
      const count = counts[f];
      const start = performance.now();
      for (let i = 0; i < count; i++) run(i);
      const time = performance.now() - start;
      if (round > 3) best[f] = Math.min(best[f], (time * 1e6) / count);
      counts[f] = Math.max(64, Math.ceil(count * Math.min(50, budget / Math.max(time, 0.01))));
    });
  }
  return best;
}

const encoder = new Encoder();
const columns = ["encode", "decode", "v8 ser.", "v8 des.", "structuredClone"];
console.log("ns a value".padEnd(24) + columns.map((name) => name.padStart(16)).join(""));

/** Prints one row. Sixteen different values, so that no effect of mere repetition is measured. */
function row(name: string, make: (i: number) => unknown) {
  const some = Array.from({ length: 16 }, (_, i) => make(i));
  const written = some.map((value) => {
    const end = encoder.encode(value, 0, "value");
    return encoder.bytes.slice(0, end);
  });
  // All are read from one buffer, like the one that a ring copies to.
  const buffer = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
  const starts: number[] = [];
  written.reduce((at, bytes) => (buffer.set(bytes, at), starts.push(at), at + bytes.length), 0);
  const serialized = some.map((value) => serialize(value));
  const times = measure([
    (i) => encoder.encode(some[i & 15], 8, "value"),
    (i) => decode(buffer, starts[i & 15], starts[i & 15] + written[i & 15].length),
    (i) => serialize(some[i & 15]),
    (i) => deserialize(serialized[i & 15]),
    (i) => structuredClone(some[i & 15]),
  ]);
  console.log(name.padEnd(24) + times.map((time) => time.toFixed(0).padStart(16)).join(""));
}

// Twice: the first pass favours the first row, which runs before V8 has seen other shapes.
for (const [name, make] of Object.entries(values)) row(name, make);
console.log("\nagain, after all of these");
for (const [name, make] of Object.entries(values)) row(name, make);
