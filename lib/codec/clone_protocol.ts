// The properties by which an object tells the codec that it isn't a value: one says that the object can't be
// cloned, the other that it is handed over instead. Queues and locks have both; a queue of one process has only
// the first.

/** The property by which an object says that it can't be cloned, and what to do instead. */
export const cannotClone: unique symbol = Symbol("multiprocessing.cannotClone");

/** An object that refuses to be cloned. */
export interface Uncloneable {
  /**
   * Completes the sentence "item.work is …", for example "a Queue: give it to a process in
   * `args` instead". No full stop at the end.
   */
  readonly [cannotClone]: string;
}

/** The method by which an object is handed over. */
export const serialize: unique symbol = Symbol("multiprocessing.serialize");

/** An object that is handed over; the codec leaves it out of the bytes. */
export interface TransferableObject extends Uncloneable {
  [serialize](): object;
}

/** Whether a value is an object that is handed over. */
export function isHandedOver(value: unknown): value is TransferableObject {
  return typeof value === "object" && value !== null && serialize in value;
}
