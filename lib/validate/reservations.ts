// Resizable buffers and growing shared memory reserve address space for the most bytes that they may have. Address
// space and the number of pieces of it (65,530 on Linux) are the program's, and when either is used up V8 ends the
// program. So a sealed process has a share of both.

import * as primordials from "../platform/primordials.ts";

const { ArrayBuffer, FinalizationRegistry, RangeError, Reflect } = primordials;
const { register } = FinalizationRegistry.prototype;

/** The most reservations that a sealed process has at a time, and the most bytes of all of them. */
export const MAX_RESERVATIONS = 256, MAX_RESERVED_BYTES = 2 ** 38;

let released: FinalizationRegistry<number> | undefined;
let count = 0, bytes = 0;

/** From now on reservations are limited. */
export function limitReservations(): void {
  released ??= new FinalizationRegistry<number>((most) => {
    count--;
    bytes -= most;
  });
}

/**
 * Makes a buffer that reserves `most` bytes.
 *
 * @throws {RangeError} if this process may have no more of them
 */
export function reserve<B extends object>(most: number, make: () => B): B {
  if (released === undefined) return make();
  if (count >= MAX_RESERVATIONS || bytes + most > MAX_RESERVED_BYTES) {
    throw new RangeError(
      `A sealed process has at most ${MAX_RESERVATIONS} resizable buffers, queues and growing shared memories, of ` +
        `2 ** 38 bytes at most together: they reserve address space of the whole program. This one would be more. ` +
        "Use those there are, or buffers of a fixed length.",
    );
  }
  const made = make();
  count++;
  bytes += most;
  Reflect.apply(register, released, [made, most]);
  return made;
}

/** Makes a buffer that can change its size. */
export function newResizable(size: number, maxByteLength: number): ArrayBuffer {
  noteResizable();
  return reserve(maxByteLength, () => new ArrayBuffer(size, { maxByteLength }));
}

/** Notes that this process has a buffer that can change its size, and so can clone it. */
export function noteResizable(): void {
  hasOne = true;
}

let hasOne = false;

/** Whether this process may have a buffer that can change its size. */
export function hasResizable(): boolean {
  return hasOne;
}
