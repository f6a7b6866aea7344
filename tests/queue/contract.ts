// The contract of queues (lib/queue/contract.ts) as tests, for any implementation. contract_test.ts runs them
// for each there is. An implementation declares the features it lacks (Capabilities); then it has none of their
// members, which is tested instead.

import assert from "node:assert/strict";
import { batches } from "./contract/batches.ts";
import { badInput } from "./contract/bad_input.ts";
import { bounds } from "./contract/bounds.ts";
import { ending } from "./contract/ending.ts";
import {
  type Contract,
  type Implementation,
  type MakeOptions,
  members,
  type Tested,
} from "./contract/implementation.ts";
import { items } from "./contract/items.ts";
import { joining } from "./contract/joining.ts";
import { printing } from "./contract/printing.ts";
import { processes } from "./contract/processes.ts";
import { streams } from "./contract/streams.ts";
import { waits } from "./contract/waits.ts";

export type { Implementation } from "./contract/implementation.ts";

/** Registers all tests that an implementation has to pass. */
export function queueContract(implementation: Implementation): void {
  const { name, can } = implementation;
  let made: Tested<never>[] = [];
  const contract: Contract = {
    implementation,
    can,
    make: <T>(options?: MakeOptions) => {
      const queue = implementation.make(options) as unknown as Tested<T>;
      made.push(queue as Tested<never>);
      return queue;
    },
    test: (what, body) => {
      Deno.test(`${name}: ${what}`, async () => {
        made = [];
        try {
          await body();
        } finally {
          if (can.closable) { for (const queue of made) queue.close(); }
          await implementation.after?.();
        }
      });
    },
  };
  contract.test("it has the members of what it can do, and none of what it can't", () => {
    const queue = contract.make();
    for (const member of ["put", "putNowait", "get", "getNowait", "empty"]) {
      assert.ok(member in queue, member);
    }
    for (const [capability, names] of Object.entries(members)) {
      for (const member of names) {
        const isThere = member in queue;
        assert.equal(isThere, can[capability as keyof typeof can], `${String(member)}`);
      }
    }
  });
  items(contract);
  waits(contract);
  bounds(contract);
  batches(contract);
  ending(contract);
  joining(contract);
  streams(contract);
  badInput(contract);
  printing(contract);
  processes(contract);
}
