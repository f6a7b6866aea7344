// Where a trace is written to: an end that is taken back, and writes that fail.

import assert from "node:assert/strict";
import { Queue, trace } from "../../mod.ts";
import { FileOutput, type OpenFile, TraceText } from "../../lib/trace/output.ts";
import { memory } from "./read_trace.ts";

/** A file in memory; it takes no more than `most` bytes, and few at a time. */
class MemoryFile implements OpenFile {
  bytes = new Uint8Array();
  isClosed = false;
  #at = 0;

  constructor(readonly most = Infinity) {}

  writeSync(bytes: Uint8Array): number {
    const some = bytes.subarray(0, 7);
    if (this.#at + some.length > this.most) throw new Error("the disk is full");
    const all = new Uint8Array(Math.max(this.bytes.length, this.#at + some.length));
    all.set(this.bytes);
    all.set(some, this.#at);
    this.bytes = all;
    this.#at += some.length;
    return some.length;
  }

  seekSync(offset: number): number {
    return this.#at = offset;
  }

  truncateSync(length: number): void {
    this.bytes = this.bytes.slice(0, length);
  }

  close(): void {
    this.isClosed = true;
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }
}

const event = (name: string) => ({ name, ph: "i" as const, pid: 1 });

Deno.test("a file has an end after each error, and goes on", async () => {
  const file = new MemoryFile(), output = new FileOutput(file), text = new TraceText();
  const names = () => JSON.parse(file.text).traceEvents.map((it: { name: string }) => it.name);
  for (const name of ["ä", "b"]) {
    output.writeNow(text.events([event(name)]));
    output.writeEnd(text.preview([event("a long event of the preview alone")], { many: "x" }));
    assert.deepEqual(names().slice(-2), [name, "a long event of the preview alone"]);
  }
  await output.write(text.events([event("c")]));
  await output.write([text.end({})]);
  await output.end();
  assert.deepEqual(names(), ["ä", "b", "c"]);
  assert.ok(file.isClosed);
});

Deno.test("an end that can't be taken back isn't written", async () => {
  class PipeFile extends MemoryFile {
    override seekSync(): number {
      throw new Error("a pipe");
    }
  }
  const file = new PipeFile(), output = new FileOutput(file), text = new TraceText();
  output.writeNow(text.events([event("a")]));
  assert.throws(() => output.writeEnd(text.preview([], {})), /a pipe/);
  await output.write([text.end({})]);
  assert.equal(JSON.parse(file.text).traceEvents.length, 1);
});

Deno.test("after a write to a file has failed, all fail with its error", async () => {
  const file = new MemoryFile(20), output = new FileOutput(file);
  await output.write(["0123456789"]);
  await assert.rejects(output.write(["0123456789x"]), /the disk is full/);
  const { text } = file;
  await assert.rejects(output.write(["y"]), /the disk is full/);
  assert.throws(() => output.writeNow(["y"]), /the disk is full/);
  assert.throws(() => output.writeEnd(["y"]), /the disk is full/);
  assert.equal(file.text, text);
});

Deno.test("a flush that fails ends the trace, and stop() tells the same error", async () => {
  const broken = new Error("broken");
  const running = trace({
    writable: new WritableStream({
      write: () => {
        throw broken;
      },
    }),
  });
  const both = [running.flush(), running.flush()];
  for (const flushed of both) await assert.rejects(flushed, broken);
  const to = memory(), next = trace(to.options);
  await assert.rejects(running.flush(), broken);
  await assert.rejects(running.stop(), broken);
  await assert.rejects(running[Symbol.asyncDispose](), broken);
  await next.stop();
  to.read();
});

Deno.test("a stop that fails tells the error of the stream", async () => {
  const broken = new Error("broken");
  const running = trace({
    writable: new WritableStream({
      write: () => {
        throw broken;
      },
    }),
  });
  await assert.rejects(running.stop(), broken);
  await assert.rejects(running.stop(), broken);
});

Deno.test("an error that the program handles doesn't end a trace", async () => {
  const to = memory(), running = trace(to.options);
  const handle = (event: Event) => event.preventDefault();
  for (const name of ["error", "unhandledrejection"]) addEventListener(name, handle);
  reportError(new Error("on purpose"));
  Promise.reject(new Error("on purpose"));
  await new Promise((wake) => setTimeout(wake));
  for (const name of ["error", "unhandledrejection"]) removeEventListener(name, handle);
  new Queue<number>({ name: "later" }).putNowait(1);
  await running.stop();
  assert.ok(to.read().traceEvents.some(({ name }) => name.includes("later")));
});
