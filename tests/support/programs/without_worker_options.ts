// Run without Deno's worker-options, a program ends when it starts a sandbox.

import { Process } from "../../../mod.ts";

console.log("before");
try {
  new Process({ target: () => {}, by: "source", permissions: "none" }).start();
} catch {
  console.log("caught");
}
console.log("after");
