// Deno's own OpenTelemetry, which OTEL_DENO=true turns on for the whole program.
//
//   whether it is on   Deno then puts its API at Symbol.for("opentelemetry.js.api.1"), in every worker, too; reading
//                      that needs no permission, as reading the environment would
//   spans              ended in a worker that is terminated right after, they arrive all the same; of 80,000 in one
//                      burst 7,156 arrive (Deno 2.9.6)
//   parents            a context whose span has no more than spanContext() is a parent, also one of another isolate

import * as primordials from "./primordials.ts";

const { Reflect, Symbol } = primordials;

/** The identity of a span. */
export interface SpanContext {
  traceId: string;
  spanId: string;
  traceFlags: number;
}

/** What is told of a span, or of a measurement. */
export type Attributes = Record<string, string | number | boolean | undefined>;

/** A span that is being recorded. */
export interface Span {
  spanContext(): SpanContext;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

/** A context: what belongs to a flow of calls. */
export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
}

/** A measurement that is asked for when measurements are exported. */
interface Observable {
  addCallback(callback: (result: Observed) => void): void;
}

/** Takes the values of a measurement. */
export interface Observed {
  observe(value: number, attributes: Attributes): void;
}

interface Provider {
  trace?: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options: { attributes: Attributes; startTime?: number },
        context: Context,
      ): Span;
    };
  };
  context?: {
    active(): Context;
    with<T>(context: Context, work: () => T): T;
  };
  metrics?: {
    getMeter(name: string): {
      createObservableGauge(
        name: string,
        options: { description: string; unit: string },
      ): Observable;
    };
  };
}

/** The key under which a context has its span. */
export const SPAN_KEY: symbol = Symbol.for("OpenTelemetry Context Key SPAN");
const API = Symbol.for("opentelemetry.js.api.1");

/** Deno's, and not what a program has put there. */
function provider(): Provider | undefined {
  const api = (globalThis as unknown as Record<symbol, Provider | undefined>)[API];
  if (api === undefined) return undefined;
  const { telemetry } = globalThis.Deno as unknown as {
    telemetry?: { tracerProvider: unknown; meterProvider: unknown };
  };
  if (telemetry === undefined) return undefined;
  const isOwn = api.trace === telemetry.tracerProvider ||
    api.metrics === telemetry.meterProvider;
  return isOwn ? api : undefined;
}

const found = "Deno" in globalThis ? provider() : undefined;
const trace = found?.trace, context = found?.context;

/** The tracer, and what is needed for parents; undefined while no spans are exported. */
export const tracing = trace === undefined || context === undefined ? undefined : {
  tracer: trace.getTracer("@multiproc/multiprocessing"),
  active: () => Reflect.apply(context.active, context, []) as Context,
  within: <T>(of: Context, work: () => T): T => Reflect.apply(context.with, context, [of, work]),
};

/** The meter; undefined while no metrics are exported. */
export const meter = found?.metrics?.getMeter("@multiproc/multiprocessing");

/** Called in a sealed process: what runs there can't export anything. */
export function hideTelemetry(): void {
  Reflect.deleteProperty(globalThis, API);
}
