// Modules that run a text of this library's under a URL of their own: whatever imports that URL in this isolate, by
// whichever specifier, gets them.
//
//   load hook         module.registerHooks gives the text of a module that is imported while the hook is registered;
//                     the module stays under its URL when the hook is gone, and Deno never runs the file there.
//   graph             Deno still reads the module at the URL and what it imports, without running it: 40 µs a file.

import module from "node:module";
import * as primordials from "./primordials.ts";

const { each, Object } = primordials;

interface Hooks {
  load(url: string, context: object, next: (url: string, context: object) => unknown): unknown;
}

const { registerHooks } = module as unknown as {
  registerHooks?: (hooks: Hooks) => { deregister(): void };
};

/** Whether this Deno can do that. */
export const canDefineModules: boolean = registerHooks !== undefined;

/**
 * Has modules run these texts in this isolate.
 *
 * @param texts by the URLs of the modules, none of which is loaded yet
 */
export async function defineModules(texts: Readonly<Record<string, string>>): Promise<void> {
  const hooks = registerHooks!({
    load(url, context, next) {
      return Object.hasOwn(texts, url)
        ? { source: texts[url], format: "module", shortCircuit: true }
        : next(url, context);
    },
  });
  try {
    for (const url of each(Object.keys(texts))) await import(url);
  } finally {
    hooks.deregister();
  }
}
