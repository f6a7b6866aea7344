// What hostile code posts on the port of a pipe that has no form of a message: lists without a length, without an end, or
// as long as a list can be, and empty.

import assert from "node:assert/strict";
import { Pipe } from "../../mod.ts";
import { serialize } from "../../lib/transfer/transferable.ts";

interface End {
  [serialize](): { content: { port: MessagePort } };
}

const endless = [{}, { length: Infinity }, { length: NaN }, { length: 2 ** 53 }, "x", 1, null];
const empty = () => new Array(2 ** 32 - 1);

/** What is posted before a message that is one, or in its place, as it has its number. */
const forged: Record<string, (number: number) => unknown> = {};
for (const list of [...endless, undefined, empty()]) {
  const name = Array.isArray(list) ? "an empty list" : JSON.stringify(list);
  forged[`what moves is ${name}`] = (number) => ({ number, moved: list });
  forged[`its objects are ${name}`] = (number) => ({
    number,
    moved: [],
    message: { bytes: new Uint8Array(9), serialized: list, posted: list },
  });
  forged[`the message is ${name}`] = (number) => ({ number, moved: [], message: list });
  forged[`it is ${name}`] = () => list;
}

for (const [what, make] of Object.entries(forged)) {
  for (const number of [7, 1]) {
    const when = number === 1 ? "in the place of a message" : "before a message";
    Deno.test(`a recv ends, or fails, though somebody has posted something ${when}: ${what}`, async () => {
      const [here, there] = Pipe<unknown>();
      const { port } = (there as unknown as End)[serialize]().content;
      port.postMessage(new Map([[0, make(number)]]));
      await there.send(new Blob(["x"]));
      const got = await here.recv({ timeout: 1000 }).catch((error) => error);
      assert.ok(got instanceof Blob || got instanceof Error, `${got}`);
      here.close();
      there.close();
      port.close();
    });
  }
}
