// Questions about the text of a module: whether the module defines a function once, while it is evaluated, and
// exports it; and which of the names in the function the module binds.
//
// The only parser of JavaScript here is V8's, which answers whether a text is a module. So each question is
// asked by changing the text. A statement of the top level is where an export may be inserted; a name is bound
// where `eval` in its place is an early error; and a text is no code (but in a comment or a string) if it may
// be changed into anything.

import { importsOf, isModule } from "../platform/parser.ts";
import { Memo } from "./memo.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeReverse,
  ArrayPrototypeSlice,
  each,
  iterate,
  matchesOf,
  RegExp,
  RegExpPrototypeExec,
  RegExpPrototypeTest,
  replaceMatches,
  replaceText,
  splitText,
  String,
  StringPrototypeIncludes,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeTrim,
} = primordials;

/** A name that no module has. */
const PROBE = "multiprocessing$probe";
/** A text that is allowed only where a statement of the top level begins. */
const INSERTED = `export const ${PROBE} = 0; `;

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*`;
const DECLARED = new RegExp(
  String.raw`^(?:async\s+)?(?:function\b\s*\*?|class\b)\s*(${NAME})`,
  "u",
);
const ASSIGNED = new RegExp(
  String.raw`(?:\b(?:var|let|const)\s+|,\s*)(${NAME})\s*=\s*$`,
  "u",
);
/** What may follow the end of an expression. */
const END = String.raw`[ \t]*(?:[;,]|$|\r?\n(?!\s*[(\[\x60.?:=<>&|^+\-*/%]))`;
const ENDED = new RegExp(`^${END}`, "u");

/** A definition that a module evaluates once, in its outermost scope. */
interface Definition {
  /** The name that the definition binds; undefined for an anonymous default export. */
  local: string | undefined;
  /** The name of the export, if the definition itself is exported. */
  exported: string | undefined;
}

/** A name that a module gives to what it imports. */
interface Binding {
  local: string;
  specifier: string;
  /** "*" is the namespace. */
  name: string;
}

/** The text of one module. */
export class ModuleText {
  readonly #text: string;
  #imports: readonly string[] | undefined;
  readonly #exports = new Memo<string | undefined>();
  readonly #declared = new Memo<boolean>();

  private constructor(text: string) {
    this.#text = text;
  }

  /** Undefined for a text that is no module. */
  static of(text: string): ModuleText | undefined {
    // The source map after the last line of a transpiled module is longer than the module.
    const map = RegExpPrototypeExec(/\n\/\/# sourceMappingURL=\S+\s*$/, text);
    const own = map === null ? text : StringPrototypeSlice(text, 0, map.index + 1);
    return isModule(own) ? new ModuleText(own) : undefined;
  }

  /** Whether the module contains the text of a function. */
  has(text: string): boolean {
    return StringPrototypeIncludes(this.#text, text);
  }

  /** The specifiers of the module's imports. */
  get imports(): readonly string[] {
    return this.#imports ??= importsOf(this.#text);
  }

  /**
   * The name under which the module exports the function with this text and this name; undefined if it isn't
   * certain that no other function of the module has both.
   */
  exportOf(text: string, name: string): string | undefined {
    return this.#exports.get(`${name}\n${text}`, () => this.#exportOf(text, name));
  }

  #exportOf(text: string, name: string): string | undefined {
    const definitions: Definition[] = [];
    for (const at of this.#placesOf(text)) {
      const definition = this.#definitionAt(at, text);
      // The function is made by another function, in a loop, or in an expression: there may be several of it.
      if (definition === undefined) return undefined;
      ArrayPrototypePush(definitions, definition);
    }
    // Definitions of one scope with the same text do the same. Only the name tells them apart.
    const named = ArrayPrototypeFilter(
      definitions,
      ({ local, exported }) => (local ?? exported) === name,
    );
    const { 0: definition, 1: other } = named.length > 0 ? named : definitions;
    if (definition === undefined || other !== undefined) return undefined;
    const { local, exported } = definition;
    if (exported !== undefined) return exported;
    const names = this.#exportsOf(local!);
    return ArrayPrototypeIncludes(names, name) ? name : names[0];
  }

  /** Whether the module declares or imports a name in its outermost scope. */
  declares(name: string): boolean {
    const probe = () => isModule(`${this.#text}\nexport { ${name} as ${PROBE} };`);
    return this.#declared.get(name, probe);
  }

  /** Whether a name is bound anywhere but in the function with this text, where that can reach it. */
  binds(name: string, text: string): boolean {
    const mayBind = new RegExp(
      String.raw`(?<![\p{ID_Continue}$#])(?<!(?<!\.\.)\.)${
        escaped(name)
      }(?![\p{ID_Continue}$])(?!\s*[.[])`,
      "u",
    );
    if (!RegExpPrototypeTest(mayBind, replaceText(this.#text, text, ""))) return false;
    if (this.declares(name)) return true;
    for (const at of this.#placesOf(text)) {
      const { 0: start, 1: end } = this.#statementAround(at, text.length);
      const around = (from: number, to: number) =>
        replaceName(StringPrototypeSlice(this.#text, from, to), name);
      const changed = StringPrototypeSlice(this.#text, 0, start) + around(start, at) + text +
        around(at + text.length, end) + StringPrototypeSlice(this.#text, end);
      if (!isModule(changed)) return true;
    }
    return false;
  }

  /** The module's imports with their local names. */
  bindings(): Binding[] {
    const clause = new RegExp(
      String.raw`\bimport\s*(?:(${NAME})\s*,?\s*)?(?:\*\s*as\s+(${NAME})|\{([^}]*)\})?\s*from\s*` +
        String.raw`(?:"([^"\n]*)"|'([^'\n]*)')`,
      "gu",
    );
    const bindings: Binding[] = [];
    for (const match of each(matchesOf(clause, this.#text))) {
      const { 1: single, 2: all, 3: list } = match, specifier = match[4] ?? match[5];
      if (!ArrayPrototypeIncludes(this.imports, specifier)) continue;
      const found = (local: string, name: string) => {
        ArrayPrototypePush(bindings, { local, specifier, name });
      };
      if (single !== undefined) found(single, "default");
      if (all !== undefined) found(all, "*");
      for (const { 0: name, 1: local } of each(specifiersIn(list))) found(local, name);
    }
    return bindings;
  }

  /** All names of the function with this text in the module's outermost scope. */
  localNames(text: string): string[] {
    const at = StringPrototypeIndexOf(this.#text, text);
    if (at < 0 || StringPrototypeIncludes(this.#text, text, at + 1)) return [];
    const assigned = RegExpPrototypeExec(
      new RegExp(String.raw`(${NAME})\s*=\s*$`, "u"),
      StringPrototypeSlice(this.#text, 0, at),
    )
      ?.[1];
    const first = assigned ?? RegExpPrototypeExec(DECLARED, text)?.[1];
    if (first === undefined || !this.declares(first)) return [];
    const names = [first];
    // A bundler keeps an alias, as in `const Process = ProcessObject`.
    for (let i = 0; i < names.length; i++) {
      const alias = new RegExp(
        String.raw`(?<![\w$.])(${NAME})\s*=\s*${escaped(names[i])}\s*[;,)}\n]`,
        "gu",
      );
      let found: RegExpExecArray | null;
      while ((found = RegExpPrototypeExec(alias, this.#text)) !== null) {
        const name = found[1];
        if (!ArrayPrototypeIncludes(names, name) && this.declares(name)) {
          ArrayPrototypePush(names, name);
        }
      }
    }
    return names;
  }

  /** The positions where a text occurs as code. */
  #placesOf(text: string): Iterable<number> {
    let at = -1;
    return iterate<number>(() => {
      do at = StringPrototypeIndexOf(this.#text, text, at + 1); while (
        at >= 0 && !this.#isCode(at, at + text.length)
      );
      return at >= 0 ? { done: false, value: at } : { done: true, value: undefined };
    });
  }

  #isCode(start: number, end: number): boolean {
    return !isModule(
      `${StringPrototypeSlice(this.#text, 0, start)}0 0${StringPrototypeSlice(this.#text, end)}`,
    );
  }

  #definitionAt(at: number, text: string): Definition | undefined {
    const before = StringPrototypeSlice(this.#text, 0, at),
      after = StringPrototypeSlice(this.#text, at);
    const declared = RegExpPrototypeExec(DECLARED, text)?.[1];
    if (this.#isAfter(at, /\bexport\s+default\s+$/)) {
      return { local: declared, exported: "default" };
    }
    if (declared !== undefined) {
      if (this.#isAfter(at, /\bexport\s+$/)) return { local: declared, exported: declared };
      if (isModule(`${before}${INSERTED}${after}`)) return { local: declared, exported: undefined };
    }
    const local = RegExpPrototypeExec(ASSIGNED, before)?.[1];
    if (
      local === undefined || !RegExpPrototypeTest(ENDED, StringPrototypeSlice(after, text.length))
    ) return undefined;
    const keywords = ArrayPrototypeReverse(matchesOf(/\b(?:var|let|const)\b/g, before));
    for (const { index, 0: keyword } of each(ArrayPrototypeSlice(keywords, 0, 50))) {
      // Between the keyword and the text there are only other definitions of the same statement.
      if (!isModule(`[${StringPrototypeSlice(before, index + keyword.length)}${text}]`)) continue;
      if (this.#isAfter(index, /\bexport\s+$/)) return { local, exported: local };
      const statement = StringPrototypeSlice(this.#text, index);
      if (!isModule(`${StringPrototypeSlice(before, 0, index)}${INSERTED}${statement}`)) {
        return undefined;
      }
      return { local, exported: undefined };
    }
    return undefined;
  }

  /** Whether these keywords, `export` first, end at this position, as code. */
  #isAfter(at: number, keywords: RegExp): boolean {
    const found = RegExpPrototypeExec(keywords, StringPrototypeSlice(this.#text, 0, at));
    return found !== null && this.#isCode(found.index, found.index + "export".length);
  }

  /** The names under which a name of the outermost scope is exported. */
  #exportsOf(local: string): string[] {
    const names: string[] = [];
    const lists = matchesOf(/\bexport\s*\{([^}]*)\}(?!\s*from\b)/g, this.#text);
    for (const { index, 0: all, 1: list } of each(lists)) {
      const exported = ArrayPrototypeFilter(specifiersIn(list), ({ 0: name }) => name === local);
      if (exported.length === 0 || !this.#isCode(index, index + all.length)) continue;
      for (const { 1: as } of each(exported)) ArrayPrototypePush(names, as);
    }
    const byDefault = new RegExp(
      String.raw`\bexport\s+default\s+(${NAME})${END}`,
      "gu",
    );
    for (const { index, 0: all, 1: name } of each(matchesOf(byDefault, this.#text))) {
      if (name === local && this.#isCode(index, index + all.length)) {
        ArrayPrototypePush(names, "default");
      }
    }
    return names;
  }

  /** The range of the top-level statement that holds this part of the text, or a larger range. */
  #statementAround(at: number, length: number): [number, number] {
    const text = this.#text;
    let start = 0, end = text.length;
    const before = matchesOf(/\n(?=[^\s)}\]])/g, StringPrototypeSlice(text, 0, at));
    for (const { index } of each(ArrayPrototypeReverse(before))) {
      if (!isPart(StringPrototypeSlice(text, 0, index))) continue;
      start = index;
      break;
    }
    const rest = StringPrototypeSlice(text, at + length);
    for (const { index } of each(matchesOf(/\n(?=[^\s)}\]])/g, rest))) {
      if (!isPart(StringPrototypeSlice(text, 0, at + length + index))) continue;
      end = at + length + index;
      break;
    }
    return [start, end];
  }
}

/** Whether a text is the beginning of a module, up to the end of a statement. */
function isPart(text: string): boolean {
  // A name in an export list may be declared later.
  return isModule(text) || isModule(replaceMatches(text, /\bexport\s*\{[^}]*\}\s*;?/g, () => ""));
}

/**
 * Replaces a name by `eval`, which can't stand where a name is bound. Names of properties stay; a name after
 * `...` is no name of a property.
 */
function replaceName(text: string, name: string): string {
  const word = escaped(name);
  const reference = String
    .raw`(?<![\p{ID_Continue}$#])(?<!(?<!\.\.)\.)${word}(?![\p{ID_Continue}$])`;
  return replaceMatches(text, new RegExp(reference, "gu"), () => "eval");
}

/** The pairs of names in the braces of an import or export: before and after `as`. */
function specifiersIn(list: string | undefined): [string, string][] {
  return ArrayPrototypeMap(
    ArrayPrototypeFilter(
      ArrayPrototypeMap(splitText(list ?? "", ","), (part) => StringPrototypeTrim(part)),
      (part) => part !== "",
    ),
    (part) => {
      const { 1: from = part, 2: as = from } = RegExpPrototypeExec(/^(.*?)\s+as\s+(.*)$/s, part) ??
        [];
      return [unquoted(from), unquoted(as)];
    },
  );
}

/** A name without its quotes: it may be a string, as in `import { "a b" as c }`. */
function unquoted(name: string): string {
  const quoted = RegExpPrototypeExec(/^(["'])(.*)\1$/, name);
  return quoted === null ? name : quoted[2];
}

/** A name as a part of a regular expression: of the characters of a name, only $ has a meaning there. */
function escaped(name: string): string {
  let text = "";
  for (let i = 0; i < name.length; i++) text += name[i] === "$" ? "\\$" : name[i];
  return text;
}
