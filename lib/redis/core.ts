// What this room uses of the other ones, in one module. In a child that runs from the text of this package, this
// module is served from that text (target/bundle.ts): the package's classes exist once there, and an item that
// is handed over, or an error, is known on both sides.

export { cannotClone, serialize } from "../codec/clone_protocol.ts";
export { decode } from "../codec/decode.ts";
export { freeEncoder } from "../codec/encode.ts";
export {
  InvalidStateError,
  nameClass,
  ProcessError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  TimeoutError,
} from "../errors.ts";
export { Admission } from "../pool/admission.ts";
export { Changes } from "../pool/changes.ts";
export { checkArgs } from "../pool/check_call.ts";
export { BrokenPoolError, CancelledError, TaskError } from "../pool/errors.ts";
export type { Executor } from "../pool/executor.ts";
export { FunctionTable, type Registered, registered } from "../pool/functions.ts";
export { untilInTime } from "../pool/limited_wait.ts";
export { MapCalls } from "../pool/map_calls.ts";
export { moduleCalls } from "../pool/module_calls.ts";
export { type CheckedPool, type CheckedTask, checkTask } from "../pool/options.ts";
export { partsOf, Pool, type PoolParts } from "../pool/pool.ts";
export { RUN } from "../pool/protocol.ts";
export { Task } from "../pool/task.ts";
export { TaskCalls } from "../pool/task_calls.ts";
export { type ItemFailure, Unit } from "../pool/unit.ts";
export { failUnsent } from "../pool/unit_failures.ts";
export { cpuCount } from "../process/system.ts";
export { customInspect, type Inspect, print } from "../printing.ts";
export { Faces, isEnd } from "../queue/faces.ts";
export { recreateFailure } from "../transfer/recreate_error.ts";
export { describeFailure } from "../transfer/remote_error.ts";
export { callers } from "../target/callers.ts";
export { referenceTo } from "../target/reference.ts";
export { callersWithMain } from "../target/target.ts";
export {
  constructFrom,
  receivedParts,
  registerTransferable,
  type Serialized,
} from "../transfer/transferable.ts";
export { checkBounds } from "../validate/bounds.ts";
export { describe } from "../validate/describe.ts";
export { checkCount, checkLimit, checkMilliseconds, checkWhole } from "../validate/numbers.ts";
export { checkFlag, checkName, checkNames, checkOption, option } from "../validate/options.ts";
export { doChores } from "../wait/eventcount.ts";
export { CallSite } from "../wait/call_site.ts";
export {
  blockingTimeoutOf,
  MAX_TIMER_MS,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "../wait/options.ts";
