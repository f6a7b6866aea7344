// Reads the modules that a scenario uses: types are blanked out, so that every position stays as it
// was, and the rest is parsed. Mutants (bugs put in on purpose) and constants made smaller are edits here.

import * as acorn from "acorn";
import blankTypes from "ts-blank-space";
import type { Edit } from "./edit.ts";

/** Any node of a parsed module. */
export type Node = acorn.AnyNode;

/** The module that keeps the globals as they are when it loads: here these are the globals of the process. */
export const PRIMORDIALS = "lib/platform/primordials.ts";

/** A module without its types. */
export interface Source {
  /** The absolute path. */
  readonly file: string;
  /** Relative to the root of the project: what traces show. */
  readonly path: string;
  readonly text: string;
  readonly program: acorn.Program;
}

/** Where the code under test is, and what is changed in it. */
export interface SourceOptions {
  /** The root of the project. */
  readonly root: string;
  /** Another checkout whose lib/ is used in place of the root's. */
  readonly lib?: string;
  readonly edits?: readonly Edit[];
  /** Modules in whose place a model stands: by path, the path of the model. */
  readonly models: Readonly<Record<string, string>>;
  /** Top-level constants to be replaced: by file, by name. */
  readonly constants: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** All modules that `entry` imports, itself included, in the order of their evaluation. */
export function readSources(entry: string, options: SourceOptions): Map<string, Source> {
  const sources = new Map<string, Source>(), begun = new Set<string>();
  const read = (file: string): void => {
    if (begun.has(file)) return;
    begun.add(file);
    const source = readSource(file, options);
    for (const statement of source.program.body) {
      const specifier = "source" in statement ? statement.source?.value : undefined;
      if (typeof specifier === "string" && specifier.startsWith(".")) {
        read(resolve(file, specifier, options));
      }
    }
    sources.set(file, source);
  };
  read(entry);
  for (const { file } of options.edits ?? []) {
    if (!sources.has(`${options.root}/${file}`)) {
      throw new Error(`${file} is to be changed, but ${entry} doesn't import it.`);
    }
  }
  return sources;
}

/** The absolute path of what a relative import imports. */
export function resolve(
  from: string,
  specifier: string,
  { root, models }: Pick<SourceOptions, "root" | "models">,
): string {
  const file = new URL(specifier, `file://${from}`).pathname;
  const model = models[file.slice(root.length + 1)];
  return model === undefined ? file : `${root}/${model}`;
}

function readSource(file: string, { root, lib, edits = [] }: SourceOptions): Source {
  const path = file.slice(root.length + 1);
  const real = lib !== undefined && path.startsWith("lib/") ? `${lib}/${path}` : file;
  let typed = Deno.readTextFileSync(real);
  for (const edit of edits) {
    if (edit.file !== path) continue;
    const parts = typed.split(edit.from);
    if (parts.length !== 2) {
      throw new Error(
        `${path}: the text to be replaced is there ${
          parts.length - 1
        } times, not once:\n${edit.from}`,
      );
    }
    typed = parts.join(edit.to);
  }
  const text = blankTypes(typed, (node) => {
    const line = typed.slice(0, node.end).split("\n").length;
    throw new Error(`${path}:${line}: this syntax can't be blanked out.`);
  });
  if (path !== PRIMORDIALS) {
    const asMethods = path.startsWith("lib/") ? withMethods(text) : text;
    return { file, path, text: asMethods, program: parse(asMethods) };
  }
  const parts = parse(text).body.flatMap((statement) =>
    statement.type === "ExportAllDeclaration"
      ? [new URL(`${statement.source.value}`, `file://${real}`)]
      : []
  ).map((part) => parse(blankTypes(Deno.readTextFileSync(part))));
  const names = [parse(text), ...parts].flatMap(exportedNames);
  const modelled = names.map((name) => `export const ${name} = $primordial("${name}");`).join("\n");
  return { file, path, text: modelled, program: parse(modelled) };
}

/**
 * The text with methods in place of the functions that stand for them (lib/platform/methods.ts): what
 * calls back is known by the names of methods. Lines stay what they were.
 */
function withMethods(text: string): string {
  const edits: { start: number; end: number; text: string }[] = [];
  const replace = (start: number, end: number, by: string) => edits.push({ start, end, text: by });
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== "object" || node === null) return;
    const call = node as acorn.CallExpression;
    if (call.type === "CallExpression" && call.callee.type === "Identifier") {
      const { callee: { name, start, end }, arguments: args } = call;
      const method =
        /^(?:Array|Map|Set|String|RegExp|WeakRef|Date|BigInt|Promise|TypedArray|ArrayBuffer|SharedArrayBuffer)Prototype([A-Z]\w*)$/
          .exec(
            name,
          )
          ?.[1];
      if (method !== undefined) {
        const [self, first] = args;
        replace(start, self.start, `(${lineEnds(text.slice(start, self.start))}`);
        const open = lineEnds(text.slice(self.end, first?.start ?? call.end - 1));
        replace(
          self.end,
          first?.start ?? call.end - 1,
          `).${method[0].toLowerCase()}${method.slice(1)}(${open}`,
        );
      } else if (name === "each") {
        replace(start, end, "");
        replace(args[0].end, call.end, ")");
      } else if (name === "listOf") {
        replace(start, args[0].start, "[...(");
        replace(args[0].end, call.end, ")]");
      }
    }
    const made = node as acorn.NewExpression;
    if (made.type === "NewExpression" && made.callee.type === "Identifier") {
      const { name, start, end } = made.callee;
      if (/^Safe(Map|Set)$/.test(name)) replace(start, end, name.slice(4));
    }
    for (const [key, value] of Object.entries(node)) if (key !== "loc") visit(value);
  };
  visit(parse(text).body);
  edits.sort((one, other) => other.start - one.start || other.end - one.end);
  let result = text;
  for (const edit of edits) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  }
  return result;
}

function lineEnds(text: string): string {
  return text.replace(/[^\n]/g, "");
}

function parse(text: string): acorn.Program {
  return acorn.parse(text, { ecmaVersion: "latest", sourceType: "module", locations: true });
}

/** The names that a module of constants and functions exports. */
function exportedNames(program: acorn.Program): string[] {
  return program.body.flatMap((statement) => {
    if (statement.type !== "ExportNamedDeclaration") return [];
    const { declaration } = statement;
    if (declaration?.type !== "VariableDeclaration") {
      return declaration?.id?.type === "Identifier" ? [declaration.id.name] : [];
    }
    return declaration.declarations.flatMap(({ id }) => id.type === "Identifier" ? [id.name] : []);
  });
}

/** The nodes directly below, in the order of the text. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) { for (const each of value) if (isNode(each)) found.push(each); }
    else if (isNode(value)) found.push(value);
  }
  return found.sort((a, b) => a.start - b.start || b.end - a.end);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null &&
    typeof (value as { type?: unknown }).type === "string";
}

/** Where a node stands, as traces show it. */
export function placeOf(source: Source, node: Node): string {
  const { line, column } = node.loc!.start;
  return `${source.path}:${line}:${column + 1}`;
}

/** What the transform can't treat truly. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(source: Source, node: Node, what: string) {
    super(`${placeOf(source, node)}: the explorer can't treat this truly: ${what}`);
  }
}
