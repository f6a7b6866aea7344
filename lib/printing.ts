// How the objects of this package are printed, by console.log and Deno.inspect: with their state, as
// Python's repr has it. The state is only looked at: printing never waits, never throws and never
// changes anything, whatever has become of the object.

import * as primordials from "./platform/primordials.ts";

const { Error } = primordials;

/** The method by which Deno prints an object. */
export const customInspect: unique symbol = Symbol.for("Deno.customInspect");

/** What Deno passes to that method: its inspect(), and the options that are in force. */
export type Inspect = (value: unknown, options?: Deno.InspectOptions) => string;

/** A class, and what it is called: in a bundled text it may have another name. */
export type NamedClass = readonly [name: string, itself: unknown];

/**
 * Prints an object: its class and its state.
 *
 * @param namedClass its class, unless it is of a subclass, which has a name of its own
 * @param state what is shown; where looking at it throws, that is shown instead
 */
export function print(
  object: object,
  namedClass: NamedClass,
  state: () => object,
  inspect: Inspect,
  options: Deno.InspectOptions,
): string {
  return `${nameOf(object, namedClass)} ${inspect(shown(state), options)}`;
}

function nameOf(object: object, { 0: name, 1: itself }: NamedClass): string {
  try {
    const { constructor } = object;
    if (constructor === itself) return name;
    return typeof constructor?.name === "string" && constructor.name || name;
  } catch {
    return name;
  }
}

function shown(state: () => object): object {
  try {
    return state();
  } catch (error) {
    // Shared memory that a hostile process has written to may hold anything.
    return { damaged: error instanceof Error ? error.message : true };
  }
}
