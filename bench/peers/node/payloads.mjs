// The payloads of ../../payloads.ts, for programs that Node runs.
const DIFFERENT = 1024, STRING_LENGTH = 1024;

const BUILD = {
  objects: (id) => ({
    id,
    url: `https://example.com/page/${id}`,
    tags: ["news", "sport", "today"],
  }),
  strings: (index) => String(index).padStart(STRING_LENGTH, "abcdefgh"),
};

/** The function that gives a producer its `index`-th item. */
export function itemsOf(payload) {
  if (payload === "integers") return (index) => index;
  const items = Array.from(
    { length: DIFFERENT },
    (_, index) => BUILD[payload](index),
  );
  return (index) => items[index % DIFFERENT];
}

export function weigh(item) {
  if (typeof item === "number") return item;
  return typeof item === "string" ? item.length : item.id;
}
