// How the workers of a pool are started: as processes whose target is this package's own.

import type { Connection } from "../pipe/connection.ts";
import { callers } from "../target/callers.ts";
import { registerOwnTarget } from "../target/own_targets.ts";
import { preloading } from "../process/options.ts";
import { Process } from "../process/process.ts";
import type { PoolOptions } from "./options.ts";
import type { WorkerSetup } from "./protocol.ts";
import { serve } from "./serve.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeSlice,
  Deno,
  RegExpPrototypeTest,
  StringPrototypeStartsWith,
  URL,
} = primordials;

registerOwnTarget(serve, { path: "../pool/serve.ts", name: "serve" });

/** How the workers of a pool are started. */
export interface WorkerStarting {
  start(connection: Connection, setup: WorkerSetup): Process;
  /** The modules that a worker can import; undefined for all. */
  modules: readonly string[] | undefined;
}

/** Says how workers are started, called after their pool. Called where the pool is made, by the program. */
export function startingOf(
  options: Pick<PoolOptions, "permissions" | "memoryLimitMb" | "module" | "by">,
  name: string,
): WorkerStarting {
  const { permissions, memoryLimitMb, module, by } = options;
  const isConfined = permissions !== undefined && permissions !== "inherit";
  // What a confined process is to import has to be loaded with it.
  const wanted = module === undefined ? ArrayPrototypeSlice(callers(), 0, 1) : [`${module}`];
  const modules = isConfined ? ArrayPrototypeFilter(wanted, mayLoad) : undefined;
  let made = 0;
  const start = (connection: Connection, setup: WorkerSetup) => {
    const process = new Process(
      {
        target: serve,
        args: [connection, setup],
        name: `${name}-${++made}`,
        daemon: true,
        permissions,
        memoryLimitMb,
        by,
        [preloading]: by === "source" ? [] : modules,
      } as ConstructorParameters<typeof Process<[Connection, WorkerSetup], void>>[0],
    );
    process.start();
    return process as unknown as Process;
  };
  return { start, modules: by === "source" ? [] : modules };
}

/** Whether this process may load a module for another one. */
function mayLoad(module: string): boolean {
  if (!StringPrototypeStartsWith(module, "file:")) return RegExpPrototypeTest(/^https?:/, module);
  return Deno.permissions.querySync({ name: "read", path: new URL(module) }).state === "granted";
}
