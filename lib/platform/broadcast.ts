// BroadcastChannel: behaviour beyond the documentation.
//
//   drops             All channels of a program share one buffer of 256 messages. A listener that falls behind
//                     silently loses the messages that were overwritten.
//   heard by all      Every worker of the program, sandboxes included, can open and use every channel. Each
//                     message wakes every isolate that has any channel open.
//   ref, unref        The class of node:worker_threads has both; an open channel keeps its isolate alive
//                     unless it is unref'd.
//   last channel      Closing the last channel of an isolate and opening another in the same turn of the
//                     event loop breaks both, so a channel is never closed.
//   unreadable        A message that can't be read, such as one that is nested too deep for the reader's stack,
//                     stops all channels of the isolate for good, and is an unhandled rejection there.

import { BroadcastChannel } from "node:worker_threads";
import * as primordials from "./primordials.ts";

const { RegExpPrototypeTest, String, ToObject, uncurry } = primordials;

const { ref, unref, postMessage } = BroadcastChannel.prototype;

/** The methods of a channel, as they were at the start. */
export const BroadcastChannelPrototypeRef = uncurry<BroadcastChannel, [], unknown>(ref),
  BroadcastChannelPrototypeUnref = uncurry<BroadcastChannel, [], unknown>(unref),
  BroadcastChannelPrototypePostMessage = uncurry<BroadcastChannel, [unknown], void>(postMessage);

/** The stack of that rejection; no other has one like it. */
const FAILED_READING =
  /^[^\n]*could not deserialize[^\n]*(\n +at .*\(ext:[^\n]*broadcast_channel[^\n]*)+$/;

/** Whether an unhandled rejection shows that the channels of this isolate get no more messages. */
export function isReadingFailure(reason: unknown): boolean {
  return RegExpPrototypeTest(FAILED_READING, String(ToObject(reason).stack));
}
