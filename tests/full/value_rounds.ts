// The long form of the counts in tests/sync/value_test.ts; `deno task test` runs it.

import { addTogether, countTogether, underLock } from "../support/counting.ts";

for (const [name, ways] of Object.entries(underLock)) {
  Deno.test(`8 processes count to 100,000 each, exactly: ${name}`, async () => {
    await countTogether(ways, 8, 100_000);
  });
}

Deno.test("8 processes count to 100,000 each, exactly: add()", async () => {
  await addTogether(8, 100_000);
});
