// No scenario of the library: the transform of forms of code. See transform_test.ts.

import type { Scenario, Simulation } from "../kernel/scenario.ts";
import { forms } from "../forms.ts";

declare const sim: Simulation;

export function init(): void {}

export const scenarios: Record<string, Scenario> = {
  forms: {
    about: "forms of code",
    setup: () => ({ controls: [] }),
    processes: [async () => {
      sim.log("gives", await forms());
    }],
    check: (outcome) => `gives ${outcome.of(0, "gives")[0] ?? outcome.processes[0].error}`,
  },
};
