// All assumptions, in the order of the table.

import type { Assumption } from "./assumption.ts";
import { channels } from "./channels.ts";
import { interruption } from "./interruption.ts";
import { memory } from "./memory.ts";
import { objects } from "./objects.ts";
import { ports } from "./ports.ts";
import { workers } from "./workers.ts";

/** Every row of the table. */
export const assumptions: readonly Assumption[] = [
  ...interruption,
  ...ports,
  ...channels,
  ...workers,
  ...memory,
  ...objects,
];
