// The objects that wait() can wait for: each class says here, in one place, when its objects are ready.

import type { EventCount } from "./eventcount.ts";

/** The method by which an object says when it is ready; throws if it can't be waited for. */
export const readiness: unique symbol = Symbol("multiprocessing.readiness");

/** The condition on which an object is ready. */
export interface Readiness {
  /** Opens when it may have become ready. */
  eventcount: EventCount;
  isReady(): boolean;
}

/** An object that can be waited for. */
export interface Waitable {
  [readiness](): Readiness;
}

/** Whether a value can be waited for. */
export function isWaitable(value: unknown): value is Waitable {
  return typeof value === "object" && value !== null && readiness in value;
}
