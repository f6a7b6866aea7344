// The way from a process to its host, the isolate that runs its worker: for what only a host can do,
// and for what it must know.

import type { MessagePort } from "node:worker_threads";
import { postMessage } from "../platform/ports.ts";
import type { Request } from "./messages.ts";

/** None where nobody hosts this isolate. */
let hostPort: MessagePort | undefined;

/** Called once in a started process. */
export function useHost(port: MessagePort): void {
  hostPort = port;
}

/** Whether somebody hosts this process. */
export function isHosted(): boolean {
  return hostPort !== undefined;
}

/** Asks the host for something, or tells it. */
export function askHost(request: Request): void {
  const transfer = request.type === "spawn" ? [request.request.port] : [];
  if (hostPort !== undefined) postMessage(hostPort, request, transfer);
}
