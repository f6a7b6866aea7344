// What Deno loads in a process before its target runs: none of what it makes only when it is asked for.

import assert from "node:assert/strict";
import { granted, needs } from "../support/programs.ts";

const program = new URL("../support/programs/loads.ts", import.meta.url).href;

/** The parts of Deno behind Deno.Command, Deno.serve, WebSocket, EventSource and fetch. */
const COSTLY = /ext:deno_(process\/40|http\/|websocket\/|telemetry\/|fetch\/2[67])\S*/g;

/** Which of them a process loads with such options. */
async function costlyLoads(target: string, options: object): Promise<string[]> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--unstable-worker-options",
      program,
      target,
      JSON.stringify(options),
    ],
    env: { DENO_LOG_LAZY_LOAD: "1", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  const [, between] = /^begins\n([^]*)^has ended$/m.exec(said) ?? assert.fail(said);
  return between.match(COSTLY) ?? [];
}

Deno.test({
  name: `the log of what Deno loads shows a process that uses Deno.Command ${needs}`,
  ignore: !granted,
  fn: async () => {
    const loads = await costlyLoads("usesCommand", { by: "source" });
    assert.ok(loads.some((name) => name.includes("process/40")), `${loads}`);
  },
});

for (
  const options of [
    { by: "source" },
    { by: "reference" },
    { by: "source", permissions: "none" },
    { by: "reference", permissions: "none" },
  ]
) {
  Deno.test({
    name: `an empty process loads none of Deno's costly parts: ${JSON.stringify(options)} ${needs}`,
    ignore: !granted,
    fn: async () => assert.deepEqual(await costlyLoads("nothing", options), []),
  });
}
