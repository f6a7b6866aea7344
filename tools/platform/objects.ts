// Object URLs, the marks that Deno puts on objects, the wording of errors by V8 and Deno.

import {
  type Assumption,
  eventually,
  fileOf,
  moduleOf,
  sandbox,
  thread,
  words,
} from "./assumption.ts";
import {
  undefinedNameIn,
  uninitializedNameIn,
  unresolvedImportIn,
} from "../../lib/platform/error_texts.ts";
import { hostObject, isHostSymbol, isPlatformObject } from "../../lib/platform/host_objects.ts";
import {
  areLoaded,
  loadedText,
  namespaceOf,
  resolveIn,
  transpiled,
} from "../../lib/platform/modules.ts";
import { importsOf, isModule } from "../../lib/platform/parser.ts";
import * as primordials from "../../lib/platform/primordials.ts";
import { ownRuntime } from "../../lib/platform/requirements.ts";
import process from "node:process";
import {
  outsideResources,
  pendingResources,
  processorMilliseconds,
} from "../../lib/platform/resources.ts";
import { meter, tracing } from "../../lib/platform/telemetry.ts";
import { isObjectUrl, newObjectUrl } from "../../lib/platform/object_urls.ts";

const URLS = "lib/platform/object_urls.ts";
const REFUSALS = "lib/codec/uncloneable.ts", OBJECTS = "lib/platform/host_objects.ts";
const MODULES = "lib/platform/modules.ts", TEXTS = "lib/platform/error_texts.ts";

export const objects: Assumption[] = [
  {
    claim: "Deno's OpenTelemetry shows at a symbol whether it is on, with no permission",
    places: ["lib/platform/telemetry.ts"],
    kind: "quirk",
    expected: ["off, and there"],
    observe: () => {
      const isOn = tracing !== undefined || meter !== undefined;
      return `${isOn ? "on" : "off"}, and ${"telemetry" in Deno ? "there" : "not there"}`;
    },
  },
  {
    claim: "Deno's core lists by name what may wake an isolate",
    places: ["lib/platform/resources.ts"],
    kind: "quirk",
    expected: ["one more while there is a listener for signals"],
    observe: () => {
      const before = outsideResources(), listener = () => {};
      Deno.addSignalListener("SIGUSR2", listener);
      const isCounted = outsideResources() === before + 1;
      Deno.removeSignalListener("SIGUSR2", listener);
      return isCounted ? "one more while there is a listener for signals" : `${before}`;
    },
  },
  {
    claim: "An isolate knows its timers and the processor time of its thread, with no permission",
    places: ["lib/platform/resources.ts"],
    kind: "quirk",
    expected: ["a timer, and some time"],
    observe: () => {
      const before = pendingResources(), timer = setTimeout(() => {}, 60_000);
      const isCounted = pendingResources() === before + 1;
      clearTimeout(timer);
      const hasTime = processorMilliseconds() > 0;
      return isCounted && hasTime ? "a timer, and some time" : `${isCounted}, ${hasTime}`;
    },
  },
  {
    claim: "node:console prints to streams that it is given, and is there without an import",
    places: ["lib/child/prefixed_output.ts"],
    kind: "need",
    expected: ["a 1"],
    observe: () => {
      const { Console } = process.getBuiltinModule("node:console");
      let printed = "";
      const ignore = () => {};
      const stream = {
        write: (text: string) => printed += text,
        ...{ on: ignore, once: ignore, removeListener: ignore, listenerCount: () => 0 },
      };
      new Console({ stdout: stream, stderr: stream } as never).log("%s", "a", 1);
      return printed.trim();
    },
  },
  {
    claim: "The runtime has what this package asks for before anything else",
    places: [
      "lib/platform/requirements.ts",
      "lib/platform/primordials.ts",
      "lib/platform/methods.ts",
      "lib/platform/containers.ts",
      "lib/platform/events.ts",
      "lib/platform/added.ts",
    ],
    kind: "need",
    expected: ["nothing is missing"],
    observe: () => {
      const { missing } = ownRuntime();
      for (const [name, value] of Object.entries(primordials)) {
        if (value === undefined) missing.push(name);
      }
      return missing.length === 0 ? "nothing is missing" : `${missing} missing`;
    },
  },
  {
    claim:
      "A module at a blob: URL can be imported in every isolate, in the main module of a sandbox too",
    places: [URLS, "lib/target/bundle.ts"],
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
    places: [URLS, "lib/child/lockdown.ts"],
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
    places: [OBJECTS, REFUSALS, "lib/transfer/remote_error.ts"],
    kind: "need",
    expected: ["DOMException, MessagePort, CryptoKey"],
    observe: async () => {
      const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, [
        "sign",
      ]);
      const marked = [new DOMException(), new MessageChannel().port1, key].filter((object) =>
        hostObject() in object && Object.getOwnPropertySymbols(object).some(isHostSymbol)
      );
      return marked.map((object) => Object.prototype.toString.call(object).slice(8, -1)).join(", ");
    },
  },
  {
    claim: "Each class of Deno's own has a method named by the symbol Deno.privateCustomInspect",
    places: [OBJECTS, REFUSALS],
    kind: "need",
    expected: ["URL, Headers, Response, AbortSignal, URLSearchParams"],
    observe: () => {
      const all = [
        new URL("data:,"),
        new Headers(),
        new Response(),
        AbortSignal.abort(),
        new URLSearchParams(),
      ];
      return all.filter(isPlatformObject).map((object) => object.constructor.name).join(
        ", ",
      );
    },
  },
  {
    claim: "structuredClone makes an empty object of a URL inside of something, silently",
    places: [OBJECTS, REFUSALS],
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
    places: ["lib/codec/encode.ts", "lib/codec/decode.ts"],
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
    places: ["lib/target/callers.ts", "lib/wait/call_site.ts"],
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
    claim: "V8 words the error of a name from outside of a function as is known",
    places: [TEXTS, "lib/target/source_errors.ts"],
    kind: "need",
    expected: ["outside, early"],
    observe: () => {
      const errorOf = (text: string): ReferenceError => {
        try {
          throw new Error(new Function(text)());
        } catch (error) {
          return error as ReferenceError;
        }
      };
      const outside = undefinedNameIn(errorOf("return outside"));
      return `${outside}, ${uninitializedNameIn(errorOf("early; let early"))}`;
    },
  },
  {
    claim: "Deno words the refusal of a relative path or a bare name in a data: module as is known",
    places: [TEXTS, "lib/target/source_errors.ts"],
    kind: "need",
    expected: ['a relative path, "some-package"'],
    observe: async () => {
      const seen: unknown[] = [];
      for (const specifier of ["./a.ts", "some-package"]) {
        const module = moduleOf(`export const tried = import(${JSON.stringify(specifier)} + "")
          .catch((error) => error);`);
        const error: Error = await (await import(module.href)).tried;
        seen.push(unresolvedImportIn(error) ?? error.message);
      }
      return seen.join(", ");
    },
  },
  {
    claim: "node:module tells whether a module is loaded, its text as it runs, and what it exports",
    places: [MODULES, "lib/target/reference.ts", "lib/target/source.ts"],
    kind: "need",
    expected: ["loaded, not loaded; without types; its exports"],
    observe: () => {
      const loaded = fileOf("lib/platform/error_texts.ts"), other = fileOf("lib/no_such_module.ts");
      const text = loadedText(loaded);
      const isTranspiled = text?.includes("function undefinedNameIn(error)");
      const isLoaded = (url: string) => areLoaded([url]) ? "loaded" : "not loaded";
      return [
        `${isLoaded(loaded)}, ${isLoaded(other)}`,
        isTranspiled ? "without types" : `${text?.slice(0, 30)}`,
        namespaceOf(loaded)?.undefinedNameIn === undefinedNameIn ? "its exports" : "other exports",
      ].join("; ");
    },
  },
  {
    claim:
      "A specifier can be resolved in another module, and TypeScript transpiled as modules are",
    places: [MODULES, "lib/target/source.ts"],
    kind: "need",
    expected: ["resolved, transpiled"],
    observe: () => {
      const [url] = resolveIn(fileOf("mod.ts"), ["./local.ts"]);
      const text = transpiled("export const a: number = 1; enum B { C }");
      return [
        url === fileOf("local.ts") ? "resolved" : `${url}`,
        !text.includes("number") && !text.includes("enum") ? "transpiled" : text,
      ].join(", ");
    },
  },
  {
    claim: "node:vm parses a module without linking it, and tells its imports",
    places: ["lib/platform/parser.ts", "lib/target/module_text.ts"],
    kind: "need",
    expected: ["true, false; ./b.ts, ./c.ts"],
    observe: () => {
      const text = 'import a from "./b.ts"; export * from "./c.ts"; export const d = a;';
      return `${isModule(text)}, ${isModule("const a = 1; const a = 2;")}; ${
        importsOf(text).join(", ")
      }`;
    },
  },
];
