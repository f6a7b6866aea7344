// V8's parser for modules, as far as a program can use it: it tells whether a text is a module without an early
// error, and what the module imports. Nothing is linked or run.
//
// Deno 2.9.4 to 2.9.6: node:vm has SourceTextModule, without a flag or a permission.

import vm from "node:vm";

/** The member of node:vm's class that is used here. */
type Parsed = new (text: string) => { dependencySpecifiers: readonly string[] };

const { SourceTextModule } = vm as unknown as { SourceTextModule: Parsed };

/** Whether a text is a module without an early error. */
export function isModule(text: string): boolean {
  try {
    new SourceTextModule(text);
    return true;
  } catch {
    return false;
  }
}

/** The specifiers of the static imports of a module, and of its re-exports. */
export function importsOf(text: string): readonly string[] {
  try {
    return new SourceTextModule(text).dependencySpecifiers;
  } catch {
    return [];
  }
}
