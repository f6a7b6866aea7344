// The values that can't be cloned: why, and what to send instead. The wording of these messages is only
// here; locate.ts finds the place in a value.

import { types } from "node:util";
import { hostObject, isPlatformObject } from "../platform/host_objects.ts";
import { cannotClone } from "./clone_protocol.ts";
import { isOutOfBounds } from "./views.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  DOMException,
  FunctionPrototypeToString,
  Map,
  MapPrototypeGet,
  Object,
  ObjectPrototypeToString,
  RegExpPrototypeTest,
  String,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  structuredClone,
} = primordials;

/** Why a value is refused. */
export interface Refusal {
  /** Completes "item is …". */
  what: string;
  /** Ends the sentence and adds another, which says what to do. */
  advice: string;
}

const notCloned = ", which can't be cloned. ";
const notBytes = ", which can't travel as bytes. ";

/** What to send instead of an object, by the name that Object.prototype.toString gives it. */
const instead = new Map(Object.entries({
  Promise: "Await it and send its result.",
  WeakMap: "Send a Map.",
  WeakSet: "Send a Set.",
  WeakRef: "Send what it refers to.",
  Module: "Send its URL and import it on the other side.",
  Arguments: "Send an array of them.",
  ReadableStream: "Read it and send what it gives.",
  Blob: "Send the result of its arrayBuffer().",
  File: "Send the result of its arrayBuffer().",
  CryptoKey: "Export it and send the bytes.",
  KeyObject: "Export it and send the bytes.",
  URL: "Send its href.",
  Headers: "Send an array of its entries.",
  FormData: "Send an array of its entries.",
  URLSearchParams: "Send an array of its entries.",
  "WebAssembly.Module": "Give it to the process in args.",
}));

/** Built-in objects that structured cloning refuses and that no question of node:util's types finds. */
const refusedTags =
  /^(WeakRef|FinalizationRegistry|(Async)?DisposableStack|.*Iterator( Helper)?|Intl\..*|Temporal\..*|WebAssembly\..*)$/;

/**
 * Why structured cloning refuses this very value, whatever the value contains; undefined if it doesn't.
 *
 * With `sharedMemory` the answer is that of postMessage; without, it is the answer for a value that is
 * written as bytes. As bytes, shared memory is refused, and so are platform objects (Blob, CryptoKey, …),
 * whose content can't be read. Platform objects that Deno clones to {}, silently (URL, AbortSignal, …),
 * are always refused.
 */
export function refusalOf(value: unknown, sharedMemory: boolean): Refusal | undefined {
  if (typeof value === "function") {
    return refusal("a function", "Send data and keep functions in a module both sides import.");
  }
  if (typeof value === "symbol") return refusal("a symbol", "Send a string.");
  if (typeof value !== "object" || value === null) return undefined;
  // Proxies are refused first: each other question would run their traps.
  if (types.isProxy(value)) return refusal("a Proxy", "Send a copy of what it stands for.");
  if (cannotClone in value) return { what: String(value[cannotClone]), advice: "." };
  if (Array.isArray(value)) return undefined;
  if (ArrayBuffer.isView(value)) return refusalOfView(value, sharedMemory);
  if (types.isAnyArrayBuffer(value)) return refusalOfBuffer(value, sharedMemory);
  if (isClonedBySlots(value)) return undefined;
  if (isRefusedBySlots(value)) return refusal(article(nameOf(value)), adviceFor(value));
  return refusalOfOther(value, sharedMemory);
}

/** Whether an object is a DOMException itself, and not one that inherits from it or pretends to. */
export function isPlatformException(object: object): object is DOMException {
  return Object.hasOwn(object, hostObject()) && object instanceof DOMException;
}

function refusal(what: string, advice: string, why = notCloned): Refusal {
  return { what, advice: why + advice };
}

function refusalOfBuffer(
  buffer: ArrayBufferLike,
  sharedMemory: boolean,
): Refusal | undefined {
  if (types.isSharedArrayBuffer(buffer)) {
    if (sharedMemory) return undefined;
    return refusal("a SharedArrayBuffer", "Give it to the process in args.", notBytes);
  }
  if (!(buffer as ArrayBuffer).detached) return undefined;
  return refusal("a detached ArrayBuffer", "Send it before it is transferred.");
}

function refusalOfView(view: ArrayBufferView, sharedMemory: boolean): Refusal | undefined {
  const { buffer } = view;
  if (types.isSharedArrayBuffer(buffer)) {
    if (sharedMemory) return undefined;
    const what = `${article(nameOf(view))} on shared memory`;
    return refusal(what, "Give it to the process in args, or send a copy.", notBytes);
  }
  if (buffer.detached) {
    const what = `${article(nameOf(view))} on a detached ArrayBuffer`;
    return refusal(what, "Send it before its buffer is transferred.");
  }
  if (!buffer.resizable || !isOutOfBounds(view)) return undefined;
  const what = `${article(nameOf(view))} beyond the end of its buffer`;
  return refusal(what, "Send a view of what the buffer still holds.");
}

function isClonedBySlots(object: object): boolean {
  return types.isMap(object) || types.isSet(object) || types.isDate(object) ||
    types.isNativeError(object) || types.isRegExp(object) ||
    (types.isBoxedPrimitive(object) && !types.isSymbolObject(object)) ||
    isPlatformException(object);
}

function isRefusedBySlots(object: object): boolean {
  return types.isPromise(object) || types.isWeakMap(object) || types.isWeakSet(object) ||
    types.isGeneratorObject(object) || types.isMapIterator(object) ||
    types.isSetIterator(object) || types.isModuleNamespaceObject(object) ||
    types.isArgumentsObject(object) || types.isSymbolObject(object);
}

// No question of node:util's types covers the remaining objects.
function refusalOfOther(object: object, sharedMemory: boolean): Refusal | undefined {
  const prototype = Object.getPrototypeOf(object);
  const hosted = hostObject() in object;
  if (prototype === null || (prototype === Object.prototype && !hosted)) return undefined;
  const why = sharedMemory ? notCloned : notBytes;
  const refuse = () => refusal(article(nameOf(object)), adviceFor(object), why);
  if (hosted && !sharedMemory) return refuse();
  if (!hosted && Object.keys(object).length > 0) {
    // structuredClone can't be asked: it would also clone the object's content.
    return RegExpPrototypeTest(refusedTags, nameOf(object)) && extendsBuiltIn(prototype)
      ? refuse()
      : undefined;
  }
  try {
    // Cloned inside an array, because some objects (URL, Headers, Response) are refused only as the value
    // itself, and the values that are posted here are always inside of another object.
    const { 0: clone } = structuredClone([object]);
    // A clone that isn't a plain object has content outside of its properties; and a platform
    // object without properties is cloned to an empty object.
    const isPlain = Object.getPrototypeOf(clone) === Object.prototype;
    const isEmptied = isPlain && isPlatformObject(object);
    if (!isEmptied && (isPlain || sharedMemory)) return undefined;
  } catch {
    return refusal(article(nameOf(object)), adviceFor(object));
  }
  return refuse();
}

function extendsBuiltIn(prototype: object | null): boolean {
  for (let at = prototype; at !== null && at !== Object.prototype;) {
    const constructor = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    if (
      typeof constructor === "function" &&
      StringPrototypeEndsWith(FunctionPrototypeToString(constructor), "{ [native code] }")
    ) return true;
    at = Object.getPrototypeOf(at);
  }
  return false;
}

function nameOf(object: object): string {
  const tag = StringPrototypeSlice(ObjectPrototypeToString(object), 8, -1);
  if (tag !== "Object") return tag;
  const constructor: unknown = Object.getPrototypeOf(object)?.constructor;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : tag;
}

function article(name: string): string {
  if (name === "Module") return "a module namespace";
  if (name === "Arguments") return "an arguments object";
  return `${RegExpPrototypeTest(/^([aeio]|u(?!int|r[li]))/i, name) ? "an" : "a"} ${name}`;
}

function adviceFor(object: object): string {
  const name = nameOf(object);
  if (RegExpPrototypeTest(/Generator|Iterator/, name)) return "Send an array of its values.";
  return MapPrototypeGet(instead, name) ?? "Send the data it holds.";
}
