// The weights of objects that take long to make, or reserve memory, compared with the bytes they are sent as. A
// process with permissions of its own may be hostile: the weight of its result may be no larger than the largest
// length of a result. Measured with Deno 2.9.6: a resizable buffer takes 5 microseconds whatever its size, an
// error 5 and a DOMException 13, \p{L} in a regular expression 95 (\p{RGI_Emoji} 4400), and most other values
// less than a tenth of one.

import * as primordials from "../platform/primordials.ts";

const { Math, StringPrototypeCharCodeAt, StringPrototypeIncludes } = primordials;

/** The size of a memory page, in bytes: the system allocates whole pages. */
const PAGE = 4096;

/** The weights of an error and of a DOMException. All weights are in bytes. */
export const ERROR_WEIGHT = 128, DOM_EXCEPTION_WEIGHT = 256;

/** The weight of a resizable buffer. */
export function bufferWeight(maxByteLength: number): number {
  return Math.max(maxByteLength, PAGE);
}

/** "\", "p" and "P". */
const BACKSLASH = 0x5c, LOWER_P = 0x70, UPPER_P = 0x50;
/** The weights of a character of a regular expression with flag u or v, and of a Unicode property with u and with v. */
const CHARACTER_WEIGHT = 32, PROPERTY_WEIGHT = 2 ** 10, SET_PROPERTY_WEIGHT = 2 ** 15;

/** The weight of a regular expression: Unicode properties are large sets. */
export function regexpWeight(source: string, flags: string): number {
  const hasSets = StringPrototypeIncludes(flags, "v");
  if (!hasSets && !StringPrototypeIncludes(flags, "u")) return 0;
  let properties = 0;
  for (let i = 1; i < source.length; i++) {
    const code = StringPrototypeCharCodeAt(source, i);
    if (code !== LOWER_P && code !== UPPER_P) continue;
    if (StringPrototypeCharCodeAt(source, i - 1) === BACKSLASH) properties++;
  }
  return source.length * CHARACTER_WEIGHT +
    properties * (hasSets ? SET_PROPERTY_WEIGHT : PROPERTY_WEIGHT);
}
