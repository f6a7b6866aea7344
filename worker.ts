/**
 * A worker of a pool in a Redis server, as a program:
 *
 * ```sh
 * deno run -N -R jsr:@multiproc/multiprocessing/worker redis://host:6379 --name NAME --module ./tasks.ts
 * ```
 *
 * and {@linkcode work}, which makes a program of yours one. The calls come from `hub.pool(NAME)` of
 * `@multiproc/multiprocessing/redis`. Ctrl-C and SIGTERM let it finish what runs and take no more; the second one
 * ends it at once, and other workers run its tasks anew.
 *
 * @example
 * ```ts ignore
 * import { work } from "@multiproc/multiprocessing/worker";
 *
 * const modules = [import.meta.resolve("./tasks.ts")];
 * await work("redis://127.0.0.1:6379", { name: "thumbnails", modules });
 * ```
 *
 * @module
 */

import { main } from "./lib/redis/pool/program.ts";

export { work, type WorkOptions } from "./lib/redis/pool/work.ts";
export type { HubOptions } from "./lib/redis/options.ts";

if (import.meta.main) await main();
