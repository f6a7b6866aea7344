// Elements, and figures as text. All text from the program becomes text nodes: it is never parsed.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a text becomes a text node. */
export function element(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function drawing(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** Sets the text of a node, where it differs, so that a selection in the page stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets an attribute where it differs. */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Makes the children of a node those of the items, by their keys: a child whose key stays is kept, with its focus. */
export function list(parent, items, keyOf, make, update) {
  const kept = parent.rowsByKey ??= new Map(), left = new Map(kept);
  let next = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = kept.get(key);
    if (child === undefined) kept.set(key, child = make(item));
    left.delete(key);
    update(child, item);
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  for (const [key, child] of left) {
    kept.delete(key);
    child.remove();
  }
}

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** A count: "12,345", "1.2M". */
export const count = (n) => n < 1e6 ? whole.format(n) : short.format(n);

/** A rate: "0", "0.25", "12.4K". */
export const rate = (n) => n === null ? "–" : n < 1000 ? digits.format(n) : short.format(n);

/** Bytes: "12.3 MB". */
export function bytes(n) {
  return n < 1e6 ? `${digits.format(n / 1e3)} kB` : `${digits.format(n / 1e6)} MB`;
}

/** A time: "430 µs", "12 ms", "4.1 s", "3 min 5 s", "2 h 10 min". */
export function duration(ms) {
  if (ms < 1) return `${digits.format(Math.max(ms, 0) * 1000)} µs`;
  if (ms < 1000) return `${digits.format(ms)} ms`;
  return age(ms);
}

/** The same in whole tenths of a second, for times that run. */
export function age(ms) {
  const seconds = Math.max(ms, 0) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What a queue or a lock is called: `queue 3 “orders”`. */
export function objectName(kind, id, name) {
  const called = id > 0 ? `${kind} ${id}` : kind;
  return name === undefined || name === "" ? called : `${called} “${name}”`;
}
