// Processes that have started processes are killed. Their daemons end with them; their other children
// go on, and end when their work is done. The state of a child is observed at its pipes.

import { BrokenPipeError, EOFError, Pipe, sleep } from "../../../mod.ts";
import { at } from "../states.ts";
import { type Room, thread } from "../room.ts";
import { type Ends, nest } from "./nested_targets.ts";

/** In ms: the processes of one round cost as much as six kills elsewhere. */
const REST = 3000;

/** Trees of processes until the time is over. */
export async function nested(room: Room): Promise<void> {
  while (!room.isOver) {
    await oneTree(room);
    room.step("rests");
    await sleep(REST);
  }
}

async function oneTree(room: Room): Promise<void> {
  const count = room.pick([2, 2, 4]);
  const mine: Ends[] = [], theirs: Ends[] = [];
  for (let i = 0; i < count; i++) {
    const [echo, otherEcho] = Pipe<string>(), [witness, otherWitness] = Pipe<string>();
    mine.push([echo, witness]);
    theirs.push([otherEcho, otherWitness]);
  }
  const killAfter = room.chance(0.6) ? room.between(0, 40) : -1;
  const victim = await room.victim(nest, [theirs, killAfter, room.chance(0.3), true], thread);
  if (room.chance(0.5)) {
    room.step(`waits until the first child of ${victim.name} is up, or was killed`);
    await mine[0][0].poll();
  }
  await room.live(victim, 60);
  await room.kill(victim);
  for (const [i, [echo, witness]] of mine.entries()) {
    const isDaemon = i % 2 === 0;
    if (!isDaemon) {
      room.step(`asks the child ${i} of ${victim.name}, which may go on, for an answer`);
      if (await answers(room, echo)) room.count("nested: outlived who started them");
      echo.close();
    }
    room.step(`waits for the end of the ${isDaemon ? "daemon" : "child"} ${i} of ${victim.name}`);
    const error = await witness.recv().catch((error) => error);
    room.check(error instanceof EOFError, `a child's pipe gave ${error} instead of EOFError`);
    echo.close();
    witness.close();
  }
  const { [at.extra]: children, [at.done]: killed, [at.wrong]: wrong } = victim.words;
  room.check(wrong === 0, `a killed child of ${victim.name} has another exit code than -9`);
  room.count("nested: processes started", children);
  room.count("kills", killed);
  room.count("kills by who started it, itself a child", killed);
}

/** Whether a child is there and answers. */
async function answers(room: Room, echo: Ends[0]): Promise<boolean> {
  try {
    await echo.send("ping");
    for (;;) {
      const answer = await echo.recv();
      if (answer === "ping") return true;
      room.check(answer === "up", `a child answered ${answer}`);
    }
  } catch (error) {
    if (!(error instanceof EOFError || error instanceof BrokenPipeError)) throw error;
    return false;
  }
}
