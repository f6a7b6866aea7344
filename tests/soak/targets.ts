// All targets of the soak in one module, for those that travel by reference. A child imports it, so
// it imports nothing else.

export * from "./rooms/busy_targets.ts";
export * from "./rooms/lock_targets.ts";
export * from "./rooms/nested_targets.ts";
export * from "./rooms/pipe_targets.ts";
export * from "./rooms/queue_targets.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;
