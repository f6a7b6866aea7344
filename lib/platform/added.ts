// Properties that a program has added to Object.prototype, where Deno's own code would take them for options:
// with a `signal` there, for instance, Deno starts no worker and adds no listener.

const { defineProperty, getOwnPropertyDescriptor } = globalThis.Object;
const { deleteProperty, ownKeys } = globalThis.Reflect;
const { prototype } = globalThis.Object;
const { length: keysAtStart } = ownKeys(prototype);
const original: Record<PropertyKey, true> = { __proto__: null } as object as Record<
  PropertyKey,
  true
>;
for (let i = 0, keys = ownKeys(prototype); i < keys.length; i++) original[keys[i]] = true;

/**
 * Calls `work` while the properties that were added to Object.prototype since the start are removed. `work`
 * must not run code of the program's.
 */
export function withoutAdded<T>(work: () => T): T {
  const keys = ownKeys(prototype);
  if (keys.length === keysAtStart) return work();
  const taken: { key: PropertyKey; descriptor: PropertyDescriptor }[] = [];
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (original[key]) continue;
    const descriptor = { __proto__: null, ...getOwnPropertyDescriptor(prototype, key)! };
    if (deleteProperty(prototype, key)) taken[taken.length] = { key, descriptor };
  }
  try {
    return work();
  } finally {
    for (let i = 0; i < taken.length; i++) {
      defineProperty(prototype, taken[i].key, taken[i].descriptor);
    }
  }
}
