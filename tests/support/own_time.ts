// The time of this thread: without the time in which it could have run, and the machine did something else. By this
// the length of a stall doesn't depend on what else the machine does. Deno blocks a thread that makes another until that
// has begun, so the time counts neither in which that one could have run. Needs --allow-read; without Linux it is the
// time on the clock.

let isKnown = true;

/** In ms: delays in making threads, so far; and the time on the clock at the last look. */
let making = 0, last = performance.now();

/** A shorter time isn't looked into, in ms. */
const LOOK_MS = 40;
/** The unit of the times at which threads began, in ms. */
const TICK_MS = 10;

/** In ms. Only the differences mean something, of looks that are less than a second apart. */
export function ownTime(): number {
  const now = performance.now();
  if (!isKnown) return now;
  try {
    const delay = delayOf(`${Deno.pid}`);
    const passed = now - last;
    last = now;
    if (passed > LOOK_MS) making += Math.min(delayOfThreadsSince(passed), passed);
    return now - delay - making;
  } catch {
    isKnown = false;
    return now;
  }
}

/** How long a thread has waited for a processor, in ms. */
function delayOf(thread: string): number {
  return Number(Deno.readTextFileSync(`/proc/self/task/${thread}/schedstat`).split(" ")[1]) / 1e6;
}

/** The longest time that a thread which began less than `ms` ago has waited for a processor. */
function delayOfThreadsSince(ms: number): number {
  const up = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 1000;
  let longest = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      const stat = Deno.readTextFileSync(`/proc/self/task/${name}/stat`);
      const began = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) * TICK_MS;
      if (began >= up - ms - TICK_MS) longest = Math.max(longest, delayOf(name));
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return longest;
}
