// Serves a monitor, doesn't shut it down, and ends; with "stay" it prints its URL and waits for its end.

import { serveMonitor } from "../../../monitor.ts";

const monitor = await serveMonitor();
if (Deno.args[0] === "stay") {
  console.log(monitor.url);
  await monitor.finished;
}
const response = await fetch(monitor.url);
await response.body?.cancel();
console.log(response.status);
console.log("end of main");
