/** A function that a target by reference imports. */
export const helper = (n: number): number => n + 1;
