/**
 * Pools of npm as peers: a node that makes the requested measurements. They are installed in a folder
 * of their own, so that nothing else here depends on npm.
 */
import { fileURLToPath } from "node:url";
import type { PoolRequest } from "../pool_peers.ts";
import { Child, outputOf } from "./child.ts";

const folder = new URL("node/", import.meta.url);

/** The command that installs the pools. */
export const INSTALL = "npm install --prefix bench/peers/node --no-package-lock";

export class NodePeer extends Child<PoolRequest> {
  readonly version: string;

  private constructor(version: string) {
    super("node", [fileURLToPath(new URL("pools.mjs", folder))]);
    this.version = version;
  }

  /** Starts node, or gives null if this machine has none, or the pools are not installed. */
  static async start(): Promise<NodePeer | null> {
    const names = Object.keys(await dependencies());
    const versions: string[] = [];
    for (const name of names) {
      const version = await installed(name);
      if (version === null) return null;
      versions.push(`${name} ${version}`);
    }
    const node = await outputOf("node", ["--version"]);
    return node === null ? null : new NodePeer(`Node ${node}, ${versions.join(", ")}`);
  }
}

async function dependencies(): Promise<Record<string, string>> {
  return JSON.parse(await Deno.readTextFile(new URL("package.json", folder))).dependencies;
}

/** The version of an installed package; null if it isn't installed. */
async function installed(name: string): Promise<string | null> {
  try {
    const file = new URL(`node_modules/${name}/package.json`, folder);
    return JSON.parse(await Deno.readTextFile(file)).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
