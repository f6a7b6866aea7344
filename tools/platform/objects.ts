// Object URLs, what Deno marks objects with, how V8 and Deno word errors.

import { type Assumption, eventually, moduleOf, sandbox, thread, words } from "./assumption.ts";
import { ownRuntime } from "../../lib/platform/requirements.ts";
import { isObjectUrl, newObjectUrl } from "../../lib/platform/object_urls.ts";

const URLS = "lib/platform/object_urls.ts";
const REFUSALS = "lib/memory/codec/refusals.ts";

function symbolsOf(object: object): string[] {
  return Object.getOwnPropertySymbols(object).map(({ description }) => `${description}`);
}

export const objects: Assumption[] = [
  {
    claim: "The runtime has what this package asks for before anything else",
    places: ["lib/platform/requirements.ts"],
    kind: "need",
    expected: ["nothing is missing"],
    observe: () => {
      const { missing } = ownRuntime();
      return missing.length === 0 ? "nothing is missing" : `${missing} missing`;
    },
  },
  {
    claim:
      "A module at a blob: URL can be imported in every isolate, in the main module of a sandbox too",
    places: [URLS, "lib/process/runtime.ts"],
    kind: "need",
    expected: ["thread 5, sandbox 5"],
    observe: async () => {
      const url = JSON.stringify(newObjectUrl("export const five = 5;"));
      const seen = words();
      await thread(`data[0] = (await import(${url})).five;`, seen);
      await eventually(() => seen[0] !== 0);
      const [, there] = await sandbox(`import { five } from ${url}; postMessage(five);`);
      return `thread ${seen[0]}, sandbox ${there}`;
    },
  },
  {
    claim: "Any isolate can revoke a blob: URL, and resolveObjectURL tells",
    places: [URLS, "lib/process/lockdown.ts"],
    kind: "need",
    expected: ["true, then false"],
    observe: async () => {
      const url = newObjectUrl("");
      const before = isObjectUrl(url);
      await sandbox(`URL.revokeObjectURL(${JSON.stringify(url)}); postMessage(1);`);
      return `${before}, then ${isObjectUrl(url)}`;
    },
  },
  {
    claim: "Deno marks what it clones by itself with a symbol Deno.core.hostObject",
    places: [REFUSALS, "lib/process/failure.ts"],
    kind: "need",
    expected: ["DOMException, MessagePort, CryptoKey"],
    observe: async () => {
      const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, [
        "sign",
      ]);
      const marked = [new DOMException(), new MessageChannel().port1, key].filter((object) =>
        symbolsOf(object).includes("Deno.core.hostObject")
      );
      return marked.map((object) => Object.prototype.toString.call(object).slice(8, -1)).join(", ");
    },
  },
  {
    claim: "Each class of Deno's own has a method named by the symbol Deno.privateCustomInspect",
    places: [REFUSALS],
    kind: "need",
    expected: ["URL, Headers, Response, AbortSignal, URLSearchParams"],
    observe: () => {
      const key = Symbol.for("Deno.privateCustomInspect");
      const all = [
        new URL("data:,"),
        new Headers(),
        new Response(),
        AbortSignal.abort(),
        new URLSearchParams(),
      ];
      return all.filter((object) => key in object).map((object) => object.constructor.name).join(
        ", ",
      );
    },
  },
  {
    claim: "structuredClone makes an empty object of a URL inside of something, silently",
    places: [REFUSALS],
    kind: "quirk",
    expected: ["{}"],
    observe: () => {
      try {
        return Deno.inspect(structuredClone([new URL("data:,")])[0]);
      } catch (error) {
        return `${error}`.split("\n")[0];
      }
    },
  },
  {
    claim: "structuredClone keeps name, message and stack of an error and a DOMException",
    places: ["lib/memory/codec/encode.ts", "lib/memory/codec/decode.ts"],
    kind: "need",
    expected: ["RangeError: a, stack; AbortError: b, stack"],
    observe: () =>
      [new RangeError("a"), new DOMException("b", "AbortError")].map((error) => {
        const clone = structuredClone(error);
        return `${clone.name}: ${clone.message}, ${
          clone.stack === error.stack ? "stack" : "other stack"
        }`;
      }).join("; "),
  },
  {
    claim: "Error.prepareStackTrace gets call sites, with the whole URL of a module",
    places: ["lib/process/target.ts", "lib/wait/caller.ts"],
    kind: "need",
    expected: ["whole"],
    observe: async () => {
      const long = `data:text/javascript,${
        encodeURIComponent(`// ${"x".repeat(500)}
        Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getScriptNameOrSourceURL());
        export const urls = {};
        Error.captureStackTrace(urls);`)
      }`;
      const { urls } = await import(long);
      return urls.stack[0] === long ? "whole" : `${urls.stack[0]}`;
    },
  },
  {
    claim: 'A function by source that uses a name from outside of it gets "X is not defined"',
    places: ["lib/process/explain.ts"],
    kind: "need",
    expected: ["ReferenceError: outside is not defined"],
    observe: () => {
      try {
        return `${new Function("return outside")()}`;
      } catch (error) {
        return `${error}`;
      }
    },
  },
  {
    claim:
      "An import of a relative path or a bare name from a data: module is refused in words that are known",
    places: ["lib/process/explain.ts"],
    kind: "need",
    expected: ["relative: known, bare: known"],
    observe: async () => {
      const known = /^invalid URL: relative URL|^(?:Import|Relative import path) "([^"]*)" not /;
      const seen: string[] = [];
      for (const [kind, specifier] of [["relative", "./a.ts"], ["bare", "some-package"]]) {
        const module = moduleOf(`export const tried = import(${JSON.stringify(specifier)} + "")
          .catch((error) => error.name + ": " + error.message);`);
        const message: string = await (await import(module.href)).tried;
        seen.push(`${kind}: ${known.test(message.replace("TypeError: ", "")) ? "known" : message}`);
      }
      return seen.join(", ");
    },
  },
];
