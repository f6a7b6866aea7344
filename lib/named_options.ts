// Options have names here, where Python's arguments mostly have places: `get(0.1)` would wait for ever, and so
// would `get({ timeOut: 100 })`. So what is no option is refused.

import { describe } from "./describe.ts";
import * as primordials from "./platform/primordials.ts";

const {
  Array,
  ArrayPrototypeAt,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypeSlice,
  Object,
  TypeError,
} = primordials;

/**
 * Checks that the options are an object with none but these names.
 *
 * @param more names that not every call of this kind has
 * @param example a call with options as they should be
 * @throws {TypeError} if they are not
 */
export function checkNames(
  options: unknown,
  names: readonly string[],
  example: string,
  more: readonly string[] = [],
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `The options are ${describe(options)}. Give an object, as in ${example}.`,
    );
  }
  const given = Object.keys(options);
  for (let i = 0; i < given.length; i++) {
    const name = given[i];
    if (ArrayPrototypeIncludes(names, name) || ArrayPrototypeIncludes(more, name)) continue;
    const all = names.length === 1 ? `The only one is ${names[0]}` : `There are ${list(names)}`;
    throw new TypeError(`${name} is no option here. ${all}, as in ${example}.`);
  }
}

function list(names: readonly string[]): string {
  return `${ArrayPrototypeJoin(ArrayPrototypeSlice(names, 0, -1), ", ")} and ${
    ArrayPrototypeAt(names, -1)
  }`;
}
