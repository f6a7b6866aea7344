// Two copies of this package in one isolate are one process to all other processes: they share the per-isolate state.

import assert from "node:assert/strict";
import * as controls from "../../lib/liveness/control_block.ts";
import * as controlsAgain from "../../lib/liveness/control_block.ts?copy";
import * as members from "../../lib/liveness/membership.ts";
import * as membersAgain from "../../lib/liveness/membership.ts?copy";
import { PerIsolate } from "../../lib/liveness/per_isolate.ts";
import { PerIsolate as PerIsolateAgain } from "../../lib/liveness/per_isolate.ts?copy";
import * as signatures from "../../lib/transfer/signature.ts";
import * as signaturesAgain from "../../lib/transfer/signature.ts?copy";

Deno.test("a second copy has the control block, the place and the key of the first", () => {
  assert.notEqual(controls.ControlBlock, controlsAgain.ControlBlock);
  assert.equal(controls.ownControl().words, controlsAgain.ownControl().words);
  assert.deepEqual(members.ownRef(), membersAgain.ownRef());
  assert.equal(members.ownProcessTable().shares, membersAgain.ownProcessTable().shares);
  assert.deepEqual(signatures.ownKey(), signaturesAgain.ownKey());
});

Deno.test("what one copy sets the other gets, and makes no other", () => {
  const one = new PerIsolate<number>("test"), two = new PerIsolateAgain<number>("test");
  assert.equal(two.get(), undefined);
  assert.equal(one.getOr(() => 1), 1);
  assert.equal(two.getOr(() => 2), 1);
  two.set(3);
  assert.equal(one.get(), 3);
  one.hide();
  assert.equal(two.get(), undefined);
});
