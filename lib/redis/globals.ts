// The client of npm looks for globals of Node's, which a sealed process doesn't have. What they stand for is in
// modules of node:, which a module may import that a sealed process is started with.

import { Buffer } from "node:buffer";
import process from "node:process";
import * as timers from "node:timers";

const { clearImmediate, setImmediate } = timers;
const scope = globalThis as Record<string, unknown>;
for (const [name, value] of Object.entries({ Buffer, process, setImmediate, clearImmediate })) {
  if (scope[name] === undefined) {
    Object.defineProperty(scope, name, { value, writable: true, configurable: true });
  }
}
