// A program whose processes print lines that bear their names.

import { Process } from "../../../mod.ts";

export async function print(text: string) {
  console.log(`${text}\nand more`);
  console.error("to stderr");
  await Deno.stdout.write(new TextEncoder().encode("in pieces"));
  Deno.stdout.writeSync(new TextEncoder().encode(" of a line\n"));
}

export const fail = () => {
  throw new Error("on purpose");
};

if (import.meta.main) {
  const stdio = "prefix";
  const first = new Process({ target: print, args: ["hello"], name: "first", stdio });
  first.start();
  await first.join();
  const forged = new Process({
    target: print,
    args: ["hello"],
    name: "[first] \n\u001b[31m",
    stdio,
  });
  forged.start();
  await forged.join();
  const failing = new Process({ target: fail, name: "failing", stdio });
  failing.start();
  await failing.join();
  console.log("main has no prefix");
  try {
    new Process({ target: fail, stdio: "pipe" as "prefix" });
  } catch (error) {
    console.log((error as Error).name);
  }
}
