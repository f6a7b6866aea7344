/** A bare web Worker that runs steps() for the numbers that it is sent, and answers when it is done. */
import { steps } from "./pool_targets.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<number[]>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data }) => {
  for (const n of data) steps(n);
  scope.postMessage("done");
};
