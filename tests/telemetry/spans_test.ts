// Spans and metrics of OpenTelemetry, as a receiver on loopback gets them from Deno.

import assert from "node:assert/strict";
import { testInFull } from "../support/length.ts";

interface Span {
  name: string;
  spanId: string;
  parentSpanId: string;
  traceId: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

/** Receives what a program exports until it has ended. */
async function exported(program: string) {
  const spans: Span[] = [], metrics = new Set<string>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const body = await request.json();
    for (const { scopeSpans } of body.resourceSpans ?? []) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    for (const { scopeMetrics } of body.resourceMetrics ?? []) {
      for (const { metrics: all } of scopeMetrics) {
        for (const { name, gauge } of all) {
          for (const { attributes } of gauge?.dataPoints ?? []) {
            for (const { value } of attributes) metrics.add(`${name} ${value.stringValue}`);
          }
        }
      }
    }
    return Response.json({});
  });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", new URL(program, import.meta.url).href],
    env: {
      NO_COLOR: "1",
      OTEL_DENO: "true",
      OTEL_METRIC_EXPORT_INTERVAL: "500",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
    },
  }).output();
  await server.shutdown();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  return { spans, metrics, out: text.decode(stdout) };
}

testInFull(
  "processes, tasks and long waits have spans, with parents across processes",
  async () => {
    const { spans, metrics, out } = await exported("../support/programs/spans.ts");
    assert.equal(out, "42\n20000\n");
    const named = (name: string) => spans.find((span) => span.name === name)!;
    const root = named("root"), worker = named("process worker"), task = named("task twice");
    const parents = [
      [worker, root],
      [named("inside"), worker],
      [named("Queue.get"), root],
      [named("process pool-1"), root],
      [task, root],
      [named("in task"), task],
    ];
    for (const [span, parent] of parents) {
      assert.equal(span.parentSpanId, parent.spanId, span.name);
      assert.equal(span.traceId, root.traceId, span.name);
    }
    for (const { name, startTimeUnixNano, endTimeUnixNano } of spans) {
      assert.ok(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano), name);
    }
    const wait = BigInt(named("Queue.get").endTimeUnixNano) -
      BigInt(named("Queue.get").startTimeUnixNano);
    assert.ok(wait >= 100_000_000n);
    assert.deepEqual(named("Queue.get").attributes, [
      { key: "multiprocessing.object", value: { stringValue: 'queue 1 "answers"' } },
    ]);
    const code = worker.attributes.find(({ key }) => key.endsWith("exit_code"))!;
    assert.ok(Number(code.value.intValue ?? code.value.doubleValue) === 0);
    // 20,000 items in one go: at most a thousand, and 200 a second more, have spans.
    const tasks = spans.filter(({ name }) => name === "task twice");
    assert.ok(tasks.length >= 1000 && tasks.length < 10_000, `${tasks.length}`);
    for (const name of ["length", "put", "got"]) {
      assert.ok(metrics.has(`multiprocessing.queue.${name} answers`), name);
      assert.ok(!metrics.has(`multiprocessing.queue.${name} hidden`), name);
    }
  },
);

testInFull("queues that were collected leave room for others, and are measured once", async () => {
  const program = new URL("../support/programs/metrics.ts", import.meta.url).href;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--v8-flags=--expose-gc", program],
    env: { NO_COLOR: "1", OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "console" },
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  assert.equal(text.decode(stdout), "last 3 last\n");
});
