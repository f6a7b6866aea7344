// The soak: programs in which producers, consumers, pipes, locks and trees of processes are at work while
// processes are killed at random instants, for as long as wanted, and every invariant is checked all the while.
//
//   deno task soak [--minutes N] [--seed S] [--programs P] [--rooms A,B]
//   deno task soak --pools N [--seed S]     the soak of pools instead: see pools.ts
//
// It runs several programs, because one main isolate can start no more than 40 processes a second: a start
// blocks it for 25 ms (Deno 2.9.6). The first has all permissions, the others none, so that all of their
// targets travel by source. This process observes what a program can't see of itself: whether it hangs, its
// memory, its threads, and that it ends by itself. The exit status is 1 if anything was violated.

import { parseArgs } from "node:util";
import { type Numbers, together } from "./counts.ts";
import type { Order, Report } from "./program.ts";
import { blame, cores, type Load, loadNow, type Look, look } from "./machine.ts";
import { soakPools } from "./pools.ts";
import { line, summary } from "./summary.ts";

/** Seconds without a word of a program: its main isolate hangs. */
const SILENCE = 90;
/** Seconds a program that has done all may take to end. */
const ENDING = 20;
/** Part of the time after which the memory counts as warmed up, and the most seconds that takes. */
const WARM_PART = 0.25, WARM_SECONDS = 30;
/**
 * Bytes that a program may have grown since then, and so many more for each kill, and for each end of a
 * pipe that was on its way to a process that was killed: Deno 2.9.6 never frees the shared memory in a
 * message that a terminated worker had not received (8 KB for 8 KB, measured without this library).
 */
const GROWTH = 96 * 2 ** 20, GROWTH_PER_KILL = 16 * 2 ** 10, GROWTH_PER_LOST_END = 12 * 2 ** 10;
/** Threads that Deno may keep beside those it had at first. */
const SPARE_THREADS = 12;
/** Deno prints this on some kills. */
const NOISE = /Uncaught \(in worker "[^"]*"\).*execution terminated|^\s*$/;

/** A program and what is known of it. */
export interface Running {
  readonly name: string;
  readonly child: Deno.ChildProcess;
  numbers: Numbers;
  doing: Record<string, string>;
  heard: number;
  done: boolean;
  noise: number;
  first: Look | undefined;
  warm: Look | undefined;
  last: Look | undefined;
}

/** What was found wrong. */
const violations: string[] = [];

interface Options {
  minutes: number;
  seed: number;
  programs: number;
  rooms: string[];
  pools: number;
}

function options(): Options {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string", default: `${Math.floor(Math.random() * 2 ** 31)}` },
      programs: { type: "string", default: `${cores + 1}` },
      rooms: { type: "string", default: "" },
      pools: { type: "string", default: "0" },
    },
  });
  const number = (name: "minutes" | "seed" | "programs" | "pools", least: number) => {
    const value = Number(values[name]);
    if (value >= least) return value;
    throw new RangeError(`--${name} is ${values[name]}. Give a number from ${least} up.`);
  };
  return {
    minutes: number("minutes", 0),
    seed: Math.trunc(number("seed", 0)),
    programs: Math.trunc(number("programs", 1)),
    pools: number("pools", 0),
    rooms: values.rooms.split(",").filter((name) => name !== ""),
  };
}

function launch(index: number, order: Order): Running {
  const rights = index === 0 ? ["--allow-all"] : ["--no-prompt"];
  const program = new URL("./program.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...rights, program, JSON.stringify(order)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  return {
    name: `program ${index}`,
    child,
    numbers: {},
    doing: {},
    heard: performance.now(),
    done: false,
    noise: 0,
    first: undefined,
    warm: undefined,
    last: undefined,
  };
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of stream.pipeThrough(
      new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
    )
  ) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}

/** Programs print reports and nothing else. */
function parse(line: string): Report | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function listen(running: Running, isWarm: () => boolean): Promise<void> {
  for await (const line of lines(running.child.stdout)) {
    running.heard = performance.now();
    const report = parse(line);
    if (report === undefined) {
      violations.push(`${running.name} printed: ${line}`);
      continue;
    }
    if (report.type === "violation") {
      violations.push(
        `${running.name}, room ${report.room}, which ${report.doing}: ${report.what}`,
      );
      continue;
    }
    running.numbers = report.numbers;
    if (report.type === "numbers") {
      running.doing = report.doing;
      const now = await look(running.child.pid);
      running.first ??= now;
      running.last = now ?? running.last;
      if (isWarm()) running.warm ??= now;
      continue;
    }
    running.done = true;
    if (report.alive.length > 0) violations.push(`${running.name} left alive: ${report.alive}`);
    checkLeftovers(running);
  }
}

/** What is left when all processes of a program have ended. */
function checkLeftovers({ name, numbers, first, warm, last }: Running): void {
  if (first === undefined || last === undefined) return;
  if (last.threads > first.threads + SPARE_THREADS) {
    violations.push(`${name} had ${first.threads} threads at first and has ${last.threads} now`);
  }
  const lost = numbers["pipe: ends lost with who was to receive them"] ?? 0;
  const most = GROWTH + GROWTH_PER_KILL * (numbers.kills ?? 0) + GROWTH_PER_LOST_END * lost;
  if (warm !== undefined && last.bytes > warm.bytes + most) {
    const [from, to] = [warm, last].map(({ bytes }) => Math.round(bytes / 2 ** 20));
    violations.push(`${name} took ${from} MB when warm and ${to} MB in the end`);
  }
}

async function pass(running: Running): Promise<void> {
  for await (const line of lines(running.child.stderr)) {
    if (NOISE.test(line)) running.noise++;
    else console.error(`${running.name}: ${line}`);
  }
}

/** Ends a program that doesn't end by itself. */
function giveUp(running: Running, why: string): void {
  const doing = Object.entries(running.doing).map(([name, what]) => `${name} ${what}`).join("; ");
  violations.push(`${running.name} ${why}. Its rooms: ${doing}`);
  running.child.kill("SIGKILL");
}

const { minutes, seed, programs, rooms, pools } = options();
if (pools > 0) Deno.exit(await soakPools(pools, seed));
const repeat = `deno task soak --minutes ${minutes} --seed ${seed} --programs ${programs}` +
  (rooms.length > 0 ? ` --rooms ${rooms}` : "");
console.log(`seed ${seed}, ${programs} programs, ${minutes} minutes, load average ${loadNow()}`);
const milliseconds = minutes * 60_000;
const began = performance.now();
const before: Load = blame();
const warmAfter = Math.min(milliseconds * WARM_PART, WARM_SECONDS * 1000);
const isWarm = () => performance.now() - began > warmAfter;
const all = Array.from(
  { length: programs },
  (_, i) => launch(i, { seed: seed + i, milliseconds, programs, rooms }),
);
const isTerminal = Deno.stdout.isTerminal();
let seconds = 0;
const ticking = setInterval(() => {
  seconds++;
  for (const running of all) {
    // Time in which this program didn't run either doesn't count.
    const silence = (performance.now() - running.heard) / 1000;
    if (running.done && silence > ENDING) {
      giveUp(running, `has done all, and does not end in ${ENDING} s`);
    } else if (silence > SILENCE) {
      giveUp(running, `was silent for ${SILENCE} s: its main isolate hangs`);
    } else if (violations.length > 0 && silence > 2) running.child.kill("SIGKILL");
  }
  if (isTerminal) Deno.stdout.writeSync(new TextEncoder().encode(`\r${line(all, began)}\x1b[K`));
  else if (seconds % 10 === 0) console.log(line(all, began));
}, 1000);
await Promise.all(all.map(async (running) => {
  const reading = [listen(running, isWarm), pass(running)];
  const { code, signal } = await running.child.status;
  await Promise.all(reading);
  running.heard = Infinity;
  if (violations.length > 0) {
    // One violation ends the run.
    for (const other of all) if (other.heard !== Infinity) other.child.kill("SIGKILL");
  } else if (!running.done) {
    violations.push(`${running.name} ended early, with exit status ${code}, signal ${signal}`);
  } else if (code !== 0) violations.push(`${running.name} has exit status ${code} instead of 0`);
}));
clearInterval(ticking);
if (isTerminal) console.log();
const elapsed = (performance.now() - began) / 1000;
console.log(summary(all, together(all.map(({ numbers }) => numbers)), elapsed, blame(before)));
for (const violation of violations) console.log(`VIOLATION: ${violation}`);
console.log(violations.length === 0 ? "no violation" : `seed ${seed}; again: ${repeat}`);
Deno.exitCode = violations.length === 0 ? 0 : 1;
