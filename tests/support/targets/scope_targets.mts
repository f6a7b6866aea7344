// Functions of a module whose name ends otherwise.

const made = (name: string) => (): string => name;

/** Knows the name it was made with. */
export const named: () => string = made("local");
