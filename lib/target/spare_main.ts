// The main module of a spare: lib/host/workers/spare.ts.

import * as primordials from "../platform/primordials.ts";
import { MAIN } from "./callers.ts";

const { encodeURIComponent, JSON } = primordials;

/** The data: URL of the main module of a spare that runs from this text of the package. */
export function spareMain(runtime: string): string {
  return `${MAIN}${
    encodeURIComponent(
      `import { multiprocessing$child as child } from ${JSON.stringify(runtime)};
child.bootSpare((module, options) => import(module, options));`,
    )
  }`;
}
