// What this room uses of the other ones, in one module. In a child that runs from the text of this package, this
// module is served from that text (target/bundle.ts): the package's classes exist once there, and an item that
// is handed over, or an error, is known on both sides.

export { cannotClone, serialize } from "../codec/clone_protocol.ts";
export { decode } from "../codec/decode.ts";
export { freeEncoder } from "../codec/encode.ts";
export {
  InvalidStateError,
  nameClass,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  TimeoutError,
} from "../errors.ts";
export { customInspect, type Inspect, print } from "../printing.ts";
export { Faces, isEnd } from "../queue/faces.ts";
export {
  constructFrom,
  receivedParts,
  registerTransferable,
  type Serialized,
} from "../transfer/transferable.ts";
export { checkBounds } from "../validate/bounds.ts";
export { describe } from "../validate/describe.ts";
export { checkLimit, checkMilliseconds, checkWhole } from "../validate/numbers.ts";
export { checkNames, checkOption, option } from "../validate/options.ts";
export {
  blockingTimeoutOf,
  MAX_TIMER_MS,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "../wait/options.ts";
