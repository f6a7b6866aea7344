// The broadcast: the one BroadcastChannel on which an isolate hears what concerns all isolates. A room says
// by onAnnouncement() which announcements it understands; this file carries all and knows none.
//
// Nothing of value travels here, because a BroadcastChannel silently drops what a slow listener has not
// fetched, wakes every isolate for every message and can be read by any worker: a lost announcement costs
// a moment, a forged one costs a look.
//
// While something waits, the channel is ref'd, and so keeps the event loop alive (a pending
// Atomics.waitAsync does not); else the channel is unref'd. Only the class of node:worker_threads has
// that. The channel is opened at the first need and never closed (see platform/broadcast.ts).
//
// A message that can't be read breaks the channel: the isolate hears nothing from then on, and its waiters
// try again by themselves, more often than others.

import { BroadcastChannel } from "node:worker_threads";
import { ownControl } from "../liveness/control_block.ts";
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
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  console,
  EventPrototypePreventDefault,
  EventPrototypeStopImmediatePropagation,
  SafeMap,
  ToObject,
} = primordials;

/** The name of the channel; its number is bumped when the announcements or the layout of shared memory change. */
const NAME = "@multiproc/multiprocessing/1";

/** A message on the channel: a type, and the data of that type. */
export interface Announcement {
  readonly type: string;
}

/** The most nested calls that Deno makes to open a channel. */
const STACK_NEEDED = 1000;

/** The handlers, by type of announcement. What they receive may come from any worker, and be anything. */
const handlers = new SafeMap<unknown, (announced: object) => void>();
/** The handlers called when the channel breaks, and the consequences that the message lists. */
const whenBroken: (() => void)[] = [];
const consequences: string[] = [];
let channel: BroadcastChannel | undefined;
let holds = 0;

/**
 * Called once in a sealed process, which shares no channel with others: it hears nothing, and its waiters
 * recheck by themselves.
 */
export function mute(): void {
  isMute = isDeaf = true;
}

let isMute = false;

/** Whether this isolate neither hears nor announces anything: see mute(). */
export function isMuted(): boolean {
  return isMute;
}

/** Opens the broadcast channel, if it isn't open: from now on this isolate hears announcements. */
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
export function isBroken(): boolean {
  return isDeaf;
}

/** Whether an unhandled rejection is that of the channel, which is reported here. */
export function isOfChannel(reason: unknown): boolean {
  return channel !== undefined && isReadingFailure(reason);
}

function notice(event: PromiseRejectionEvent): void {
  if (!isOfChannel(event.reason)) return;
  EventPrototypePreventDefault(event);
  // In a child, the handler of uncaught errors has had the event before, and goes by this call.
  event.preventDefault();
  EventPrototypeStopImmediatePropagation(event);
  isDeaf = true;
  console.error(
    "@multiproc/multiprocessing: a message that can't be read has come by a BroadcastChannel, and Deno " +
      `reads no more of them in this process. It goes on${but(consequences)}.`,
  );
  for (let i = 0; i < whenBroken.length; i++) whenBroken[i]();
}

function but(consequences: readonly string[]): string {
  return consequences.length === 0 ? "" : `, but ${ArrayPrototypeJoin(consequences, ", and ")}`;
}

/** A message may come from any worker; a message that isn't an announcement is ignored. */
function hear(message: unknown): void {
  // A process that has taken its last step, or was killed, may still hear for a millisecond.
  if (ownControl().isOver()) return;
  const announced = ToObject(message) as Partial<Announcement>;
  handlers.get(announced.type)?.(announced);
}

/** Sets the handler for announcements of a type: each type has one. */
export function onAnnouncement<T extends Announcement>(
  type: T["type"],
  handler: (announced: Partial<T>) => void,
): void {
  handlers.set(type, handler);
}

/** Adds a handler that is called when the channel breaks. */
export function onBroken(handler: () => void): void {
  ArrayPrototypePush(whenBroken, handler);
}

/** Adds what a broken channel means for the user: completes "It goes on, but …". */
export function addConsequence(consequence: string): void {
  ArrayPrototypePush(consequences, consequence);
}

/** Sends an announcement to every other isolate that listens, not to this one. */
export function announce(message: Announcement): void {
  const heard = listen();
  if (heard !== undefined) BroadcastChannelPrototypePostMessage(heard, message);
}

/** Keeps this isolate alive until the matching letExit(). */
export function keepAlive(): void {
  // Without a broadcast channel there is nothing to hold.
  if (holds++ > 0) return;
  const heard = listen();
  if (heard !== undefined) BroadcastChannelPrototypeRef(heard);
}

/** Ends what keepAlive() began. */
export function letExit(): void {
  if (--holds === 0 && channel !== undefined) BroadcastChannelPrototypeUnref(channel);
}
