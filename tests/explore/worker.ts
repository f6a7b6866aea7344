// A thread that runs jobs, one after the other.

import { type Job, work } from "./job.ts";
import { endLinker } from "./transform/link.ts";

const port = self as unknown as {
  onmessage: (event: MessageEvent<Job | "end">) => void;
  postMessage(message: unknown): void;
};

port.onmessage = async ({ data }) => {
  if (data === "end") {
    await endLinker();
    port.postMessage("ended");
    return;
  }
  try {
    port.postMessage({ report: await work(data) });
  } catch (error) {
    port.postMessage({ error: error instanceof Error ? error.stack : String(error) });
  }
};
