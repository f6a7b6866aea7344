/**
 * A page that shows live what the processes of a program do: {@linkcode serveMonitor}. This entry point alone
 * depends on a package, `npm:uplot`, whose text the page contains.
 *
 * @example
 * ```ts
 * import { Process, sleep } from "@multiproc/multiprocessing";
 * import { serveMonitor } from "@multiproc/multiprocessing/monitor";
 *
 * if (import.meta.main) {
 *   await using monitor = await serveMonitor();
 *   console.log(monitor.url.startsWith("http://127.0.0.1:")); // true
 *   const process = new Process({ target: () => sleep(1000), name: "sleeper" });
 *   process.start();
 *   await process.join(); // the page shows the sleeper meanwhile
 * }
 * ```
 *
 * @module
 */

export { type Monitor, type MonitorOptions, serveMonitor } from "./lib/monitor/serve_monitor.ts";
