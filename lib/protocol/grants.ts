// Permissions in the form in which they cross to other isolates, and how a realm is sealed.

/** The names of Deno's permissions. */
export const PERMISSIONS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

/** The name of one of Deno's permissions. */
export type Name = typeof PERMISSIONS[number];

/** One permission. */
export type Grant = boolean | "inherit" | string[];

/** Explicit permissions; a permission that isn't named is not granted. */
export type Grants = Partial<Record<Name, Grant>>;

/** What one sealed realm has beyond the names that every sealed realm has. */
export interface Sealed {
  /** Names of globals. */
  keep: readonly string[];
}
