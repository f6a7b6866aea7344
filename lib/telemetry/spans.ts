// Spans of OpenTelemetry, where Deno exports them (OTEL_DENO=true): one for each process, each unit of a pool's work
// and each long wait. Never one for an item: Deno drops what comes in bursts, and so does this file, but not silently.
//
// Parents cross to other processes as the traceparent of the W3C's Trace Context: "00-<trace>-<span>-<flags>".

import {
  type Attributes,
  type Context,
  type Span,
  SPAN_KEY,
  tracing,
} from "../platform/telemetry.ts";
import * as primordials from "../platform/primordials.ts";

const { Math, Number, performance, RegExpPrototypeExec } = primordials;

/** The most spans a second, on the average and in one burst. */
const PER_SECOND = 200, BURST = 1000;
/** A wait that takes so many ms has a span. */
export const LONG_WAIT_MS = 100;
/** SpanStatusCode.ERROR of OpenTelemetry. */
const ERROR = 2;

/** Whether spans are exported: a constant, so that code that makes none costs nothing. */
export const isTracing: boolean = tracing !== undefined;

/** Whether this process has permissions of its own: it says nothing in the name of the program. */
let isMuted = false;

/** Called in a process with permissions of its own. */
export function muteSpans(): void {
  isMuted = true;
}

let allowance = BURST, countedAt = performance.now();
let leftOut = 0;

/** The span of this process, which its starter has begun. */
let own: Context | undefined;

/** Whether one more span may be made now. */
function mayMake(): boolean {
  const now = performance.now();
  allowance = Math.min(allowance + (now - countedAt) / 1000 * PER_SECOND, BURST);
  countedAt = now;
  if (allowance < 1) {
    leftOut++;
    return false;
  }
  allowance--;
  return true;
}

/** The context that calls are made in now: the program's own, or that of this process. */
export function activeContext(): Context | undefined {
  if (tracing === undefined) return undefined;
  const active = tracing.active();
  return active.getValue(SPAN_KEY) === undefined ? own ?? active : active;
}

/**
 * Begins a span; undefined where there are too many.
 *
 * @param since when it began, in ms since 1970, if that wasn't now
 */
export function beginSpan(
  name: string,
  attributes: Attributes,
  parent: Context | undefined = activeContext(),
  since?: number,
): Span | undefined {
  if (tracing === undefined || isMuted || !mayMake()) return undefined;
  const told = leftOut === 0
    ? attributes
    : { ...attributes, "multiprocessing.spans_left_out": leftOut };
  leftOut = 0;
  const options = since === undefined
    ? { attributes: told }
    : { attributes: told, startTime: since };
  return tracing.tracer.startSpan(name, options, parent ?? tracing.active());
}

/** Ends a span; `failure` is why what it stands for has failed. */
export function endSpan(span: Span, attributes: Attributes, failure?: string): void {
  span.setAttributes(attributes);
  if (failure !== undefined) span.setStatus({ code: ERROR, message: failure });
  span.end();
}

/** A wait has ended that began long ago. */
export function spanOfWait(
  call: string,
  on: string,
  since: number,
  parent: Context | undefined,
): void {
  const span = beginSpan(call, { "multiprocessing.object": on }, parent, since);
  span?.end();
}

/** The traceparent of a span, or of the calls that are made now. */
export function traceparentOf(span?: Span): string | undefined {
  const current = span ?? activeContext()?.getValue(SPAN_KEY) as Span | undefined;
  if (current === undefined) return undefined;
  const { traceId, spanId, traceFlags } = current.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

/** A context whose span is that of another process; undefined if the text is no traceparent. */
function contextOf(traceparent: string): Context | undefined {
  const parts = RegExpPrototypeExec(
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/,
    traceparent,
  );
  if (tracing === undefined || parts === null) return undefined;
  const { 1: traceId, 2: spanId, 3: flags } = parts;
  const context = { traceId, spanId, traceFlags: Number(`0x${flags}`), isRemote: true };
  return tracing.active().setValue(SPAN_KEY, remoteSpan(context));
}

/** A span of another process, as programs find it: it can't be changed here. */
function remoteSpan(context: object): object {
  const span: Record<string, unknown> = {
    spanContext: () => context,
    isRecording: () => false,
    end: () => {},
    recordException: () => {},
  };
  const same = () => span;
  span.setAttribute =
    span.setAttributes =
    span.addEvent =
    span.addLink =
    span.addLinks =
      same;
  span.setStatus = span.updateName = same;
  return span;
}

/** Runs the target of this process, whose span has this traceparent. */
export function withinProcess<T>(traceparent: string | undefined, work: () => T): T {
  if (tracing === undefined || traceparent === undefined) return work();
  own = contextOf(traceparent);
  return own === undefined ? work() : tracing.within(own, work);
}

/** Runs work as a part of a span. */
export function withinSpan<T>(span: Span | undefined, work: () => T): T {
  if (tracing === undefined || span === undefined) return work();
  return tracing.within(tracing.active().setValue(SPAN_KEY, span), work);
}

/** Begins a span whose parent is that of another process. */
export function beginRemote(
  name: string,
  attributes: Attributes,
  traceparent: string | undefined,
): Span | undefined {
  const parent = traceparent === undefined ? undefined : contextOf(traceparent);
  return beginSpan(name, attributes, parent);
}
