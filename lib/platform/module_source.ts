// Modules that run a text of this library under a URL of the caller's choice. Every module of this isolate that
// imports that URL, by whichever specifier, gets that text.
//
//   load hook         module.registerHooks supplies the text of a module that is imported while the hook is
//                     registered. The module stays under its URL when the hook is gone, and Deno never runs the
//                     file there.
//   graph             Deno reads the module at the URL of a dynamic import and its imports, 40 µs a file, although
//                     it runs none of them. Modules that a supplied text imports statically it doesn't read.

import module from "node:module";
import * as primordials from "./primordials.ts";

const { each, JSON, Object } = primordials;

interface Hooks {
  load(url: string, context: object, next: (url: string, context: object) => unknown): unknown;
}

const { registerHooks } = module as unknown as {
  registerHooks?: (hooks: Hooks) => { deregister(): void };
};

/** Stands for a module that imports all others. Deno reads what the URL says, which is nothing. */
const ALL = "data:text/javascript,/*multiprocessing*/";

/**
 * Makes modules of these texts in this isolate.
 *
 * @param texts the texts by the URLs of their modules, none of which may be loaded yet
 */
export async function defineModules(texts: Readonly<Record<string, string>>): Promise<void> {
  let all = "";
  for (const url of each(Object.keys(texts))) all += `import ${JSON.stringify(url)};`;
  const sources: Record<string, string> = { ...texts, [ALL]: all };
  const hooks = registerHooks!({
    load(url, context, next) {
      return Object.hasOwn(sources, url)
        ? { source: sources[url], format: "module", shortCircuit: true }
        : next(url, context);
    },
  });
  try {
    await import(ALL);
  } finally {
    hooks.deregister();
  }
}
