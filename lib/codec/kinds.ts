// The kinds of objects, by their internal slots: any code can change prototypes, constructors and
// Symbol.toStringTag, and structured cloning ignores all three. The encoder recognises plain objects
// and arrays itself and asks here about the other objects.

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
 * The kind of any object. `sharedMemory` says that the object is posted and not written as bytes, so that
 * more objects are cloned (see refusalOf).
 */
export function kindOf(object: object, sharedMemory = false): Kind {
  if (refusalOf(object, sharedMemory) !== undefined) return "refused";
  if (Array.isArray(object)) return "array";
  if (ArrayBuffer.isView(object)) return "view";
  if (types.isMap(object)) return "map";
  if (types.isSet(object)) return "set";
  if (types.isDate(object)) return "date";
  // This question comes first, because a DOMException is also a native error (Deno 2.9.6).
  if (isPlatformException(object)) return "domException";
  if (types.isNativeError(object)) return "error";
  if (types.isAnyArrayBuffer(object)) return "buffer";
  if (types.isRegExp(object)) return "regexp";
  if (types.isBoxedPrimitive(object)) return "boxed";
  return "plain";
}
