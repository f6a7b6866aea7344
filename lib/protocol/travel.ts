// How a target crosses to the child that runs it.

/** The place where a function is found again. */
export interface Reference {
  /** The URL of the module that exports it. */
  module: string;
  /** The name of the export; undefined where the child is to find it in the text of the module. */
  exportName: string | undefined;
  /** The function's own text and name. The text is undefined if only the name of an export was given. */
  text: string | undefined;
  name: string;
  /** A sentence that says how the module's file has changed since the program began to run; undefined if it hasn't. */
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
    /** Why the target doesn't travel by reference; undefined where that was not wanted. */
    notByReference: string | undefined;
  };

/** The meanings of the names in a function by source: see lib/target/source.ts. */
export interface Scope {
  /** The exports of this package that the function uses, by the names they have in the function; "*" is all of them. */
  readonly names: Readonly<Record<string, string>>;
  /** The names whose meaning the child doesn't have, although the child has something else of that name. */
  readonly dead: readonly string[];
  /** Whether this was found in the text of the function's module. */
  readonly isKnown: boolean;
}
