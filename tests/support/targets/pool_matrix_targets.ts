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

/** Where a function strikes: at once, or in the listener of an event. The initializer is a place of its own. */
export type Place = "task" | "initializer" | "callback";

/** Does it, and goes on for a minute where that doesn't end it. */
export async function strike(way: Way, place: Place): Promise<void> {
  const now = () => {
    if (way === "throw") throw new RangeError(place);
    if (way === "exit") Deno.exit(6);
    if (way === "limit") { while (true); }
    if (way === "rejection") Promise.reject(new RangeError("nobody catches it"));
    else {
      setTimeout(() => {
        throw new RangeError("outside");
      });
    }
  };
  if (place === "callback") {
    const target = new EventTarget();
    target.addEventListener("now", now);
    target.dispatchEvent(new Event("now"));
  } else now();
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

/** A finalizer. */
export async function inFinalizer(way: unknown): Promise<void> {
  if (way === "throw") throw new RangeError("finalizer");
  if (way === "exit") Deno.exit(6);
  await 0;
}
export const keepWay = (way: Way): Way => way;
