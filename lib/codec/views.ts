// Facts about typed arrays and DataViews that no property tells: their kind, also where they are of a subclass,
// and how they depend on a buffer that can be resized.

import { VIEW_KINDS } from "./format.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayBuffer,
  ArrayBufferPrototypeResize,
  ArrayPrototypeMap,
  DataView,
  Map,
  MapPrototypeGet,
  Number,
  Object,
  structuredClone,
  Symbol,
  Uint8Array,
  uncurryGetter,
} = primordials;

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const keysOf = uncurryGetter<ArrayBufferView, unknown>(typedArrayPrototype.keys);
const typedArrayName = uncurryGetter<ArrayBufferView, string | undefined>(
  Object.getOwnPropertyDescriptor(typedArrayPrototype, Symbol.toStringTag)!.get!,
);
const kindsByName = new Map<string, number>(
  ArrayPrototypeMap(VIEW_KINDS, (constructor, kind) => [constructor.name, kind]),
);

/** The index of a view's kind in VIEW_KINDS, also where the view is of a subclass. */
export function viewKind(view: ArrayBufferView): number {
  return MapPrototypeGet(kindsByName, typedArrayName(view) ?? "DataView") as number;
}

/** Whether a view grows and shrinks with its buffer; only resizing a copy tells that. */
export function tracksLength(view: ArrayBufferView): boolean {
  const { buffer, byteOffset, byteLength } = view;
  if (!(buffer instanceof ArrayBuffer) || !buffer.resizable) return false;
  const unit = "BYTES_PER_ELEMENT" in view ? Number(view.BYTES_PER_ELEMENT) : 1;
  if (buffer.byteLength - byteOffset - byteLength >= unit) return false;
  // The view ends where its buffer ends, by design or by chance: a resized copy shows which.
  const copy = structuredClone(view);
  const room = copy.buffer as ArrayBuffer;
  if (room.byteLength + unit <= room.maxByteLength) {
    ArrayBufferPrototypeResize(room, room.byteLength + unit);
    return copy.byteLength > byteLength;
  }
  if (byteLength === 0) return false;
  ArrayBufferPrototypeResize(room, room.byteLength - unit);
  return !isOutOfBounds(copy);
}

/** Whether a view's buffer was detached, or became too short for the view. */
export function isOutOfBounds(view: ArrayBufferView): boolean {
  try {
    if (view instanceof DataView) return view.byteLength < 0;
    keysOf(view);
    return false;
  } catch {
    return true;
  }
}
