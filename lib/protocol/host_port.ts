// The port from a process to its host, the isolate that runs its worker. Through it the process asks for things
// that only a host can do, and tells the host things that it must know.

import type { MessagePort } from "node:worker_threads";
import { postMessage } from "../platform/ports.ts";
import type { Request } from "./messages.ts";

/** undefined where this isolate has no host. */
let hostPort: MessagePort | undefined;

/** Called once in a started process. */
export function useHost(port: MessagePort): void {
  hostPort = port;
}

/** Whether this process has a host. */
export function isHosted(): boolean {
  return hostPort !== undefined;
}

/** Sends the host a request. */
export function askHost(request: Request): void {
  const transfer = request.type === "spawn" ? [request.request.port] : [];
  if (hostPort !== undefined) postMessage(hostPort, request, transfer);
}
