// The function table of a pool: a function travels to each worker once, and its number stands for it from then on.

import { callers } from "../target/callers.ts";
import { type FunctionTravel, travelOf } from "../target/function_travel.ts";
import { referenceByName } from "../target/reference.ts";
import { checkFunction, isGenerator } from "./check_call.ts";
import type { AnyFunction } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** An entry of the table. */
export interface Registered {
  readonly id: number;
  readonly name: string;
  readonly travel: FunctionTravel;
  readonly isGenerator: boolean;
}

/** The options of a pool that say how its functions are found. */
export interface FunctionOptions {
  module?: string | URL;
  by?: "reference" | "source";
}

/** The functions that were given to a pool. */
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

  /** The entry of a function that was registered before. */
  known(code: unknown): Registered | undefined {
    return this.#known.get(code as AnyFunction);
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
    const travel = travelOf(code, target, this.#mayImport);
    const made = this.add(travel, code.name || "anonymous", isGenerator(code));
    this.#known.set(code, made);
    return made;
  }

  /** The entry of the export of a module with this name. */
  byName(module: string, exportName: string): Registered {
    return this.add(
      { by: "reference", reference: referenceByName(exportName, module) },
      exportName,
    );
  }

  /** The entry of a function that exists in another process only. */
  add(travel: FunctionTravel, name: string, isGenerator = false): Registered {
    return { id: this.#next++, name, travel, isGenerator };
  }
}

/** The entry of the function that `call` was given; throws if the call can't run it. */
export function registered(functions: FunctionTable, call: string, code: unknown): Registered {
  const known = functions.known(code);
  if (known !== undefined && !known.isGenerator) return known;
  return functions.register(checkFunction(call, code));
}
