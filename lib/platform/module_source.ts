// Modules that run a text of this library under a URL of the caller's choice. Every module of this isolate that
// imports that URL, by whichever specifier, gets that text.
//
//   load hook         module.registerHooks supplies the text of a module that is imported while the hook is
//                     registered. The module stays under its URL when the hook is gone, and Deno never runs the
//                     file there.
//   graph             Deno still reads the module at the URL and its imports, without running them: 40 µs a
//                     file.

import module from "node:module";
import * as primordials from "./primordials.ts";

const { each, Object } = primordials;

interface Hooks {
  load(url: string, context: object, next: (url: string, context: object) => unknown): unknown;
}

const { registerHooks } = module as unknown as {
  registerHooks?: (hooks: Hooks) => { deregister(): void };
};

/**
 * Makes modules of these texts in this isolate.
 *
 * @param texts the texts by the URLs of their modules, none of which may be loaded yet
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
