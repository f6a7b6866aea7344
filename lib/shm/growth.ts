// Shared memory that queues and pipes take as they fill. V8 counts no shared memory, so a process with a memory
// limit hears of it here.

/** A structure that takes more memory as it fills. */
export interface Growing {
  /** The bytes that it holds now. */
  heldBytes(): number;
}

let hear: ((growing: Growing, more: number) => void) | undefined;

/** Calls back whenever a structure has grown, or is about to, by so many bytes. Outside of critical sections. */
export function watchGrowth(callback: (growing: Growing, more: number) => void): void {
  hear = callback;
}

/** Tells the process's memory limit, if there is one, that a structure has grown. */
export function noteGrowth(growing: Growing, more: number): void {
  hear?.(growing, more);
}
