// The time of this thread: without the time in which it could have run, and the machine did something else. By this
// the length of a stall doesn't depend on what else the machine does. Needs --allow-read; without Linux it is the
// time on the clock.

let path: string | undefined = `/proc/self/task/${Deno.pid}/schedstat`;

/** In ms. Only the differences mean something. */
export function ownTime(): number {
  return performance.now() - delayed();
}

/** How long the main thread has waited for a processor, in ms. */
function delayed(): number {
  if (path === undefined) return 0;
  try {
    return Number(Deno.readTextFileSync(path).split(" ")[1]) / 1e6;
  } catch {
    path = undefined;
    return 0;
  }
}
