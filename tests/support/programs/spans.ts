// A program whose spans and metrics are exported: a process, tasks of a pool and a long wait within a span of its own.

import { Pool, Process, Queue, sleep } from "../../../mod.ts";

interface Span {
  end(): void;
}
interface Telemetry {
  tracerProvider: {
    getTracer(name: string): { startActiveSpan<T>(name: string, work: (span: Span) => T): T };
  };
}

function tracer() {
  const { telemetry } = Deno as unknown as { telemetry: Telemetry };
  return telemetry.tracerProvider.getTracer("program");
}

export async function work(answers: Queue<number>) {
  tracer().startActiveSpan("inside", (span) => span.end());
  await sleep(150); // main waits so long
  await answers.put(1);
}

/** In a process with permissions of its own, which exports nothing. */
export async function workConfined() {
  const hidden = new Queue<number>({ name: "hidden" });
  await hidden.put(1);
  await sleep(1200); // so long that its metrics would have been exported
}

export function twice(n: number) {
  return tracer().startActiveSpan("in task", (span) => {
    span.end();
    return 2 * n;
  });
}

if (import.meta.main) {
  await tracer().startActiveSpan("root", async (root) => {
    const answers = new Queue<number>({ name: "answers" });
    const process = new Process({ target: work, args: [answers], name: "worker" });
    process.start();
    const confined = new Process({ target: workConfined, permissions: "none", sealed: false });
    confined.start();
    await answers.get();
    await process.join();
    await confined.result();
    await using pool = new Pool({ processes: 1, name: "pool" });
    console.log(await pool.apply(twice, [21]));
    // A burst: not one span an item.
    console.log((await pool.map(twice, Array(20_000).fill(1), { chunkSize: 1 })).length);
    root.end();
  });
  await sleep(1000); // the metrics are exported twice a second
}
