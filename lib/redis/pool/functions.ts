// The functions of a pool in a server: each by its module and its name there, as a worker on another machine has
// them.

import { callers, callersWithMain, FunctionTable, referenceTo, type Registered } from "../core.ts";
import type { AnyFunction } from "../../pool/types.ts";

const WAY_OUT = "Export it from a module that the pool's workers are started with (--module), or " +
  'call it by its name: pool.load<typeof import("./tasks.ts")>(import.meta.resolve("./tasks.ts")).';

/** Functions that travel by reference only. This program needn't be able to load their modules again. */
export class RemoteFunctions extends FunctionTable {
  readonly #module: string | undefined;
  readonly #registered = new Map<unknown, Registered>();

  constructor(module: string | URL | undefined) {
    super({});
    this.#module = module === undefined ? undefined : `${module}`;
  }

  override known(code: unknown): Registered | undefined {
    return this.#registered.get(code);
  }

  override register(code: AnyFunction): Registered {
    const known = this.known(code);
    if (known !== undefined) return known;
    const modules = this.#module === undefined ? callersWithMain(callers()) : [this.#module];
    const sought = referenceTo(code, modules, this.#module !== undefined);
    const { name } = code;
    if ("why" in sought) {
      throw new TypeError(
        `The function "${name}" can't travel by reference: ${
          sought.why.replace(/\.$/, "")
        }. ${WAY_OUT}`,
      );
    }
    const { reference } = sought;
    const entry = checked(this.add({ by: "reference", reference }, name || "anonymous"));
    this.#registered.set(code, entry);
    return entry;
  }

  override byName(module: string, exportName: string): Registered {
    return checked(super.byName(module, exportName));
  }
}

/** Throws where no other machine can have the module. */
function checked(entry: Registered): Registered {
  const { travel } = entry;
  const { module, exportName } = travel.by === "reference"
    ? travel.reference
    : { module: "", exportName: undefined };
  if (/^(file|https?|jsr|npm):/.test(module) && exportName !== undefined) return entry;
  const where = exportName === undefined
    ? "isn't known to be exported"
    : `is in ${module.slice(0, 60)}, which a worker can't have`;
  throw new TypeError(`The function "${entry.name}" ${where}. ${WAY_OUT}`);
}
