// The output of a process with stdio: "prefix": each line that it prints has the name of the process before it. The
// lines of one call are written by one call of Deno's, so that lines of several processes don't mix.
//
// Deno's console has no stream that could be replaced. Node's has one, but prints objects in its own way: they are
// made texts by Deno before.

import process from "node:process";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  decodeText,
  Deno,
  each,
  encodeText,
  Object,
  queueMicrotask,
  Reflect,
  splitText,
  TypedArrayPrototypeSubarray,
} = primordials;

// deno-lint-ignore no-explicit-any
type Methods = Record<string, any>;

/** One of the two outputs. */
interface Output {
  writeSync(bytes: Uint8Array): number;
}

/** Writes text with the prefix before each line. */
class Lines {
  readonly #prefix: string;
  readonly #output: Output;
  #isInLine = false;

  constructor(prefix: string, output: Output) {
    this.#prefix = prefix;
    this.#output = output;
  }

  write(text: string): void {
    if (text === "") return;
    const parts = splitText(text, "\n"), last = parts.length - 1;
    const lines: string[] = [];
    for (let i = 0; i <= last; i++) {
      // What follows the last line end is the beginning of a line, if it is anything.
      const isBegun = i === 0 && this.#isInLine || i === last && parts[i] === "";
      ArrayPrototypePush(lines, isBegun ? parts[i] : `${this.#prefix}${parts[i]}`);
    }
    this.#isInLine = parts[last] !== "";
    let bytes = encodeText(ArrayPrototypeJoin(lines, "\n"));
    while (bytes.length > 0) {
      const written = this.#output.writeSync(bytes);
      if (written >= bytes.length) return;
      bytes = TypedArrayPrototypeSubarray(bytes, written);
    }
  }
}

/** The methods of console whose arguments are values to be printed. */
const PRINTING = ["log", "info", "debug", "warn", "error", "trace"];

/** Called once in a started process, before any code of the user's runs. */
export function prefixOutput(name: string): void {
  const prefix = `[${ArrayPrototypeJoin(splitText(name, "\n"), " ")}] `;
  const outputs = {
    stdout: new Lines(prefix, Deno.stdout),
    stderr: new Lines(prefix, Deno.stderr),
  };
  const streamOf = (lines: Lines) => ({
    write: (text: string) => {
      lines.write(text);
      return true;
    },
    on: () => {},
    once: () => {},
    removeListener: () => {},
    listenerCount: () => 0,
  });
  // Loaded only here: it takes milliseconds.
  const { Console } = process.getBuiltinModule("node:console");
  const made: Methods = new Console({
    stdout: streamOf(outputs.stdout),
    stderr: streamOf(outputs.stderr),
    colorMode: false,
  } as never);
  const methods: Methods = globalThis.console;
  for (const method of each(Object.keys(methods))) {
    if (typeof made[method] !== "function") continue;
    methods[method] = (...args: unknown[]) =>
      Reflect.apply(
        made[method],
        made,
        ArrayPrototypeIncludes(PRINTING, method) ? printable(args) : args,
      );
  }
  methods.dir = (value: unknown, options?: Deno.InspectOptions) =>
    made.log("%s", Deno.inspect(value, options));
  for (const stream of each(["stdout", "stderr"] as const)) {
    const lines = outputs[stream], of: Methods = globalThis.Deno?.[stream] ?? {};
    of.writeSync = (bytes: Uint8Array) => {
      lines.write(decodeText(bytes));
      return bytes.length;
    };
    of.write = async (bytes: Uint8Array) => await of.writeSync(bytes);
    const node: Methods = process[stream] ?? {};
    node.write = (chunk: unknown, encoding: unknown, callback: unknown) => {
      lines.write(typeof chunk === "string" ? chunk : decodeText(chunk as Uint8Array));
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    };
  }
}

/** The arguments with texts in place of objects, as Deno prints them. */
function printable(args: unknown[]): unknown[] {
  const texts = ArrayPrototypeMap(
    args,
    (value) =>
      typeof value === "object" && value !== null || typeof value === "function"
        ? Deno.inspect(value)
        : value,
  );
  return args.length === 0 || typeof args[0] === "string" ? texts : ["%s", ...texts];
}
