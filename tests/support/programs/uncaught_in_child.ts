// A child fails. Main asks for its result ("result"), or only joins it, or does neither
// ("nobody").

import { Process } from "@multiproc/multiprocessing";

export function fail() {
  throw new RangeError("out of luck", { cause: new Error("a black cat") });
}

if (import.meta.main) {
  const process = new Process({ target: fail, name: "the unlucky one" });
  process.start();
  if (Deno.args.includes("result")) {
    await process.result().catch((error) => console.log(`failed with: ${error.cause}`));
  } else if (!Deno.args.includes("nobody")) {
    await process.join();
    console.log(`child: ${process.exitCode}`);
  }
  console.log("main done");
}
