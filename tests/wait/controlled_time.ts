// Time that stands still until a test advances it. Imported before any module of the library, which takes
// its clocks and timers when it loads: so no timer of the library's fires, and no time passes, but by
// `clock.tick()`, and a test decides which comes first.

// deno-lint-ignore no-import-prefix
import FakeTimers from "npm:@sinonjs/fake-timers@15.0.0";

const { setTimeout, clearTimeout } = globalThis;
const now = performance.now.bind(performance);

/** The time of the library, which this module was imported before. */
export const clock = FakeTimers.install({
  now: 1_800_000_000_000,
  toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
});

/** Milliseconds of real time after which something that must come is said to be lost. */
const LOST_MS = 20_000;

/** A real turn of the event loop: a wake-up that is under way has arrived, most likely. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The result of something that nothing but a bug keeps from coming. */
export async function arrives<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const lost = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} is lost`)), LOST_MS);
  });
  try {
    return await Promise.race([promise, lost]);
  } finally {
    clearTimeout(timer!);
  }
}

/** Milliseconds of real time. */
export function realNow(): number {
  return now();
}
