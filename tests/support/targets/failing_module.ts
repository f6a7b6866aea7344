// A module that throws as it is imported.

throw new Error("no module");

export function nothing(): void {}
