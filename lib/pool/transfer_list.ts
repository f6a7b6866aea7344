// Which objects of a transfer list are in a chunk of items: only those move with it, the others with theirs.

import * as primordials from "../platform/primordials.ts";

const { ArrayBuffer, ArrayPrototypeFilter, each, listOf, Map, Object, Reflect, SafeSet, Set } =
  primordials;

/** The objects of `list` that `items` refer to. */
export function transferOf(list: readonly object[], items: readonly unknown[]): readonly object[] {
  if (list.length === 0) return list;
  const found = new SafeSet<object>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null || found.has(value)) return;
    found.add(value);
    if (ArrayBuffer.isView(value)) found.add(value.buffer);
    else for (const content of each(contentsOf(value))) look(content);
  };
  look(items);
  return ArrayPrototypeFilter(list, (object) => found.has(object));
}

/** What an object consists of, when it is copied. */
function contentsOf(value: object): unknown[] {
  if (value instanceof Map) return listOf(value as Iterable<unknown>);
  if (value instanceof Set) return listOf(value as Iterable<unknown>);
  const contents: unknown[] = [];
  for (const key of each(Object.keys(value))) {
    contents[contents.length] = Reflect.get(value, key);
  }
  return contents;
}
