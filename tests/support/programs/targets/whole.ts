// Exports another module as a whole.

export * as part from "./part.ts";
