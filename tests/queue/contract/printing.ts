// console.log shows a queue's state, and changes nothing.

import assert from "node:assert/strict";
import { type Contract, drain } from "./implementation.ts";

export function printing(contract: Contract): void {
  const { can, implementation: { className }, make, test } = contract;
  const shown = (value: unknown) => Deno.inspect(value, { colors: false, breakLength: Infinity });

  test("it is printed with its class and its state", async () => {
    const queue = make({ maxSize: 7 });
    assert.ok(shown(queue).startsWith(`${className} {`), shown(queue));
    assert.ok(shown([{ queue }]).includes(`${className} {`));
    if (can.synchronous) {
      assert.match(shown(queue), /\bsize: 0\b/);
      await queue.put(1);
      await queue.put(2);
      assert.match(shown(queue), /\bsize: 2\b/);
      if (can.asyncQueue) assert.match(shown(queue), /\bmaxSize: 7\b/);
      if (can.joinable) assert.match(shown(queue), /\bunfinished: 2\b/);
      assert.deepEqual((await drain(queue)).length, 2);
    }
    assert.doesNotMatch(shown(queue), /shutDown|closed/);
  });

  if (can.asyncQueue && can.synchronous) {
    test("that it was shut down is printed", async () => {
      const queue = make();
      await queue.shutdown();
      assert.match(shown(queue), /\bshutDown: true\b/);
    });
  }

  if (can.closable) {
    test("that it was closed is printed", () => {
      const queue = make();
      queue.close();
      assert.match(shown(queue), /\bclosed: true\b/);
      assert.ok(shown(queue).startsWith(`${className} {`));
    });
  }
}
