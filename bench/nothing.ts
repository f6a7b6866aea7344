// The empty process of process_bench.ts, alone in its module: nothing else is measured with it.

export function nothing(): void {}

/** This module, for processes to find its export in. */
export const here: string = import.meta.url;
