// The functions of a module as calls to a pool: each is made when it is first read.

import type { AnyFunction, LoadedModule } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const { Proxy, SafeMap } = primordials;

/** An object that has a call for each name; `make` makes the call of a name. */
export function moduleCalls<M>(make: (name: string) => AnyFunction): LoadedModule<M> {
  const calls = new SafeMap<string, AnyFunction>();
  const handler: ProxyHandler<object> = {
    __proto__: null,
    get: (_, name) => {
      // A module is no promise, so that it can be returned from an asynchronous function.
      if (typeof name !== "string" || name === "then") return undefined;
      const call = calls.get(name) ?? make(name);
      calls.set(name, call);
      return call;
    },
  } as ProxyHandler<object>;
  return new Proxy({}, handler) as LoadedModule<M>;
}
