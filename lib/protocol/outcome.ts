// The outcome of a target, on its way to the starter: by port, as a message, because a result may hold objects
// that are handed over; or as bytes in shared memory (result_buffer.ts).

import type { MessagePort } from "node:worker_threads";
import { withoutKill } from "../liveness/critical_section.ts";
import type { Ref } from "../liveness/process_table.ts";
import {
  commit,
  packMessage,
  post,
  postAlone,
  receivePosted,
  unpackMessage,
} from "../transfer/message.ts";
import { describeFailure, type Failure, withoutLeaves } from "../transfer/remote_error.ts";
import type { Outcome } from "./messages.ts";

/** The outcome of a target: what it returned, or why it returned nothing. */
export type Result = { value: unknown } | { failure: Failure };

/** Sends the outcome of a target to its starter. Throws for values that can't cross. */
export interface Reply {
  returned(value: unknown): void;
  /** Returns the failure that was sent. */
  threw(thrown: unknown): Failure;
}

/** A reply by port, to a starter with the same rights. */
export function replyTo(port: MessagePort, starter: Ref): Reply {
  return {
    returned(value) {
      const packed = packMessage(value, "result");
      post(port, { type: "returned", message: packed.message } satisfies Outcome, packed, "result");
      withoutKill(() => commit(packed, starter, "returned as the result of this process"));
    },
    threw(thrown) {
      const say = (failure: Failure) => {
        postAlone(port, { type: "threw", failure } satisfies Outcome);
        return failure;
      };
      const failure = describeFailure(thrown);
      try {
        return say(failure);
      } catch {
        // The error holds a platform object that can't be posted.
        return say(withoutLeaves(failure));
      }
    },
  };
}

/** The outcome that has come by port; undefined if none has. */
export function receive(port: MessagePort): Result | undefined {
  const outcome = receivePosted(port) as Outcome | undefined;
  if (outcome === undefined) return undefined;
  if (outcome.type === "threw") return { failure: outcome.failure };
  return { value: unpackMessage(outcome.message) };
}
