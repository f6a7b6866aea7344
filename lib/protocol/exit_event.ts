// The eventcount that is notified when a process has ended. Calls that join the process wait on it.

import type { ExitRecord } from "../liveness/control_block.ts";
import { EventCount } from "../wait/eventcount.ts";

/** The eventcount of an exit record. */
export function exitEvent(record: ExitRecord): EventCount {
  return new EventCount(record.eventWords(), 0, () => record.exitCode() !== null);
}
