// Fails where there is no Chromium to test with, and says how to install it.

import { chromium } from "./chromium.ts";

if (chromium() === undefined) {
  console.error("There is no chromium on the PATH. Install it: apt-get install chromium");
  Deno.exit(1);
}
