// A program that starts 16 sandboxes, which print a line each, and joins none of them.

import { Process } from "../../../mod.ts";

if (import.meta.main) {
  for (let i = 0; i < 16; i++) {
    new Process({
      target: () => console.log("done"),
      by: "source",
      permissions: "none",
      timeLimit: 60_000,
    }).start();
  }
}
