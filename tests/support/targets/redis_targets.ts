// The targets of the contract of queues, for processes that are given queues in a server.

import "../../../redis.ts";
export * from "./contract_targets.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;
