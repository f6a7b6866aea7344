// Abort signals and events, by the methods that they had when this module was loaded: the counterpart of
// methods.ts, which does this for the language's own objects.
//
// Deno looks for a `signal` in the options of a listener, and finds one that was added to Object.prototype.

import { withoutAdded } from "./added.ts";
import { uncurry, uncurryGetter } from "./methods.ts";

const { getOwnPropertyDescriptor, prototype } = globalThis.Object;

const signal = globalThis.AbortSignal.prototype, controller = globalThis.AbortController.prototype;

const addEventListener = uncurry<
    EventTarget,
    [string, (event: Event) => void],
    void
  >(signal.addEventListener),
  removeEventListener = uncurry<EventTarget, [string, (event: Event) => void], void>(
    signal.removeEventListener,
  );

/** Whether a signal was aborted. */
export const isAborted = uncurryGetter<AbortSignal, boolean>(
  getOwnPropertyDescriptor(signal, "aborted")!.get!,
);

/** Why a signal was aborted. */
export const abortReason = uncurryGetter<AbortSignal, unknown>(
  getOwnPropertyDescriptor(signal, "reason")!.get!,
);

/** The signal of a controller. */
export const signalOfController = uncurryGetter<AbortController, AbortSignal>(
  getOwnPropertyDescriptor(controller, "signal")!.get!,
);

/** Aborts the signal of a controller. */
export const AbortControllerPrototypeAbort = uncurry<AbortController, [unknown], void>(
  controller.abort,
);

/** Throws the reason of a signal that was aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (isAborted(signal)) throw abortReason(signal);
}

/** Has `listener` called when the signal is aborted. */
export function addAbortListener(signal: AbortSignal, listener: () => void): void {
  if ("signal" in prototype) withoutAdded(() => addEventListener(signal, "abort", listener));
  else addEventListener(signal, "abort", listener);
}

/** Removes a listener that addAbortListener() has added. */
export function removeAbortListener(signal: AbortSignal, listener: () => void): void {
  removeEventListener(signal, "abort", listener);
}

const { preventDefault, stopImmediatePropagation } = globalThis.Event.prototype;
export const EventPrototypePreventDefault = uncurry<Event, [], void>(preventDefault),
  EventPrototypeStopImmediatePropagation = uncurry<Event, [], void>(stopImmediatePropagation);
