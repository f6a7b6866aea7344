// A target that may not serve a monitor.

import { serveMonitor } from "../../../monitor.ts";

export async function inChild(): Promise<string | undefined> {
  try {
    await serveMonitor();
  } catch (error) {
    return (error as Error).name;
  }
}
