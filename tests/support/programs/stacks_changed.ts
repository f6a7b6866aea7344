// A program that changes how Error makes stacks: its modules are found all the same, and waits end
// as before. Prints the failures.

import { Lock, Process, Queue, QueueEmpty } from "@multiproc/multiprocessing";

export function work() {
  return "worked";
}

const define = (name: string, descriptor: PropertyDescriptor) =>
  Object.defineProperty(Error, name, { configurable: true, ...descriptor });

const changes: Record<string, () => void> = {
  "no frames": () => Error.stackTraceLimit = 0,
  "one frame": () => Error.stackTraceLimit = 1,
  "two frames": () => Error.stackTraceLimit = 2,
  "no limit": () => Reflect.deleteProperty(Error, "stackTraceLimit"),
  "a limit that is no number": () => define("stackTraceLimit", { value: "ten", writable: true }),
  "a getter for the limit": () => define("stackTraceLimit", { get: () => 0 }),
  "objects": () => Error.prepareStackTrace = () => ({ frames: [] }),
  "call sites": () => Error.prepareStackTrace = (_error, sites) => sites,
  "an error": () => {
    Error.prepareStackTrace = () => {
      throw new TypeError("no stacks");
    };
  },
  "a getter": () => define("prepareStackTrace", { get: () => () => undefined }),
  "frozen": () => {
    Reflect.deleteProperty(Error, "prepareStackTrace");
    define("stackTraceLimit", { value: 10, writable: true });
    Object.freeze(Error);
  },
};

async function check(what: string) {
  const process = new Process({ target: work });
  process.start();
  if (await process.result() !== "worked") console.log(what, "another result");
  const error = await new Queue().get({ timeout: 1 }).catch((error) => error);
  if (!(error instanceof QueueEmpty)) console.log(what, "another error", error);
  using lock = Object.assign(new Lock(), { [Symbol.dispose]: () => {} });
  lock.tryAcquire();
  if (await lock.acquire({ timeout: 1 })) console.log(what, "acquired twice");
  const asked = new Process({ target: work });
  asked.start();
  await asked.result({ timeout: 0 }).catch(() => {});
  await asked.join();
}

if (import.meta.main) {
  const stateOf = (name: string) => JSON.stringify(Object.getOwnPropertyDescriptor(Error, name));
  for (const [what, change] of Object.entries(changes)) {
    change();
    const before = ["stackTraceLimit", "prepareStackTrace"].map(stateOf).join();
    await check(what);
    const after = ["stackTraceLimit", "prepareStackTrace"].map(stateOf).join();
    if (after !== before) console.log(what, `not as it was: ${before} is now ${after}`);
  }
  console.log("done");
}

// The name a bundler may give to it.
//# sourceURL=bundler:///no/such/place.ts
