// How console.log and Deno.inspect print the objects of this package: with their state, as Python's repr
// does. Printing only reads the state: it never waits, never throws and never changes anything, whatever
// the state of the object.

import * as primordials from "./platform/primordials.ts";

const { Error } = primordials;

/** The method by which Deno prints an object. */
export const customInspect: unique symbol = Symbol.for("Deno.customInspect");

/** The inspect() function that Deno passes to that method, together with the options in force. */
export type Inspect = (value: unknown, options?: Deno.InspectOptions) => string;

/** A class and its name: in a bundled text the class may have another one. */
export type NamedClass = readonly [name: string, itself: unknown];

/**
 * Prints an object: its class and its state.
 *
 * @param namedClass the class of the object; an object of a subclass is printed with the subclass's own name
 * @param state returns the state to show; where it throws, the error's message is shown instead
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
