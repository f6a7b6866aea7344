// Imports run down from floor to floor (tools/rooms/graph.ts), and the check finds each kind of violation.

import assert from "node:assert/strict";
import {
  circlesOf,
  FLOORS,
  type Import,
  importsOf,
  roomOf,
  wrongImports,
} from "../tools/rooms/graph.ts";
import { granted, needs, root } from "./support/documented.ts";

Deno.test({
  name: `imports run down from floor to floor, and none in a circle ${needs}`,
  ignore: !granted,
  fn: async () => {
    const imports = await importsOf(root);
    assert.deepEqual([wrongImports(imports), circlesOf(imports)], [[], []]);
    const rooms = new Set(imports.flat().map(roomOf));
    for (const room of FLOORS.flat()) assert.ok(rooms.has(room), `${room} has no file`);
    // Of types, and dynamic ones, are among them.
    const has = (from: string, to: string) =>
      imports.some((one) => one[0] === from && one[1] === to);
    assert.ok(has("lib/protocol/spawn_request.ts", "lib/protocol/grants.ts"));
    assert.ok(has("lib/child/module_graph.ts", "lib/pool/pool.ts"));
  },
});

Deno.test({
  name: `what ./local loads knows no shared memory and no process ${needs}`,
  ignore: !granted,
  fn: async () => {
    const imports = await importsOf(root), reached = new Set(["local.ts"]);
    for (const file of reached) {
      for (const [from, to] of imports) if (from === file) reached.add(to);
    }
    const rooms = new Set([...reached].map(roomOf));
    for (const room of ["liveness", "transfer", "shm", "queue/shared", "protocol", "process"]) {
      assert.ok(!rooms.has(room), room);
    }
  },
});

Deno.test("an import to a floor above, or to a room beside, is a fault", () => {
  const faults = (from: string, to: string) => wrongImports([[from, to]]).length;
  assert.equal(faults("lib/sync/lock.ts", "lib/wait/operation.ts"), 0);
  assert.equal(faults("lib/sync/lock.ts", "lib/sync/guard.ts"), 0);
  assert.equal(faults("lib/wait/operation.ts", "lib/sync/lock.ts"), 1);
  assert.equal(faults("lib/sync/lock.ts", "lib/pipe/pipe.ts"), 1);
  assert.equal(faults("lib/queue/local/queue.ts", "lib/queue/shared/queue.ts"), 1);
  assert.equal(faults("lib/queue/contract.ts", "lib/queue/shared/queue.ts"), 1);
  assert.equal(faults("lib/errors.ts", "lib/printing.ts"), 1);
  assert.throws(() => faults("lib/attic/chest.ts", "lib/errors.ts"), /attic stands on no floor/);
});

Deno.test("a circle of files is found, however long, and each once", () => {
  const imports: Import[] = [["a", "b"], ["b", "c"], ["c", "d"], ["d", "b"], ["a", "e"], [
    "e",
    "f",
  ]];
  assert.deepEqual(circlesOf(imports).map((files) => files.sort()), [["b", "c", "d"]]);
  assert.deepEqual(circlesOf([...imports, ["f", "e"]]).length, 2);
  assert.deepEqual(circlesOf(imports.slice(0, 3)), []);
});
