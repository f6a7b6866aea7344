// The tasks of the pools of npm, which are those of pool_targets.ts.
import { move } from "piscina";
import { Tinypool } from "tinypool";
import workerpool from "workerpool";

export const nothing = () => {};
export const echo = (value) => value;
export const square = (n) => n * n;

/** Returns a buffer that isn't copied; each pool has its own way. */
export const passPiscina = (bytes) => move(bytes);
export const passTinypool = (bytes) => Tinypool.move(bytes);
const passWorkerpool = (bytes) =>
  new workerpool.Transfer(bytes, [bytes.buffer]);

// Only a worker of workerpool is told this; the others would have to answer its messages.
if (process.env.BENCH_POOL === "workerpool") {
  workerpool.worker({ nothing, echo, square, passWorkerpool });
}
