// What every object of this room consists of: some words of shared memory, and the roster that says
// who is alive of those whose tokens are written there.

import type { Parcel } from "../memory/crossing.ts";
import { ownRef, ownRoster, placeIn, type Roster } from "../memory/roster.ts";

/** What crosses to another process. */
interface SharedContent {
  words: SharedArrayBuffer;
  roster: SharedArrayBuffer;
}

/** Words in shared memory, and who this process is to those who share them. */
export interface Shared {
  readonly words: Int32Array;
  readonly roster: Roster;
  /** This process, as a word. */
  readonly token: number;
}

/** New shared memory of so many words. */
export function newShared(count: number): Shared {
  const roster = ownRoster();
  const words = new Int32Array(new SharedArrayBuffer(count * 4));
  return { words, roster, token: roster.token(ownRef()) };
}

/** What is handed over. */
export function parcelOf(kind: string, { words, roster }: Shared): Parcel {
  const content: SharedContent = {
    words: words.buffer as SharedArrayBuffer,
    roster: roster.shares,
  };
  return { kind, content };
}

/** The same in another process. */
export function arrivedShared(content: unknown): Shared {
  const { words, roster } = content as SharedContent;
  const place = placeIn(roster);
  if (place === undefined) {
    throw new TypeError("It has arrived from a program this worker knows nothing of.");
  }
  return {
    words: new Int32Array(words),
    roster: place.roster,
    token: place.roster.token(place.self),
  };
}

/** Ends the sentence "args[0] is a Lock, which …". */
export const handedOverOnly: string = "is handed over, not copied. Give it to a process in args, " +
  "or send it through a pipe, at any depth of plain objects, arrays, Maps and Sets";
