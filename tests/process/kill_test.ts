// Ending a process by terminate() and kill() in every state it can be in, of every kind: its work is
// stopped, its exit code says so, and other processes can go on using the objects it shared with them.

import { Process, sleep } from "../../mod.ts";
import { inFull, testInFull } from "../support/length.ts";
import {
  bound,
  checkEnded,
  checkUsable,
  type End,
  ends,
  fewAtOnce,
  fewStates,
  type Kind,
  kinds,
  limitedKinds,
  makeThings,
} from "../support/kill.ts";
import { type State, states } from "../support/kill_states.ts";

/** A process that is to be ended. */
interface Case extends State {
  kind: string;
  options: Kind;
  end: End;
}

/**
 * Both ends for a thread, one of them for the other kinds; in the short run one case of each
 * state.
 */
function casesOf(one: State, i: number): Case[] {
  const all: Case[] = [];
  for (const [kind, options] of Object.entries(kinds)) {
    const isThread = options.permissions === undefined;
    if (one.computes && !isThread) continue;
    for (const [j, end] of (Object.keys(ends) as End[]).entries()) {
      if (isThread || j === i % 2) all.push({ ...one, kind, options, end });
    }
  }
  const few = inFull(all, [all[i % all.length]]);
  if (!fewStates.includes(one.name)) return few;
  const limited = Object.entries(limitedKinds).map(([kind, options]): Case => {
    return { ...one, kind, options, end: i % 2 ? "kill" : "terminate" };
  });
  return [...limited, ...few];
}

for (const family of new Set(states.map((state) => state.family))) {
  const test = family === "blocked" || family === "busy" ? Deno.test : testInFull;
  test(`a process that is ${family} anything can be terminated and killed`, async () => {
    const cases = states.filter((state) => state.family === family).flatMap(casesOf);
    await fewAtOnce(cases.map((one) => () => endAndCheck(one)));
  });
}

/** Brings a process into a state, ends it, and checks all that is so afterwards. */
async function endAndCheck(
  { family, name, target, hasChild = false, hasReturned = false, kind, options, end }: Case,
): Promise<void> {
  const all = makeThings(), { ready, over } = all.things;
  const process = new Process({ target, args: [all.things], by: "source", ...options });
  try {
    process.start();
    await ready.get(bound);
    if (hasChild) await ready.get(bound);
    // One is ended as soon as it is there, the other when it has been there for a while.
    if (end === "kill") await sleep(30);
    process[end]();
    await checkEnded(process, ends[end], hasReturned);
    over.set();
    await checkUsable(all);
  } catch (error) {
    throw new Error(`${kind}, ${family} ${name}, ${end}: ${error}`, { cause: error });
  }
}
