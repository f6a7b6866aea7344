// What an object is, by its internal slots: prototypes, constructors and Symbol.toStringTag can
// be changed by anyone, and structured cloning goes by none of them. The encoder recognises
// plain objects and arrays itself and comes here with the others.

import { types } from "node:util";
import { isPlatformException, refusalOf } from "./uncloneable.ts";
import * as primordials from "../platform/primordials.ts";

const { Array, ArrayBuffer } = primordials;

/** How an object is cloned. */
export type Kind =
  | "plain"
  | "array"
  | "map"
  | "set"
  | "date"
  | "view"
  | "buffer"
  | "error"
  | "domException"
  | "regexp"
  | "boxed"
  | "refused";

/**
 * The kind of any object. `sharedMemory` tells that it is to be posted rather than written as
 * bytes, so that more is cloned (see refusalOf).
 */
export function kindOf(object: object, sharedMemory = false): Kind {
  if (refusalOf(object, sharedMemory) !== undefined) return "refused";
  if (Array.isArray(object)) return "array";
  if (ArrayBuffer.isView(object)) return "view";
  if (types.isMap(object)) return "map";
  if (types.isSet(object)) return "set";
  if (types.isDate(object)) return "date";
  // A DOMException is also a native error (Deno 2.9.6), so it is asked about first.
  if (isPlatformException(object)) return "domException";
  if (types.isNativeError(object)) return "error";
  if (types.isAnyArrayBuffer(object)) return "buffer";
  if (types.isRegExp(object)) return "regexp";
  if (types.isBoxedPrimitive(object)) return "boxed";
  return "plain";
}
