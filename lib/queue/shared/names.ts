// Queues by name. Whoever has a queue of a name answers on the broadcast channel when somebody asks for it. The
// question carries a ticket in shared memory, and the first to answer takes it, so that a name
// known to many is answered once.

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

/** What this isolate answers for: what it has made with a name, opened by one, or was given. */
const known = new SafeMap<string, HandedOver>();
/** Those of the names that others have given it things of. */
const given = new SafeSet<string>();

/** Makes an object known by a name, to everybody. */
export function publish(name: string, object: HandedOver): void {
  checkBus(name);
  if (known.has(name) && !given.delete(name)) {
    throw new InvalidStateError(
      `This process already has a queue named "${name}". Open it with Queue.open, close it first, or choose another name.`,
    );
  }
  known.set(name, object);
  listen();
  // Those who were looking for it before it was there look again.
  recheckEverywhere();
}

/** In a sealed process names mean nothing: by them it would reach what it wasn't given. */
function checkBus(name: string): void {
  if (!isMuted()) return;
  throw new InvalidStateError(
    `A sealed process has no queues by name, and so none named "${name}". Hand the queue over to it in args, ` +
      "or through a pipe, or start the process with sealed: false.",
  );
}

/** A process that was given an object with a name answers for it, too: its maker may be blocked. */
export function advertise(name: string, object: HandedOver): void {
  if (known.has(name)) return;
  known.set(name, object);
  given.add(name);
  listen();
}

/** Makes an object no longer known. */
export function forget(object: HandedOver): void {
  for (const { 0: name, 1: other } of known) {
    if (other !== object) continue;
    known.delete(name);
    given.delete(name);
  }
}

/** Who has the queue of this name? The first to answer takes the ticket. */
interface Find extends Announcement {
  type: "find";
  /** Of the search; the answer repeats it. */
  id: string;
  name: string;
  ticket: Int32Array;
}

/** The answer to Find. */
interface Here extends Announcement {
  type: "here";
  id: string;
  name: string;
  parcel: Serialized;
}

onAnnouncement<Find>("find", (asked) => {
  if (!isFind(asked)) return;
  const { id, name, ticket } = asked, object = known.get(name);
  if (object === undefined || Atomics.compareExchange(ticket, 0, 0, 1) !== 0) return;
  say<Here>({ type: "here", id, name, parcel: object[serialize]() });
});

onAnnouncement<Here>("here", (answer) => {
  if (!isHere(answer)) return;
  const { id, name, parcel } = answer;
  // Late answers to a search that has ended are not for a later one: by then it may be gone.
  if (searches.get(id) !== name || known.has(name)) return;
  try {
    known.set(name, deserialize(parcel) as HandedOver);
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
  const { name, parcel } = message;
  return typeof name === "string" && typeof ToObject(parcel).kind === "string";
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
