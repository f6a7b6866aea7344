/** The most calls of a process that may be under way, and the most bytes that these have sent. */
export const MAX_CALLS = 10_000, MAX_CALL_BYTES = 2 ** 26;
