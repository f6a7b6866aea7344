// The names that a sealed realm has (sealed_realm.ts): those that need no permission and reach nothing outside
// of the process, and those that a granted permission makes usable. A name that isn't listed here is removed,
// so that additions of a later Deno stay out until they have been reviewed.
//
// The long lists are functions, because processes that aren't sealed load this file, too.

import type { Name } from "../protocol/grants.ts";

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** The globals of every sealed process. */
export const globals = (): readonly string[] =>
  words(`
  Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp
  Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError globalThis
  JSON Math Intl ArrayBuffer SharedArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array
  Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float16Array Float32Array Float64Array DataView Map BigInt
  Set Iterator WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef decodeURI decodeURIComponent encodeURI
  encodeURIComponent escape unescape eval isFinite isNaN Temporal DisposableStack AsyncDisposableStack
  console Deno self queueMicrotask AbortController AbortSignal Blob ByteLengthQueuingStrategy CloseEvent
  CompressionStream CountQueuingStrategy CryptoKey CustomEvent DecompressionStream DOMException QuotaExceededError
  DOMMatrix DOMMatrixReadOnly DOMPoint DOMPointReadOnly DOMQuad DOMRect DOMRectReadOnly ErrorEvent Event EventTarget
  File FileReader FormData Headers MessageEvent Performance PerformanceEntry PerformanceMark PerformanceMeasure
  PerformanceObserver PerformanceObserverEntryList PromiseRejectionEvent ProgressEvent ReadableStream
  ReadableStreamDefaultReader Request Response TextDecoder TextEncoder TextDecoderStream TextEncoderStream
  TransformStream URL URLPattern URLSearchParams WritableStream WritableStreamDefaultWriter
  WritableStreamDefaultController ReadableByteStreamController ReadableStreamBYOBReader ReadableStreamBYOBRequest
  ReadableStreamDefaultController TransformStreamDefaultController atob btoa clearInterval clearTimeout crypto Crypto
  SubtleCrypto performance setImmediate clearImmediate reportError setInterval setTimeout structuredClone
  onunhandledrejection onerror navigator close
`);

/** The globals that a permission makes usable; one of the listed permissions is enough. */
export const GUARDED_GLOBALS: Readonly<Record<string, readonly Name[]>> = {
  fetch: ["net", "read"],
  WebSocket: ["net"],
  EventSource: ["net"],
};

/** The members of Deno that every sealed process has. */
export const deno = (): readonly string[] =>
  words(`
  errors inspect permissions Permissions PermissionStatus version build exit exitCode noColor refTimer unrefTimer
`);

/** The members of Deno that a permission makes usable. */
const byPermission = (): Readonly<Record<Name, readonly string[]>> => ({
  read: words(`
    readFile readFileSync readTextFile readTextFileSync readDir readDirSync readLink readLinkSync realPath realPathSync
    stat statSync lstat lstatSync watchFs cwd open openSync FsFile SeekMode copyFile copyFileSync
  `),
  write: words(`
    writeFile writeFileSync writeTextFile writeTextFileSync mkdir mkdirSync makeTempDir makeTempDirSync makeTempFile
    makeTempFileSync remove removeSync rename renameSync copyFile copyFileSync create createSync truncate truncateSync
    chmod chmodSync chown chownSync utime utimeSync symlink symlinkSync link linkSync open openSync FsFile SeekMode
  `),
  net: words("connect connectTls startTls listen listenTls serve resolveDns upgradeWebSocket"),
  env: ["env"],
  run: words("Command ChildProcess spawn spawnAndWait spawnAndWaitSync kill"),
  sys: words(`
    hostname osRelease osUptime loadavg networkInterfaces systemMemoryInfo uid gid memoryUsage cpuUsage
  `),
  ffi: words("dlopen UnsafeCallback UnsafePointer UnsafePointerView UnsafeFnPointer"),
  import: [],
});

/** The same, turned around: the permissions that make a member usable, by its name. */
export function guardedDeno(): Readonly<Record<string, readonly Name[]>> {
  const guarded: Record<string, Name[]> = Object.create(null);
  for (const [permission, names] of Object.entries(byPermission()) as [Name, string[]][]) {
    for (const name of names) (guarded[name] ??= []).push(permission);
  }
  return guarded;
}

/** The members that need the whole permission, because they reach things that a list of parts says nothing of. */
export const NEEDS_ALL: readonly string[] = ["kill"];

/**
 * The functions that take a transport. Transports behind an unstable flag end the whole program (Deno 2.9.6:
 * exit status 70).
 */
export const TAKES_TRANSPORT: readonly string[] = ["connect", "listen", "serve"];
export const TRANSPORTS: readonly string[] = ["tcp", "unix", "udp"];

/** The members of navigator in a sealed process. */
export const navigatorMembers = (): readonly string[] =>
  words(
    "constructor hardwareConcurrency userAgent language languages platform",
  );

/**
 * The members of crypto.subtle in a sealed process. Left out are the methods (deriving keys, making RSA keys)
 * of which one call can go on for any time, in a thread that the end of the process doesn't stop.
 */
export const subtle = (): readonly string[] =>
  words(
    "constructor digest importKey exportKey sign verify encrypt decrypt wrapKey unwrapKey",
  );

/** The schemes that running code may import from: for these Deno asks for permissions. */
export const IMPORTED_SCHEMES: readonly string[] = ["file:", "http:", "https:"];
