// The functions of a pool: each travels to a worker once, and is a number from then on.

import { callers } from "../target/callers.ts";
import { type FunctionTravel, travelOf } from "../target/function_travel.ts";
import { referenceByName } from "../target/reference.ts";
import type { AnyFunction } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** A function that a pool knows. */
export interface Registered {
  readonly id: number;
  readonly name: string;
  readonly travel: FunctionTravel;
}

/** How functions are to be found, as a pool was told. */
export interface FunctionOptions {
  module?: string | URL;
  by?: "reference" | "source";
}

/** The functions that a pool has been given. */
export class FunctionTable {
  readonly #known = new SafeMap<AnyFunction, Registered>();
  readonly #options: FunctionOptions;
  readonly #mayImport: ((module: string) => boolean) | undefined;
  #next = 0;

  /** @param mayImport which modules a worker can import; undefined for all */
  constructor(options: FunctionOptions, mayImport?: (module: string) => boolean) {
    this.#options = options;
    this.#mayImport = mayImport;
  }

  /** The entry of a function. Throws a TypeError if it can't travel. */
  register(code: AnyFunction): Registered {
    const known = this.#known.get(code);
    if (known !== undefined) return known;
    const { module, by } = this.#options;
    const target = {
      module: module === undefined ? undefined : `${module}`,
      callers: callers(),
      by,
    };
    const made = this.add(travelOf(code, target, this.#mayImport), code.name || "anonymous");
    this.#known.set(code, made);
    return made;
  }

  /** The entry of what a module exports by this name. */
  byName(module: string, exportName: string): Registered {
    return this.add(
      { by: "reference", reference: referenceByName(exportName, module) },
      exportName,
    );
  }

  /** The entry of a function that only another process has. */
  add(travel: FunctionTravel, name: string): Registered {
    return { id: this.#next++, name, travel };
  }
}
