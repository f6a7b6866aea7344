// Functions of a module of the kind that may hold JSX.

const made = (name: string) => (): string => name;

/** Knows the name it was made with. */
export const named: () => string = made("local");
