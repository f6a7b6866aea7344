// Makes the attempts of support/escapes.ts in a process with the permissions of the argument, and
// prints their outcomes, as JSON.

import { Process } from "@multiproc/multiprocessing";
import { tryAll, tryLeaks, useGranted } from "../escapes.ts";

if (import.meta.main) {
  const { permissions, world, granted, sealed } = JSON.parse(Deno.args[0]);
  // Has a descriptor that nobody else is to open.
  using _listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const module = new URL("../escapes.ts", import.meta.url);
  const attempts = new Process({ target: tryAll, args: [world], module, permissions, sealed });
  attempts.start();
  const outcomes = await attempts.result();
  const leaking = new Process({ target: tryLeaks, args: [world], module, permissions, sealed });
  leaking.start();
  const leaks = await leaking.result();
  if (granted !== undefined) {
    const process = new Process({
      target: useGranted,
      args: [granted.name, world, granted],
      module,
      permissions,
      sealed,
    });
    process.start();
    await process.result();
  }
  console.log(JSON.stringify({ outcomes, leaks }));
}
