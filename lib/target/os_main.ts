// The main module of a process of the operating system, as the last argument of Deno. The text of a target by
// source isn't in it, because an argument has at most 128 KiB: the target comes with the start of the process.

import type { BundleParts } from "../protocol/bundle_parts.ts";
import type { Travel } from "../protocol/travel.ts";
import { bundleFiles, bundleParts } from "./bundle.ts";
import { childModule } from "./child_module.ts";
import { asExpression, bodyOf, type SourceText } from "./source.ts";
import { dataUrl, plan, type Target } from "./target.ts";
import type { Grants } from "../protocol/grants.ts";
import * as primordials from "../platform/primordials.ts";

const { JSON, TypeError, URL } = primordials;

/** How a target gets to a process of the operating system. */
export interface OsPlan {
  travel: Travel;
  /** The URL of the main module. */
  main: string;
  /** The target, if it travels by source. */
  source: SourceText | undefined;
  /** The URLs of this package's text, if the process can't load it from files and must be sent it. */
  texts: BundleParts | undefined;
  /** The URLs of this package's text, for the process; empty if it is sent the text. */
  parts: BundleParts;
}

/**
 * Plans how a target gets to a process of the operating system.
 *
 * @throws what plan() throws
 */
export function planOs(target: Target, grants: Grants, hasObjects: boolean): OsPlan {
  const { travel } = plan(target, {
    ...{ grants, hasObjects },
    ...{ isSandboxedThread: false, isStarterSealed: false },
  });
  const files = bundleFiles();
  if (travel.by === "reference") {
    const module = new URL("./os_process.ts", childModule()).href;
    return {
      ...{ travel, source: undefined, texts: undefined },
      parts: files ?? { core: "", whole: "" },
      main: dataUrl(byReference(module, travel.reference.module)),
    };
  }
  const { code } = target;
  if (typeof code === "string") throw new TypeError("A name can't travel by source.");
  return {
    ...{
      travel,
      source: { body: bodyOf(asExpression(code), travel.scope), names: travel.scope.names },
    },
    texts: files === undefined ? bundleParts() : undefined,
    parts: files ?? { core: "", whole: "" },
    main: dataUrl(files === undefined ? fromTexts(bundleParts().core) : fromFile(files.whole)),
  };
}

function fromFile(whole: string): string {
  return `import * as runtime from ${JSON.stringify(whole)};
runtime.multiprocessing$os.bootBySource(runtime);`;
}

/** Loads this package from two texts that the keeper sends: the first is `core`, and the second imports it. */
function fromTexts(core: string): string {
  return `import { readSync } from "node:fs";
const read = (length) => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = readSync(0, bytes, at, length - at, null);
    if (count === 0) Deno.exit(1);
    at += count;
  }
  return bytes;
};
const text = () => {
  const [length] = new Uint32Array(read(5).buffer.slice(0, 4));
  return new TextDecoder().decode(read(length));
};
const load = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
const core = load(text());
const whole = load(text().replaceAll(${
    JSON.stringify(JSON.stringify(core))
  }, () => JSON.stringify(core)));
const runtime = await import(whole);
runtime.multiprocessing$os.bootBySource(runtime, { core, whole });`;
}

/** Modules with a literal specifier are loaded with no right to read, and before any of them is evaluated. */
function byReference(os: string, module: string): string {
  const seal = `import { modulesAreThere } from ${JSON.stringify(os)};
modulesAreThere();`;
  const target = `import ${JSON.stringify(dataUrl(seal))};
export * as target from ${JSON.stringify(module)};`;
  return `import { bootByReference } from ${JSON.stringify(os)};
bootByReference(async () => (await import(${JSON.stringify(dataUrl(target))})).target);`;
}
