// The eventcount that opens when a process has ended: those wait at it who join the process.

import type { ExitRecord } from "../liveness/control_block.ts";
import { EventCount } from "../wait/eventcount.ts";

/** The eventcount of an exit record. */
export function exitEvent(record: ExitRecord): EventCount {
  return new EventCount(record.eventWords(), 0, () => record.exitCode() !== null);
}
