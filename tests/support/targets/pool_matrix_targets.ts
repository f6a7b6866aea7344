// What goes wrong in workers of pools, by place and by way. Each function stands alone: they travel by source.

/** A way to end what it is called in. "limit" needs a time limit. */
export type Way = "throw" | "exit" | "outside" | "rejection" | "limit";

/** A value that does it as it is encoded. */
export function whileEncoding(way: Way): unknown {
  return {
    get value(): number {
      if (way === "throw") throw new RangeError("encoding");
      if (way === "exit") Deno.exit(6);
      if (way === "limit") { while (true); }
      if (way === "rejection") Promise.reject(new RangeError("nobody catches it"));
      else {
        setTimeout(() => {
          throw new RangeError("outside");
        });
      }
      return 1;
    },
  };
}

export async function inTask(way: Way): Promise<void> {
  if (way === "throw") throw new RangeError("task");
  if (way === "exit") Deno.exit(6);
  if (way === "limit") { while (true); }
  if (way === "rejection") Promise.reject(new RangeError("nobody catches it"));
  else {
    setTimeout(() => {
      throw new RangeError("outside");
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

/** In the listener of an event. */
export async function inCallback(way: Way): Promise<void> {
  const target = new EventTarget();
  target.addEventListener("now", () => {
    if (way === "throw") throw new RangeError("callback");
    if (way === "exit") Deno.exit(6);
    if (way === "limit") { while (true); }
    if (way === "rejection") Promise.reject(new RangeError("nobody catches it"));
    else {
      setTimeout(() => {
        throw new RangeError("outside");
      });
    }
  });
  target.dispatchEvent(new Event("now"));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

/** Breaks what a decoder could use, in the worker. */
export function spoil(): void {
  const fail = () => {
    throw new RangeError("decoding");
  };
  Object.defineProperty(Object.prototype, "map", { set: fail, configurable: true });
  Map.prototype.set = fail;
  Set.prototype.add = fail;
  Array.prototype[Symbol.iterator] = fail;
}

export const same = (value: unknown): unknown => value;

/** An initializer. */
export async function inInitializer(way: Way): Promise<void> {
  if (way === "throw") throw new RangeError("initializer");
  if (way === "exit") Deno.exit(6);
  if (way === "rejection") Promise.reject(new RangeError("nobody catches it"));
  else {
    setTimeout(() => {
      throw new RangeError("outside");
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

/** A finalizer. */
export async function inFinalizer(way: unknown): Promise<void> {
  if (way === "throw") throw new RangeError("finalizer");
  if (way === "exit") Deno.exit(6);
  await 0;
}
export const keepWay = (way: Way): Way => way;
