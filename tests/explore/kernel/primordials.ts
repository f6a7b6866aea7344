// What lib/platform/primordials.ts exports, for the code under test: the models of a process where there
// are models, and the originals otherwise. A method that was taken from the prototype of a class which has
// a model calls the method of the model.

import * as originalEvents from "../../../lib/platform/events.ts";
import * as originals from "../../../lib/platform/primordials.ts";
import type { AbortController, AbortSignal } from "./aborting.ts";
import { ModelError } from "./signals.ts";

/** Nothing is collected in a run. */
export class WeakRef {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  deref(): unknown {
    return this.#value;
  }
}

/** As nothing is collected, it has nothing to do; but it counts, so that unregister() answers truly. */
export class FinalizationRegistry {
  readonly #tokens = new WeakMap<WeakKey, number>();

  register(_target: unknown, _held: unknown, token?: WeakKey): void {
    if (token !== undefined) this.#tokens.set(token, 1);
  }

  unregister(token: WeakKey): boolean {
    return this.#tokens.delete(token);
  }
}

type Models = Record<string, unknown>;
// deno-lint-ignore no-explicit-any
type Function = (...args: any[]) => unknown;

/** What lib/platform/events.ts exports, for the models. */
const EVENTS: Record<
  Exclude<keyof typeof originalEvents, `${string}Prototype${string}`>,
  Function
> = {
  isAborted: (signal: AbortSignal) => signal.aborted,
  abortReason: (signal: AbortSignal) => signal.reason,
  signalOfController: (controller: AbortController) => controller.signal,
  throwIfAborted: (signal: AbortSignal) => signal.throwIfAborted(),
  addAbortListener: (signal: AbortSignal, listener: () => unknown) =>
    signal.addEventListener("abort", listener),
  removeAbortListener: (signal: AbortSignal, listener: () => unknown) =>
    signal.removeEventListener("abort", listener),
};

/** Names that stand for something else of the language. */
const SAME: Models = {
  ToObject: Object,
  captureStackTrace: Error.captureStackTrace,
  SafeMap: Map,
  SafeSet: Set,
};

/** What is exported under a name; the models of a process by the names of globals. */
export function primordialOf(name: string, models: Models): unknown {
  if (Object.hasOwn(models, name)) return models[name];
  if (Object.hasOwn(EVENTS, name)) return (EVENTS as Models)[name];
  if (Object.hasOwn(SAME, name)) return SAME[name];
  const method = methodOfModel(name, models);
  if (method !== undefined) return method;
  if (name in globalThis) return (globalThis as Models)[name];
  // Most calls of methods are methods again: see transform/source.ts.
  if (Object.hasOwn(originals, name)) return (originals as Models)[name];
  throw new ModelError(`There is no model of the primordial ${name}.`);
}

/** WeakRefPrototypeDeref, or MessagePortPrototypeGetOnmessage, of a class that has a model. */
function methodOfModel(name: string, models: Models): Function | undefined {
  const [, owner, key] = /^([A-Z]\w*?)Prototype([A-Z]\w*)$/.exec(name) ?? [];
  if (owner === undefined || !Object.hasOwn(models, owner)) return undefined;
  const { prototype } = models[owner] as { prototype: object };
  const lower = (text: string) => text[0].toLowerCase() + text.slice(1);
  if (lower(key) in prototype) {
    const called = lower(key);
    return (self: Record<string, Function>, ...args) => self[called](...args);
  }
  const [, kind, property] = /^([GS]et)([A-Z]\w*)$/.exec(key) ?? [];
  if (property !== undefined && kind === "Get") {
    return (self: Models) => self[lower(property)];
  }
  throw new ModelError(`The model of ${owner} has nothing for ${name}.`);
}
