// The marks on Deno's own objects, whose content is not in their properties.
//
//   clonable          An object that Deno itself clones, or refuses to clone (a MessagePort, a CryptoKey, a
//                     DOMException), has a symbol with the description "Deno.core.hostObject".
//   of a class        Every class of Deno's own has a method with the name
//                     Symbol.for("Deno.privateCustomInspect"). Many objects of these classes that aren't
//                     clonable (a URL, Headers) are silently cloned to {}.

import * as primordials from "./primordials.ts";

const { ArrayPrototypeFind, DOMException, Object, Symbol, SymbolPrototypeGetDescription } =
  primordials;

let hostSymbol: symbol | undefined;

/** The symbol on objects that Deno itself clones, or refuses to clone. */
export function hostObject(): symbol {
  hostSymbol ??=
    ArrayPrototypeFind(Object.getOwnPropertySymbols(new DOMException()), isHostSymbol) ??
      Symbol("not marked");
  return hostSymbol;
}

/** Whether a symbol is the one on objects that Deno itself clones, or refuses to clone. */
export function isHostSymbol(symbol: symbol): boolean {
  return SymbolPrototypeGetDescription(symbol) === "Deno.core.hostObject";
}

const privateInspect = Symbol.for("Deno.privateCustomInspect");

/** Whether an object is of a class of Deno's own. */
export function isPlatformObject(object: object): boolean {
  return privateInspect in object;
}
