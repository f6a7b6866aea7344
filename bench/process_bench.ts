/** How long it takes to start an empty process and see it end, one after another. */
import { Process } from "../mod.ts";
import type { Measurement, Side } from "./harness.ts";
import type { PythonPeer, QueueRequest } from "./peers/python.ts";
import { here, nothing } from "./nothing.ts";

const PYTHON = "multiprocessing, spawn";
const STARTS = 20;
/** The first process also starts what later ones find running, such as Python's tracker. */
const WARM_UP = 2;

/** The process measurements; `scale` multiplies the number of timed starts. */
export function processMeasurements(
  python: PythonPeer<QueueRequest> | null,
  scale: number,
): Measurement[] {
  const count = Math.ceil(STARTS * scale);
  const sides: Side[] = (["reference", "source"] as const).map((by) => ({
    name: `Process, by ${by}`,
    against: PYTHON,
    target: { atMost: 0.7 },
    round: async (signal) => {
      for (let start = 0; start < WARM_UP; start++) {
        await startAndJoin(by, signal);
      }
      const begin = performance.now();
      for (let start = 0; start < count; start++) {
        await startAndJoin(by, signal);
      }
      return (performance.now() - begin) / count;
    },
  }));
  if (python !== null) {
    sides.push({
      name: PYTHON,
      round: async (signal) =>
        (await python.ask({ measure: "spawn", warmUp: WARM_UP, count }, signal))
          .ms,
    });
  }
  return [{ name: "start-and-join", unit: "ms", sides }];
}

async function startAndJoin(
  by: "reference" | "source",
  signal: AbortSignal,
): Promise<void> {
  const process = new Process({ target: nothing, by, module: here });
  process.start();
  await process.join({ signal });
  if (process.exitCode !== 0) {
    throw new Error(
      `An empty process started by ${by} ended with ${process.exitCode}, not 0.`,
    );
  }
  process.close();
}
