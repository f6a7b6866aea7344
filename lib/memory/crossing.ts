// What every floor agrees on about objects that can't be copied. A queue, a lock, a pipe end are
// not values but places in shared memory, so they cross to another process by being handed over,
// never by being cloned. Each class declares here, in one place, how its objects cross: what they
// consist of, and how one is made again from that on the other side.

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
export const handOver: unique symbol = Symbol("multiprocessing.handOver");

/** What crosses in place of an object. */
export interface Parcel {
  /** Which class's objects are made from it: see onArrival(). */
  kind: string;
  /** What the object consists of; structured clone takes it. */
  content: unknown;
}

/** An object that crosses by being handed over. */
export interface HandedOver extends Uncloneable {
  [handOver](): Parcel;
}

const makers = new Map<string, (content: unknown) => object>();

/** Says how objects of a kind are made from what arrived. */
export function onArrival(kind: string, make: (content: unknown) => object): void {
  makers.set(kind, make);
}

/** Makes the object that a parcel stands for. */
export function unpack(parcel: Parcel): object {
  const make = makers.get(parcel.kind);
  if (make === undefined) {
    throw new TypeError(`This process knows no objects of kind ${parcel.kind}.`);
  }
  return make(parcel.content);
}

/** Whether a value crosses by being handed over. */
export function isHandedOver(value: unknown): value is HandedOver {
  return typeof value === "object" && value !== null && handOver in value;
}
