// How a function travels to a process that is already running and will call it again and again: by reference or
// by source, by the same rule as a target (target.ts), but as a value.

import { explain } from "./source_errors.ts";
import type { Reference, Scope, Travel } from "../protocol/travel.ts";
import { preloaded } from "./preloaded.ts";
import { resolveReference, textOf } from "./reference.ts";
import { isBundled, wholeUrl } from "./bundle.ts";
import { asExpression, bodyOf, scopeOf } from "./source.ts";
import { callersWithMain, findReference, type Target } from "./target.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeConcat, ArrayPrototypeMap, Function, Object, Promise, Reflect, TypeError } =
  primordials;

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** A function in the form in which it travels. */
export type FunctionTravel =
  | { by: "reference"; reference: Reference }
  | {
    by: "source";
    expression: string;
    scope: Scope;
    name: string;
    notByReference: string | undefined;
  };

/**
 * How a function travels.
 *
 * @param target how the function is to be found
 * @param mayImport whether the process can import a module
 * @throws {TypeError} if the function can't travel; the message says which way was tried, and why it failed
 */
export function travelOf(
  code: AnyFunction,
  target: Pick<Target, "module" | "callers" | "by">,
  mayImport: (module: string) => boolean = () => true,
): FunctionTravel {
  let why: string | undefined;
  if (target.by !== "source") {
    const sought = findReference(code, { ...target, code, isClass: false });
    if ("reference" in sought && mayImport(sought.reference.module)) {
      return { by: "reference", reference: sought.reference };
    }
    why = "why" in sought ? sought.why : `${sought.reference.module} can't be imported there`;
    if (target.by === "reference") {
      throw new TypeError(`The function "${code.name}" can't travel by reference: ${why}.`);
    }
  }
  try {
    const { module, callers } = target;
    const modules = module === undefined
      ? callersWithMain(callers)
      : ArrayPrototypeConcat([module], callers);
    return {
      by: "source",
      expression: asExpression(code),
      scope: scopeOf(textOf(code), modules),
      name: code.name,
      notByReference: why,
    };
  } catch (cause) {
    if (!(cause instanceof TypeError) || why === undefined) throw cause;
    throw new TypeError(
      `The function "${code.name}" can't travel. By reference: ${why}. By source: ${cause.message}`,
      { cause },
    );
  }
}

type Namespace = Record<string, unknown>;

/** Makes the function again, in the process to which it has travelled. */
export async function makeFunction(travel: FunctionTravel): Promise<AnyFunction> {
  if (travel.by === "reference") {
    const load = (url: string) => preloaded(url) ?? import(url) as Promise<Namespace>;
    return await resolveReference(travel.reference, load) as AnyFunction;
  }
  const { expression, scope } = travel;
  const locals = Object.keys(scope.names);
  const all = locals.length === 0 ? {} : await ownNamespace();
  const values = ArrayPrototypeMap(locals, (local) => {
    const name = scope.names[local];
    return name === "*" ? all : all[name];
  });
  const body = `"use strict";\n${bodyOf(expression, scope)}`;
  const made = Reflect.construct(Function, ArrayPrototypeConcat(locals, [body]));
  return Reflect.apply(made, undefined, values) as AnyFunction;
}

/** The error that a travelled function threw, or an error that explains it. */
export function explainThrown(error: unknown, travel: FunctionTravel): unknown {
  if (travel.by === "reference") return error;
  const { scope, name, notByReference } = travel;
  return explain(
    error,
    { by: "source", isClass: false, scope, name, notByReference } satisfies Travel,
  );
}

/** This package, as its users import it. */
function ownNamespace(): Promise<Namespace> {
  const url = isBundled ? wholeUrl() : new primordials.URL("../../mod.ts", import.meta.url).href;
  // A sealed process can't import what it has loaded at its start.
  const loaded = preloaded(url);
  return loaded === undefined ? import(url) : Promise.resolve(loaded);
}
