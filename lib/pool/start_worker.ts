// Starts the workers of a pool: processes whose target is serve(), a function of this package.

import type { Connection } from "../pipe/connection.ts";
import { callers } from "../target/callers.ts";
import { registerOwnTarget } from "../target/own_targets.ts";
import { boundsOf, checkProcessOptions, preloading } from "../process/options.ts";
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

/** Starts workers, and tells what they can import. */
export interface WorkerStarting {
  start(connection: Connection, setup: WorkerSetup): Process;
  /** The modules that a worker can import; undefined for all. */
  modules: readonly string[] | undefined;
}

/** How a pool of this name starts workers. Called while a pool is made: callers() needs the program's stack. */
export function startingOf(
  options: Pick<PoolOptions, "permissions" | "memoryLimitMb" | "module" | "by">,
  name: string,
): WorkerStarting {
  const { permissions, memoryLimitMb, module, by } = options;
  checkProcessOptions({ module, by });
  boundsOf({ permissions, memoryLimitMb });
  const isConfined = permissions !== undefined && permissions !== "inherit";
  // Modules that a confined process imports have to be loaded as it starts.
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
        // With any limit a sandbox can be stopped at any instant.
        timeLimit: isConfined ? Infinity : undefined,
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
