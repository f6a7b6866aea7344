// The memory limit, seen from inside. When the heap of a limited worker is full, V8 doubles the limit
// and interrupts the code, and Deno 2.9.6 ends the worker: but not where that code ran after an
// await. There the interruption is lost, and with it the rest of the target. The limit that has
// grown tells.

/** How often it is looked at, in ms. */
const LOOK = 50;

/** Calls `exceeded` once the heap of this worker was full. */
export async function watchMemory(exceeded: () => void): Promise<void> {
  const { getHeapStatistics } = await import("node:v8");
  const limit = getHeapStatistics().heap_size_limit;
  const timer = setInterval(() => {
    if (getHeapStatistics().heap_size_limit === limit) return;
    clearInterval(timer);
    exceeded();
  }, LOOK);
  Deno.unrefTimer(timer as unknown as number);
}
