// Errors on their way from the process that threw to the one that asks for its result. A plain
// structured clone would lose the class name of every error that isn't the language's own.

import * as own from "../errors.ts";

/** An error, or whatever was thrown, as data. */
export type Failure =
  | {
    thrown: "error";
    className: string;
    message: string;
    stack?: string;
    cause?: Failure;
    /** Of an AggregateError. */
    errors?: Failure[];
    more: Record<string, unknown>;
  }
  | { thrown: "value"; value: unknown };

/** Causes of causes are followed so far. */
const DEEPEST = 16;

/**
 * An error as data; what can't be cloned is left out or told in words.
 *
 * @param known what was described already: an error can stand in several others
 */
export function describeFailure(
  thrown: unknown,
  depth = 0,
  known = new Map<unknown, Failure>(),
): Failure {
  if (known.has(thrown)) return known.get(thrown)!;
  if (!(thrown instanceof Error)) {
    const copy = cloned(thrown);
    return { thrown: "value", value: copy.length === 0 ? String(thrown) : copy[0] };
  }
  const { message, stack, cause } = thrown;
  const failure: Failure = {
    thrown: "error",
    className: classNameOf(thrown),
    message: String(message),
    more: {},
  };
  known.set(thrown, failure);
  if (typeof stack === "string") failure.stack = stack;
  const describe = (inner: unknown) => describeFailure(inner, depth + 1, known);
  if (cause !== undefined && depth < DEEPEST) failure.cause = describe(cause);
  if (thrown instanceof AggregateError && depth < DEEPEST) {
    failure.errors = thrown.errors.map(describe);
  }
  for (const [key, value] of Object.entries(thrown)) {
    const copy = key === "cause" ? [] : cloned(value);
    if (copy.length > 0) failure.more[key] = copy[0];
  }
  return failure;
}

/** The name of its class where that says more than the name it has inherited. */
function classNameOf(error: Error): string {
  const { name } = error, className = error.constructor?.name;
  return String(className && (name === "Error" || classes.has(name)) ? className : name || "Error");
}

/** A copy, alone in an array, or nothing. */
function cloned(value: unknown): [copy: unknown] | [] {
  try {
    return [structuredClone(value)];
  } catch {
    return [];
  }
}

/** The classes whose errors are made anew as what they were. */
const classes = new Map<string, (message: string, more: Record<string, unknown>) => Error>(
  [
    ...[EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
    ...[own.QueueEmpty, own.QueueShutDown, own.TimeoutError, own.InvalidStateError],
    ...[own.EOFError, own.BrokenPipeError, own.AbandonedLockError, own.BrokenBarrierError],
  ].map((errorClass) => [errorClass.name, (message) => new errorClass(message)]),
);
classes.set("AggregateError", (message) => new AggregateError([], message));
classes.set("QueueFull", (message, more) => new own.QueueFull(message, Number(more.count)));
classes.set("BufferTooShort", (message, { bytes }) => {
  const isBytes = bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer;
  return new own.BufferTooShort(
    message,
    isBytes ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(),
  );
});
classes.set(
  "ProcessError",
  (message, { exitCode, limit }) =>
    new own.ProcessError(message, Number(exitCode), { limit: limit as own.ProcessError["limit"] }),
);

/**
 * The error that was described: class name, message, stack, cause and further properties kept.
 *
 * @param known what was made already: a hostile process can have described one error many times
 */
export function recreateError(failure: Failure, known = new Map<Failure, unknown>()): unknown {
  if (failure.thrown === "value") return failure.value;
  if (known.has(failure)) return known.get(failure);
  const { className, message, stack, cause, errors, more } = failure;
  const make = classes.get(className);
  const error = make === undefined ? new Error(message) : make(message, more);
  known.set(failure, error);
  if (make === undefined && className !== "Error") define(error, "name", className);
  define(error, "stack", stack);
  if (cause !== undefined) define(error, "cause", recreateError(cause, known));
  if (errors !== undefined) define(error, "errors", errors.map((one) => recreateError(one, known)));
  for (const [key, value] of Object.entries(more)) {
    if (Object.getOwnPropertyDescriptor(error, key) !== undefined) continue;
    // Not an assignment, which would take "__proto__" for something else.
    Object.defineProperty(error, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return error;
}

/** As the language defines an error's own properties: not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true });
}
