// Calls that must be refused, again and again, while all other rooms go on.

import {
  BoundedSemaphore,
  InvalidStateError,
  Lock,
  Pipe,
  Process,
  Queue,
  QueueEmpty,
  QueueFull,
  SharedArray,
  sleep,
  Value,
} from "../../../mod.ts";
import type { Room } from "../room.ts";
import { idle } from "./busy_targets.ts";

type Refused = [what: string, kind: new (...args: never[]) => Error, call: () => unknown];

/** In ms. */
const REST = 2000;

/** Bad input until the time is over. */
export async function badInput(room: Room): Promise<void> {
  while (!room.isOver) {
    for (const [what, kind, call] of calls()) {
      room.step(`tries ${what}`);
      const error = await (async () => await call())().then(() => "nothing", (error) => error);
      room.check(error instanceof kind, `${what} threw ${error} instead of ${kind.name}`);
      room.check(/[.] [^]+[.]$/.test(error.message), `${what} says only: ${error.message}`);
      room.count("bad input refused");
    }
    room.step("rests");
    await sleep(REST);
  }
}

function calls(): Refused[] {
  const queue = new Queue<unknown>({ maxSize: 1 }), lock = new Lock();
  const [here, there] = Pipe<unknown>();
  const process = new Process<unknown[]>({
    target: idle as unknown as () => void,
    args: [{ deep: [() => {}] }],
  });
  const refused: Refused[] = [
    ["an item that is a function", TypeError, () => queue.put(() => {})],
    ["an item that is a Queue", TypeError, () => queue.putSync(queue)],
    ["a negative timeout", RangeError, () => queue.get({ timeout: -1 })],
    ["a timeout of NaN", RangeError, () => lock.acquire({ timeout: NaN })],
    ["a negative maxSize", RangeError, () => new Queue({ maxSize: -1 })],
    ["getNowait() of an empty queue", QueueEmpty, () => queue.getNowait()],
    ["putManyNowait() of too many", QueueFull, () => queue.putManyNowait([1, 2])],
    ["an item larger than maxBytes", RangeError, () => {
      new Queue<string>({ maxBytes: 64 }).putNowait("x".repeat(100));
    }],
    ["release() of what isn't held", InvalidStateError, () => lock.release()],
    ["a release() too many", RangeError, () => new BoundedSemaphore(1).release()],
    ["a number that doesn't fit", RangeError, () => new Value("u8", 256)],
    ["an index where nothing is", RangeError, () => new SharedArray("i32", 2).store(2, 0)],
    ["a message that is a function", TypeError, () => here.send(() => {})],
    ["the own end in a message", TypeError, () => here.sendNowait([there])],
    ["a process with an argument that can't cross", TypeError, () => process.start()],
    ["join() before start()", InvalidStateError, () => process.join()],
    ["a closed end", InvalidStateError, () => {
      here.close();
      here.sendNowait(1);
    }],
  ];
  return refused;
}
