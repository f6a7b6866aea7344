// Queues by name (a name service). A process that has a queue of a name answers a lookup of that name on the
// broadcast channel. The lookup carries a ticket in shared memory, and the first process to answer takes the
// ticket, so that a name known to many is answered once.

import { InvalidStateError, TimeoutError } from "../../errors.ts";
import {
  deserialize,
  type HandedOver,
  serialize,
  type Serialized,
} from "../../transfer/transferable.ts";
import {
  addConsequence,
  announce,
  type Announcement,
  isBroken,
  isMuted,
  listen,
  onAnnouncement,
} from "../../wait/broadcast.ts";
import {
  EventCount,
  EVENTCOUNT_WORDS,
  recheck,
  recheckEverywhere,
  WAIT,
} from "../../wait/eventcount.ts";
import { eventually } from "../../wait/operation.ts";
import type { WaitOptions } from "../../wait/options.ts";
import * as primordials from "../../platform/primordials.ts";

const { Atomics, crypto, Int32Array, SafeMap, SafeSet, SharedArrayBuffer, ToObject } = primordials;

/** The queues this isolate answers for, by name: those it has made, opened, or been given. */
const known = new SafeMap<string, HandedOver>();
/** The names of the queues that other processes have given to this one. */
const given = new SafeSet<string>();

/** Makes an object known by a name, to all isolates. */
export function publish(name: string, object: HandedOver): void {
  checkBus(name);
  if (known.has(name) && !given.delete(name)) {
    throw new InvalidStateError(
      `This process already has a queue named "${name}". Open it with Queue.open, close it first, or choose another name.`,
    );
  }
  known.set(name, object);
  listen();
  // Searches that began before the object was there look again.
  recheckEverywhere();
}

/** Refuses names in a sealed process, which by a name would reach a queue that it wasn't given. */
function checkBus(name: string): void {
  if (!isMuted()) return;
  throw new InvalidStateError(
    `A sealed process has no queues by name, and so none named "${name}". Hand the queue over to it in args, ` +
      "or through a pipe, or start the process with sealed: false.",
  );
}

/**
 * Makes this process answer for a named object that it was given, too: the process that made the object may
 * be blocked.
 */
export function advertise(name: string, object: HandedOver): void {
  if (known.has(name)) return;
  known.set(name, object);
  given.add(name);
  listen();
}

/** Stops answering for an object. */
export function forget(object: HandedOver): void {
  for (const { 0: name, 1: other } of known) {
    if (other !== object) continue;
    known.delete(name);
    given.delete(name);
  }
}

/** A lookup of a name. The first process to answer takes the ticket. */
interface Find extends Announcement {
  type: "find";
  /** The id of the search; the answer repeats it. */
  id: string;
  name: string;
  ticket: Int32Array;
}

/** The answer to Find. */
interface Here extends Announcement {
  type: "here";
  id: string;
  name: string;
  serialized: Serialized;
}

onAnnouncement<Find>("find", (asked) => {
  if (!isFind(asked)) return;
  const { id, name, ticket } = asked, object = known.get(name);
  if (object === undefined || Atomics.compareExchange(ticket, 0, 0, 1) !== 0) return;
  say<Here>({ type: "here", id, name, serialized: object[serialize]() });
});

onAnnouncement<Here>("here", (answer) => {
  if (!isHere(answer)) return;
  const { id, name, serialized } = answer;
  // A late answer to a search that has ended isn't used for a later search: by then the queue may be gone.
  if (searches.get(id) !== name || known.has(name)) return;
  try {
    known.set(name, deserialize(serialized) as HandedOver);
  } catch {
    return; // forged: nothing that a queue could be made of
  }
  recheck();
});

addConsequence("it opens no queues by name any more");

function say<T extends Announcement>(message: T): void {
  announce(message);
}

function isFind(message: Partial<Find>): message is Find {
  const { name, ticket } = message;
  return typeof name === "string" && ticket instanceof Int32Array && ticket.length > 0 &&
    ticket.buffer instanceof SharedArrayBuffer;
}

function isHere(message: Partial<Here>): message is Here {
  const { name, serialized } = message;
  return typeof name === "string" && typeof ToObject(serialized).kind === "string";
}

/** The searches of this isolate that are under way: id and name. */
const searches = new SafeMap<string, string>();

/** Finds the object of a name, wherever in the program it is. */
export async function lookup(name: string, options?: WaitOptions): Promise<HandedOver> {
  checkBus(name);
  const words = new Int32Array(new SharedArrayBuffer(EVENTCOUNT_WORDS * 4));
  const id = crypto.randomUUID();
  searches.set(id, name);
  try {
    return await eventually({
      eventcount: new EventCount(words, 0, () => known.has(name)),
      attempt: () => {
        const object = known.get(name);
        if (object !== undefined) return object;
        if (isBroken()) {
          throw new InvalidStateError(
            "This process hears no BroadcastChannel any more, and so opens no queue by name: a message " +
              "that can't be read has come. Hand the queue over to it in args, or through a pipe.",
          );
        }
        const ticket = new Int32Array(new SharedArrayBuffer(4));
        say<Find>({ type: "find", id, name, ticket });
        return WAIT;
      },
      onTimeout: () => {
        throw new TimeoutError(
          `No process of this program has a queue named "${name}". Make it with ` +
            `new Queue({ name: "${name}" }) and keep that process alive, or wait longer.`,
        );
      },
    }, options);
  } finally {
    searches.delete(id);
  }
}
