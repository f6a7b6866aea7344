// Measures queues with a meter of its own: what is made of it, and which queues it sees after others were collected.

interface Observed {
  observe(value: number, attributes: Record<string, string>): void;
}
type Api = { metrics: unknown };

const gauges: string[] = [], callbacks: ((result: Observed) => void)[] = [];
const api = (globalThis as unknown as Record<symbol, Api>)[Symbol.for("opentelemetry.js.api.1")];
api.metrics = {
  getMeter: () => ({
    createObservableGauge(name: string) {
      gauges.push(name);
      return { addCallback: (callback: typeof callbacks[number]) => callbacks.push(callback) };
    },
  }),
};

const { measure } = await import("../../../lib/telemetry/queue_metrics.ts");
const { gc } = globalThis as unknown as { gc(): void };

function queue(name: string) {
  return { name, number: 1, ring: { size: 1, putCount: 1, gotCount: 0 } };
}

function seen(): Set<string> {
  const names = new Set<string>();
  const observe = (_: number, attributes: Record<string, string>) => {
    names.add(attributes["messaging.destination.name"]);
  };
  for (const callback of callbacks) callback({ observe });
  return names;
}

async function collected(): Promise<void> {
  await new Promise((wake) => setTimeout(wake)); // a reference that was made or read in this turn is kept
  gc();
}

// Each time, all queues have been collected, and an export has noticed that.
for (let i = 0; i < 3; i++) {
  measure(queue("dead"));
  await collected();
  seen();
}
// Nothing has been exported since these were collected.
for (let i = 0; i < 200; i++) measure(queue("dead"));
await collected();
const last = queue("last");
measure(last);
console.log([...seen()].join(), gauges.length, last.name);
