/**
 * What programs for Node use, as peers: a node that makes the requested measurements. The packages of npm are
 * installed in a folder of their own, so that nothing else here depends on npm.
 */
import { fileURLToPath } from "node:url";
import type { Payload } from "../payloads.ts";
import type { PoolRequest } from "../pool_peers.ts";
import type { Share } from "../targets.ts";
import { Child, outputOf } from "./child.ts";

/** The programs, and the requests that each accepts. */
interface Programs {
  "pools.mjs": PoolRequest;
  "channels.mjs": ChannelRequest;
}

/** The name of what Node's threads pass items with. */
export type ChannelName = "MessagePort" | "ringbuf.js" | "comlink";

/** Requests; comlink has no flow, and ringbuf.js carries numbers only. */
export type ChannelRequest = { measure: "flow" | "talk"; way: ChannelName } & Share<Payload>;

const folder = new URL("node/", import.meta.url);

/** The command that installs the packages. */
export const INSTALL = "npm install --prefix bench/peers/node --no-package-lock";

export class NodePeer<Request> extends Child<Request> {
  readonly version: string;

  private constructor(version: string, program: keyof Programs) {
    super("node", [fileURLToPath(new URL(program, folder))]);
    this.version = version;
  }

  /** Starts node with one of the programs, or gives null if this machine has none, or the packages are not installed. */
  static async start<P extends keyof Programs>(
    program: P,
  ): Promise<NodePeer<Programs[P]> | null> {
    const names = Object.keys(await dependencies());
    const versions: string[] = [];
    for (const name of names) {
      const version = await installed(name);
      if (version === null) return null;
      versions.push(`${name} ${version}`);
    }
    const node = await outputOf("node", ["--version"]);
    return node === null ? null : new NodePeer(`Node ${node}, ${versions.join(", ")}`, program);
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
