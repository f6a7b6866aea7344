// Targets of a module that the program imports.

const factor = 2;

/** Whether the code runs in its module, or as a text of its own. */
function doubledHere(n: number): [number, string] {
  return [n * factor, "by reference"];
}

export function declared(n: number): [number, string] {
  return doubledHere(n);
}

export { declared as renamed };

export default (n: number): [number, string] => doubledHere(n);

function make(k: number) {
  return (n: number): [number, string] => [n * k, doubledHere(n)[1]];
}

export const tripled = make(3), doubled = make(2);

export const bound = ((k: number, n: number): [number, string] => [n * k, doubledHere(n)[1]])
  .bind(null, 2);

function work(n: number): [number, string] {
  return doubledHere(n);
}

/** Not exported by itself. */
export const table = { work };
