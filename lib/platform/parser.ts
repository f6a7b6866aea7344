// V8's parser for modules, as far as a program can ask it: whether a text is a module without an early
// error, and what it imports. Nothing is linked, nor run.
//
// Deno 2.9.4 to 2.9.6: node:vm has SourceTextModule, without a flag or a permission.

import vm from "node:vm";

/** What of node:vm's class is used here. */
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

/** The specifiers of the static imports of a module, and of its exports from others. */
export function importsOf(text: string): readonly string[] {
  try {
    return new SourceTextModule(text).dependencySpecifiers;
  } catch {
    return [];
  }
}
