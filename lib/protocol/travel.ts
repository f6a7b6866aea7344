// How a target crosses to the child that runs it.

/** Where a function is found again. */
export interface Reference {
  /** The URL of the module that exports it. */
  module: string;
  /** The name of the export; undefined for what the text of the module is to tell where it is loaded. */
  exportName: string | undefined;
  /** The function's own text and name, if there was one and not only the name of an export. */
  text: string | undefined;
  name: string;
  /** What became of the module's file since the program began to run. */
  change: string | undefined;
}

/** How a target crosses. */
export type Travel =
  /** The child imports the module and looks for the function there. */
  | { by: "reference"; reference: Reference; name: string; isClass: boolean }
  /** The text stands in the child's main module, which passes it to boot(). */
  | {
    by: "source";
    name: string;
    isClass: boolean;
    scope: Scope;
    /** Why it doesn't travel by reference; undefined where that was not wanted. */
    notByReference: string | undefined;
  };

/** What names in a function by source stand for: see lib/target/source.ts. */
export interface Scope {
  /** The names that this package exports, by the name they have in the function; "*" is all of them. */
  readonly names: Readonly<Record<string, string>>;
  /** The names that mean something the child doesn't have, though it has something of that name. */
  readonly dead: readonly string[];
  /** Whether the text of the function's module told that. */
  readonly isKnown: boolean;
}
