// The bus: the one BroadcastChannel an isolate listens on. It carries what concerns everybody:
// that a process died, that a queue was shut down, who has the queue of a name. Nothing of value
// travels here, because a BroadcastChannel silently drops what a slow listener has not fetched,
// wakes every isolate for every message and can be read by any worker: a lost announcement costs
// a moment, a forged one costs a look.
//
// While something waits the channel is ref'd, and so keeps the event loop alive (a pending
// Atomics.waitAsync does not); else it is unref'd. Only the class of node:worker_threads has
// that. The channel is opened at the first need and never closed (see platform/broadcast.ts).
//
// A message that can't be read makes an isolate deaf: it looks by itself from then on, and more often.

import { BroadcastChannel } from "node:worker_threads";
import { isOver, ownControl } from "../liveness/control_block.ts";
import type { Parcel } from "../transfer/transferable.ts";
import { checkStack } from "../liveness/stack_guard.ts";
import {
  BroadcastChannelPrototypePostMessage,
  BroadcastChannelPrototypeRef,
  BroadcastChannelPrototypeUnref,
  isReadingFailure,
} from "../platform/broadcast.ts";
import { withoutAdded } from "../platform/added.ts";
import * as primordials from "../platform/primordials.ts";

const {
  addEventListener,
  console,
  EventPrototypePreventDefault,
  EventPrototypeStopImmediatePropagation,
  Int32Array,
  Object,
  SharedArrayBuffer,
  ToObject,
} = primordials;

/** Bumped when the announcements or the layout of shared memory change. */
const NAME = "@multiproc/multiprocessing/1";

/** Something may have changed for those who wait: look again. */
export interface Look {
  type: "look";
}

/** Who has the queue of this name? The first to answer takes the ticket. */
export interface Find {
  type: "find";
  /** Of the search; the answer repeats it. */
  id: string;
  name: string;
  ticket: Int32Array;
}

/** The answer to Find. */
export interface Here {
  type: "here";
  id: string;
  name: string;
  parcel: Parcel;
}

/** Everything that is said on the bus. */
export type Announcement = Look | Find | Here;

interface Handlers {
  /** Nothing more will be heard. */
  deaf: () => void;
  look: () => void;
  find: (asked: Find) => void;
  here: (answer: Here) => void;
}

/** Calls that Deno makes for it, one in the other, at most. */
const STACK_NEEDED = 1000;

const handlers: Partial<Handlers> = {};
let channel: BroadcastChannel | undefined;
let holds = 0;

/**
 * Called once in a sealed process, which has no channel that others have: it hears nothing, and looks by itself.
 */
export function muteBus(): void {
  isMute = isDeaf = true;
}

let isMute = false;

/** Whether this isolate neither hears nor announces anything: see muteBus(). */
export function hasNoBus(): boolean {
  return isMute;
}

/** Opens the bus, if it isn't open: from now on this isolate hears what is announced. */
export function listen(): BroadcastChannel | undefined {
  if (isMute) return undefined;
  if (channel === undefined) {
    // Deno begins to listen in a promise, where an error would end the program.
    checkStack(STACK_NEEDED);
    channel = withoutAdded(openChannel);
    if (holds === 0) BroadcastChannelPrototypeUnref(channel);
    addEventListener("unhandledrejection", notice);
  }
  return channel;
}

function openChannel(): BroadcastChannel {
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (event: unknown) => hear((event as MessageEvent<unknown>).data);
  return channel;
}

let isDeaf = false;

/** Whether this isolate has stopped hearing anything. */
export function isDeafToAll(): boolean {
  return isDeaf;
}

function notice(event: PromiseRejectionEvent): void {
  if (!isReadingFailure(event.reason)) return;
  EventPrototypePreventDefault(event);
  EventPrototypeStopImmediatePropagation(event);
  isDeaf = true;
  console.error(
    "@multiproc/multiprocessing: a message that can't be read has come by a BroadcastChannel, and Deno " +
      "reads no more of them in this process. It goes on, but it opens no queues by name any more.",
  );
  handlers.deaf?.();
}

/** A message may come from anybody: what isn't an announcement is nothing. */
function hear(message: unknown): void {
  // A process that has taken its last step, or was killed, may still hear for a millisecond.
  if (isOver(ownControl())) return;
  const { type } = ToObject(message) as Partial<Announcement>;
  if (type === "look") handlers.look?.();
  else if (type === "find" && isFind(message)) handlers.find?.(message);
  else if (type === "here" && isHere(message)) handlers.here?.(message);
}

function isFind(message: unknown): message is Find {
  const { name, ticket } = message as Find;
  return typeof name === "string" && ticket instanceof Int32Array && ticket.length > 0 &&
    ticket.buffer instanceof SharedArrayBuffer;
}

function isHere(message: unknown): message is Here {
  const { name, parcel } = message as Here;
  return typeof name === "string" && typeof ToObject(parcel).kind === "string";
}

/** Says what to do on announcements, and if there can't be any: one handler for each type. */
export function onAnnouncement(more: Partial<Handlers>): void {
  Object.assign(handlers, more);
}

/** Tells every other isolate that listens; not this one. */
export function announce(message: Announcement): void {
  const heard = listen();
  if (heard !== undefined) BroadcastChannelPrototypePostMessage(heard, message);
}

/** Keeps this isolate alive until the matching release(). */
export function hold(): void {
  // Without a bus, the timer by which it looks (eventcount.ts) keeps it alive.
  if (holds++ > 0) return;
  const heard = listen();
  if (heard !== undefined) BroadcastChannelPrototypeRef(heard);
}

/** Ends what hold() began. */
export function release(): void {
  if (--holds === 0 && channel !== undefined) BroadcastChannelPrototypeUnref(channel);
}
