// Writes a module anew, by slices of its text: functions that may reach shared memory become
// generators, operations of Atomics and plain accesses of elements go to the kernel together with
// the number of their site. All other text stays as it is.
//
// Names of the kernel in the text (see kernel/environment.ts):
//
//   $A.op(site, …)   an operation; $Y if the process has to stop before it, and then `yield` gives the result
//   $S.op(site, …)   the same where nothing can yield: in constructors and at the top of modules
//   $g, $s           whether a value is a generator; runs one where nothing can yield
//   $as, $aw, $np    the body of an async function; an await; new Promise
//   $r, $w           a plain read or write of an element
//   $bulk, $each     calls of natives that copy many elements, or call their argument back
//   $set             an assignment to a property whose setter may yield
//   $keep, $again    declarations at the top of modules that have to be made anew before each run
//   $k               a place where V8 can end a thread: the entry of a function, the iteration of a loop
//   $refuse          code that can't be treated truly: an error if the function around it is ever called

import {
  type Analysis,
  CALLING_BACK,
  checkCall,
  type FunctionNode,
  isFunction,
  keyOf,
  makesPromise,
  nameOf,
  operationOf,
} from "./analysis.ts";
import { children, type Node, placeOf, PRIMORDIALS, Refusal, type Source } from "./source.ts";

/** What surrounds a piece of text: whether it may yield there. */
interface Around {
  readonly yields: boolean;
  readonly async?: boolean;
}

type Of<Type extends Node["type"]> = Extract<Node, { type: Type }>;

const ATOMIC: Around = { yields: false };

/** Natives that read or write many elements of a typed array in one call. */
const BULK: ReadonlySet<string> = new Set(["set", "slice", "copyWithin", "fill"]);

/** Classes whose objects the kernel can put back into the state they had. */
const NATIVE_CLASSES: ReadonlySet<string> = new Set((
  "Map Set WeakMap WeakSet Array Uint8Array Int32Array Float64Array TextEncoder TextDecoder " +
  "FinalizationRegistry WeakRef RegExp"
).split(" "));

/** What the emission of all modules shares. */
export interface EmitOptions {
  readonly analysis: Analysis;
  /** Where operations stand; a site is an index here. */
  readonly sites: string[];
  readonly constants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Whether the places where V8 ends threads are marked. */
  readonly checkpoints: boolean;
  /** Whether nothing in a module ever sees shared memory. */
  isPure(source: Source): boolean;
}

/** The text of a module for the explorer. */
export function emit(source: Source, options: EmitOptions): string {
  if (source.path === PRIMORDIALS) return source.text;
  return new Emitter(source, options).module();
}

class Emitter {
  readonly #source: Source;
  readonly #options: EmitOptions;
  readonly #analysis: Analysis;
  readonly #isPure: boolean;
  readonly #constants: Readonly<Record<string, number>>;
  /** Top-level constants that are made anew before each run, and so are variables. */
  readonly #renewed = new Set<Node>();
  readonly #replaced = new Set<string>();
  #temporaries = 0;

  constructor(source: Source, options: EmitOptions) {
    this.#source = source;
    this.#options = options;
    this.#analysis = options.analysis;
    this.#isPure = options.isPure(source);
    this.#constants = options.constants[source.path] ?? {};
  }

  module(): string {
    const { program, path } = this.#source;
    const ends: string[] = [];
    for (const statement of program.body) {
      const declaration = statement.type === "ExportNamedDeclaration"
        ? statement.declaration
        : statement;
      if (declaration?.type === "VariableDeclaration") this.#planTop(declaration, ends);
    }
    const text = this.#text(program, ATOMIC);
    for (const name of Object.keys(this.#constants)) {
      if (!this.#replaced.has(name)) {
        throw new Error(`${path} has no constant ${name} at its top: see program.ts`);
      }
    }
    return `${text}\n${ends.join("\n")}`;
  }

  /** How a variable at the top is made anew before each run. */
  #planTop(declaration: Of<"VariableDeclaration">, ends: string[]): void {
    for (const { id, init } of declaration.declarations) {
      if (id.type !== "Identifier") {
        if (init && isSafeToKeep(init)) continue;
        throw new Refusal(this.#source, declaration, "a pattern at the top of a module");
      }
      const { name } = id;
      const isRenewed = init?.type === "NewExpression" && init.callee.type === "Identifier" &&
        !NATIVE_CLASSES.has(init.callee.name);
      if (isRenewed) this.#renewed.add(declaration);
      if (declaration.kind === "let" || isRenewed) {
        const value = this.#constants[name] ?? (init ? this.#text(init, ATOMIC) : "undefined");
        ends.push(`$again(() => { ${name} = ${value}; });`);
      } else if (init && !isImmutable(init)) {
        const shown = JSON.stringify(`${this.#source.path}: ${name}`);
        ends.push(`$keep(() => ${name}, ${shown}, ${this.#isPure});`);
      }
    }
  }

  #text(node: Node, around: Around): string {
    return this.#special(node, around) ?? this.#slices(node, around);
  }

  /** As it is, but for what is in it. */
  #slices(node: Node, around: Around): string {
    const { text } = this.#source;
    let at = node.start, out = "";
    for (const child of children(node)) {
      if (child.start < at) continue; // the key and the value of a shorthand property are one place
      out += text.slice(at, child.start) + this.#text(child, around);
      at = child.end;
    }
    return out + text.slice(at, node.end);
  }

  #site(node: Node, what: string): number {
    const { sites } = this.#options;
    sites.push(`${placeOf(this.#source, node)} ${what}`);
    return sites.length - 1;
  }

  #refuse(node: Node, what: string): Refusal {
    return new Refusal(this.#source, node, what);
  }

  /** A value that may be a generator: what it returns. */
  #run(text: string, { yields }: Around): string {
    return yields ? `($g($t=${text})?yield*$t:$t)` : `$s(${text})`;
  }

  get #checkpoint(): string {
    return this.#options.checkpoints && !this.#isPure ? "$k();" : "";
  }

  #special(node: Node, around: Around): string | undefined {
    switch (node.type) {
      case "FunctionDeclaration": {
        const star = this.#yields(node) ? "*" : "";
        return `function${star} ${node.id?.name ?? ""}${this.#tail(node)}`;
      }
      case "FunctionExpression": {
        const parent = this.#analysis.parents.get(node)!;
        const isMethod = parent.type === "MethodDefinition" ||
          parent.type === "Property" && (parent.method || parent.kind !== "init");
        if (isMethod) return this.#tail(node);
        const star = this.#yields(node) ? "*" : "";
        return `(function${star} ${node.id?.name ?? ""}${this.#tail(node)})`;
      }
      case "ArrowFunctionExpression":
        return this.#arrow(node);
      case "MethodDefinition":
        return this.#method(node, node.value, node.static);
      case "Property":
        if (node.value.type !== "FunctionExpression" || !node.method && node.kind === "init") {
          return;
        }
        return this.#method(node, node.value, false);
      case "ClassDeclaration":
      case "ClassExpression":
      case "PropertyDefinition":
      case "StaticBlock":
        return around.yields ? this.#slices(node, ATOMIC) : undefined;
      case "ForStatement":
      case "ForInStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        return this.#loop(node, around, "");
      case "ForOfStatement":
        return this.#forOf(node, around);
      case "AwaitExpression":
        if (!around.async) throw this.#refuse(node, "await outside of an async function");
        return `(yield $aw(${this.#text(node.argument, around)}))`;
      case "YieldExpression":
        throw this.#refuse(node, "yield");
      case "NewExpression": {
        if (!makesPromise(node)) return;
        const made = `$np(${this.#text(node.arguments[0], around)})`;
        return around.yields ? `(yield* ${made})` : `$s(${made})`;
      }
      case "ChainExpression":
        return this.#chain(node, around);
      case "CallExpression":
        return this.#call(node, around);
      case "MemberExpression":
        return this.#member(node, around);
      case "Identifier":
        return this.#identifier(node);
      case "AssignmentExpression":
        return this.#assignment(node, around);
      case "UpdateExpression":
        return this.#update(node, around);
      case "VariableDeclaration":
        return this.#variables(node, around);
    }
  }

  #yields(node: FunctionNode): boolean {
    return this.#analysis.functions.get(node)!.yields;
  }

  /** A function from its parameters on; one that can't be treated truly is refused when it is called. */
  #tail(node: FunctionNode): string {
    try {
      if (node.generator) throw this.#refuse(node, "a generator function");
      return this.#trueTail(node);
    } catch (error) {
      if (error instanceof Refusal) return `(..._) { ${this.#refused(error)}; }`;
      throw error;
    }
  }

  #refused({ message }: Refusal): string {
    const { sites } = this.#options;
    sites.push(message);
    return `$refuse(${sites.length - 1})`;
  }

  #trueTail(node: FunctionNode): string {
    const info = this.#analysis.functions.get(node)!;
    if (info.kind === "constructor") {
      return `(${this.#parameters(node, ATOMIC)}) ${this.#text(node.body, ATOMIC)}`;
    }
    if (!info.yields) return `(${this.#parameters(node, ATOMIC)}) ${this.#body(node, ATOMIC, "")}`;
    const prelude: string[] = [];
    const parameters = this.#parameters(node, { yields: true }, prelude);
    const around: Around = { yields: true, async: node.async };
    const body = this.#body(node, around, prelude.join(" "));
    if (info.kind === "get") return `() { return (function*() ${body}).call(this); }`;
    if (node.async) {
      return `(${parameters}) { return yield* $as((function*() ${body}).call(this)); }`;
    }
    return `(${parameters}) ${body}`;
  }

  /** Patterns among the parameters that read a getter which may yield are read in the body. */
  #parameters(node: FunctionNode, around: Around, prelude: string[] = []): string {
    return node.params.map((parameter) => {
      if (parameter.type !== "ObjectPattern" || !this.#readsYielding(parameter)) {
        if (this.#containsYielding(parameter)) {
          throw this.#refuse(
            parameter,
            "a getter that may yield is read by a pattern of parameters",
          );
        }
        return this.#text(parameter, ATOMIC);
      }
      const name = this.#temporary();
      prelude.push(`const ${this.#patternOf(parameter, name, around)};`);
      return name;
    }).join(", ");
  }

  #body(node: FunctionNode, around: Around, prelude: string): string {
    const { body } = node;
    const start = this.#checkpoint + prelude;
    if (body.type === "BlockStatement") return `{${start}${this.#slices(body, around).slice(1)}`;
    return `{ ${start}return ${this.#text(body, around)}; }`;
  }

  #arrow(node: Of<"ArrowFunctionExpression">): string {
    try {
      return this.#trueArrow(node);
    } catch (error) {
      if (error instanceof Refusal) return `(() => ${this.#refused(error)})`;
      throw error;
    }
  }

  #trueArrow(node: Of<"ArrowFunctionExpression">): string {
    if (!this.#yields(node)) {
      const body = node.body.type === "BlockStatement"
        ? this.#text(node.body, ATOMIC)
        : `(${this.#text(node.body, ATOMIC)})`;
      const async = node.async ? "async " : "";
      return `(${async}(${this.#parameters(node, ATOMIC)}) => ${body})`;
    }
    const uses = usesThis(node);
    if (uses === "super") throw this.#refuse(node, "super in an arrow function that may yield");
    const text = `(function*${this.#tail(node)})`;
    return uses === "this" ? `${text}.bind(this)` : text;
  }

  #method(
    node: Of<"MethodDefinition"> | Of<"Property">,
    value: FunctionNode,
    isStatic: boolean,
  ): string {
    const info = this.#analysis.functions.get(value)!;
    const key = node.computed
      ? `[${this.#text(node.key, ATOMIC)}]`
      : this.#source.text.slice(node.key.start, node.key.end);
    const start = isStatic ? "static " : "";
    if (info.kind === "set" && info.yields) {
      if (node.computed || node.key.type !== "Identifier") {
        throw this.#refuse(node, "a private or computed setter that may yield");
      }
      // As a setter it runs at once; $set() finds the other one.
      const tail = this.#tail(value);
      return `${start}set ${key}($value) { $s(this.$set_${key}($value)); } ${start}*$set_${key}${tail}`;
    }
    const star = info.yields && info.kind === "method" ? "*" : "";
    const kind = info.kind === "get" ? "get " : info.kind === "set" ? "set " : "";
    return `${start}${kind}${star}${key}${this.#tail(value)}`;
  }

  // ---- statements

  /** V8 looks whether a thread is to end at the turn of a loop. */
  #loop(
    node: Of<
      "ForStatement" | "ForInStatement" | "WhileStatement" | "DoWhileStatement" | "ForOfStatement"
    >,
    around: Around,
    prelude: string,
  ): string | undefined {
    const start = this.#checkpoint + prelude;
    if (start === "") return;
    const { text } = this.#source, { body } = node;
    let out = "", at = node.start;
    for (const child of children(node)) {
      if (child.start < at) continue;
      out += text.slice(at, child.start);
      if (child !== body) out += this.#text(child, around);
      else if (body.type === "BlockStatement") {
        out += `{${start}${this.#slices(body, around).slice(1)}`;
      } else out += `{${start}${this.#text(body, around)}}`;
      at = child.end;
    }
    return out + text.slice(at, node.end);
  }

  #forOf(node: Of<"ForOfStatement">, around: Around): string | undefined {
    if (node.await) throw this.#refuse(node, "for await");
    const { left } = node;
    if (left.type !== "VariableDeclaration") return this.#loop(node, around, "");
    const { id } = left.declarations[0];
    if (id.type !== "ObjectPattern" || !this.#readsYielding(id)) {
      if (this.#containsYielding(id)) {
        throw this.#refuse(id, "a nested pattern reads what may yield");
      }
      return this.#loop(node, around, "");
    }
    const name = this.#temporary();
    const prelude = `${left.kind} ${this.#patternOf(id, name, around)};`;
    const body = node.body.type === "BlockStatement"
      ? `{${this.#checkpoint}${prelude}${this.#slices(node.body, around).slice(1)}`
      : `{${prelude}${this.#text(node.body, around)}}`;
    return `for (const ${name} of ${this.#text(node.right, around)}) ${body}`;
  }

  #variables(node: Of<"VariableDeclaration">, around: Around): string | undefined {
    const isTop = this.#isTop(node);
    const kind = this.#renewed.has(node) ? "let" : node.kind;
    const isSpecial = kind !== node.kind ||
      node.declarations.some(({ id, init }) =>
        id.type === "ObjectPattern" && init != null && this.#readsYielding(id) ||
        isTop && id.type === "Identifier" && Object.hasOwn(this.#constants, id.name)
      );
    if (!isSpecial) {
      for (const { id } of node.declarations) {
        if (this.#containsYielding(id)) {
          throw this.#refuse(id, "a getter that may yield is read by a nested pattern");
        }
      }
      return;
    }
    const parts = node.declarations.map((each) => {
      const { id, init } = each;
      if (isTop && id.type === "Identifier" && Object.hasOwn(this.#constants, id.name)) {
        this.#replaced.add(id.name);
        return `${id.name} = ${this.#constants[id.name]}`;
      }
      if (id.type !== "ObjectPattern" || init == null || !this.#readsYielding(id)) {
        return this.#text(each, around);
      }
      const name = this.#temporary();
      return `${name} = ${this.#text(init, around)}, ${this.#patternOf(id, name, around)}`;
    });
    const end = this.#source.text[node.end - 1] === ";" ? ";" : "";
    return `${kind} ${parts.join(", ")}${end}`;
  }

  #isTop(node: Node): boolean {
    const parent = this.#analysis.parents.get(node);
    return parent?.type === "Program" || parent?.type === "ExportNamedDeclaration";
  }

  /** `{ a, b: c }` of `name`, one access after the other. */
  #patternOf(pattern: Of<"ObjectPattern">, name: string, around: Around): string {
    return pattern.properties.flatMap((property) => {
      if (property.type !== "Property" || property.computed) {
        throw this.#refuse(property, "a pattern that reads a getter which may yield");
      }
      const access = `${name}.${keyOf(property)}`;
      const isGetter = this.#analysis.yieldingGetters.has(keyOf(property));
      return this.#binding(property.value, isGetter ? this.#run(access, around) : access, around);
    }).join(", ");
  }

  /** Declarators for one value of a pattern. */
  #binding(target: Node, value: string, around: Around): string[] {
    if (target.type === "Identifier") return [`${target.name} = ${value}`];
    const name = this.#temporary();
    if (target.type === "AssignmentPattern") {
      const chosen = `(${name} === undefined ? (${this.#text(target.right, around)}) : ${name})`;
      return [`${name} = ${value}`, ...this.#binding(target.left, chosen, around)];
    }
    if (target.type === "ObjectPattern") {
      return [`${name} = ${value}`, this.#patternOf(target, name, around)];
    }
    if (!this.#containsYielding(target)) return [`${this.#text(target, around)} = ${value}`];
    throw this.#refuse(target, "a pattern that reads a getter which may yield");
  }

  #readsYielding(pattern: Of<"ObjectPattern">): boolean {
    return pattern.properties.some((each) =>
      each.type === "Property" && !each.computed &&
      this.#analysis.yieldingGetters.has(keyOf(each))
    );
  }

  #containsYielding(node: Node): boolean {
    if (node.type === "ObjectPattern" && this.#readsYielding(node)) return true;
    if (isFunction(node)) return false;
    return children(node).some((child) => this.#containsYielding(child));
  }

  #temporary(): string {
    return `$o${this.#temporaries++}`;
  }

  // ---- expressions

  #identifier(node: Of<"Identifier">): string | undefined {
    if (node.name !== "Atomics") return;
    const parent = this.#analysis.parents.get(node)!;
    if (parent.type === "MemberExpression") {
      if (parent.object === node) {
        throw this.#refuse(parent, "an operation of Atomics that is no call");
      }
      return;
    }
    if (parent.type === "Property" && (parent.shorthand || parent.value === node)) {
      const around = this.#analysis.parents.get(parent);
      if (around?.type === "ObjectExpression") return parent.shorthand ? "Atomics: $AG" : "$AG";
      // const { Atomics } = primordials
      if (this.#isFromPrimordials(around)) return;
    }
    if (parent.type === "ImportSpecifier" || parent.type === "ExportSpecifier") return;
    throw this.#refuse(node, "Atomics as a value");
  }

  #isFromPrimordials(pattern: Node | undefined): boolean {
    const parent = pattern && this.#analysis.parents.get(pattern);
    return parent?.type === "VariableDeclarator" && parent.init?.type === "Identifier" &&
      parent.init.name === "primordials";
  }

  #call(node: Of<"CallExpression">, around: Around): string {
    checkCall(this.#source, this.#analysis, node);
    const operation = operationOf(node);
    if (operation !== undefined) {
      const site = this.#site(node, operation);
      const args = node.arguments.map((each) => this.#text(each, around)).join(",");
      return around.yields
        ? `(($t=$A.${operation}(${site},${args}))===$Y?yield:$t)`
        : `$S.${operation}(${site},${args})`;
    }
    const { callee } = node;
    const name = nameOf(callee) ?? "?";
    if (callee.type === "MemberExpression" && !node.optional && callee.object.type !== "Super") {
      const args = () => node.arguments.map((each) => this.#text(each, around)).join(",");
      if (CALLING_BACK.has(name) && node.arguments.length > 0) {
        if (!this.#analysis.callbackMayYield(node.arguments[0])) return this.#slices(node, around);
        const called = `$each("${name}",${this.#text(callee.object, around)},${args()})`;
        return around.yields ? `(yield* ${called})` : `$s(${called})`;
      }
      if (BULK.has(name) && !this.#isPure && !this.#isInChain(node)) {
        const site = this.#site(node, name);
        const called = `$bulk(${site},"${name}",${this.#text(callee.object, around)},${args()})`;
        return this.#analysis.mayYield(name) ? this.#run(called, around) : called;
      }
    }
    const text = this.#slices(node, around);
    if (this.#isInChain(node)) return text;
    return this.#analysis.mayYield(name) ? this.#run(text, around) : text;
  }

  /** Whether a call or an access is a link of `a?.b.c()` from `?.` on: it is treated as a whole. */
  #isInChain(node: Node): boolean {
    if (!hasOptional(node)) return false;
    for (let each = node;;) {
      const parent = this.#analysis.parents.get(each);
      if (parent?.type === "ChainExpression") return true;
      if (parent?.type === "MemberExpression" && parent.object === each) each = parent;
      else if (parent?.type === "CallExpression" && parent.callee === each) each = parent;
      else return false;
    }
  }

  /** `a?.b().c`: link by link where something before the last one may yield. */
  #chain(node: Of<"ChainExpression">, around: Around): string {
    const last = node.expression;
    const links: (Of<"MemberExpression"> | Of<"CallExpression">)[] = [];
    let base: Node = last;
    while (base.type === "MemberExpression" || base.type === "CallExpression") {
      links.unshift(base);
      base = base.type === "MemberExpression" ? base.object : base.callee;
    }
    const firstOptional = links.findIndex((link) => link.optional);
    const yieldsAt = (link: Node, i: number): boolean =>
      link.type === "CallExpression"
        ? this.#analysis.mayYield(nameOf(link.callee) ?? "?")
        : link.type === "MemberExpression" && links[i + 1]?.type !== "CallExpression" &&
          this.#analysis.yieldingGetters.has(nameOf(link) ?? "?");
    const inner = links.slice(firstOptional, -1);
    if (!inner.some((link, i) => yieldsAt(link, firstOptional + i))) {
      // The part before the first `?.` may yield as it likes; then only the last link may.
      const text = this.#links(links, firstOptional, base, around);
      return yieldsAt(last, links.length - 1) ? this.#run(text, around) : text;
    }
    throw this.#refuse(node, "a chain in whose middle something may yield");
  }

  #links(
    links: readonly (Of<"MemberExpression"> | Of<"CallExpression">)[],
    firstOptional: number,
    base: Node,
    around: Around,
  ): string {
    const { text } = this.#source;
    let start: Node = base;
    for (const link of links.slice(0, firstOptional)) start = link;
    // A method that is called by `?.()` needs its object.
    const isMethod = start.type === "MemberExpression" &&
      links[firstOptional].type === "CallExpression";
    // What is before it are parentheses.
    let out = text.slice(last(links).start, start.start) +
      (isMethod ? this.#slices(start, around) : this.#text(start, around));
    let at = start.end;
    for (const link of links.slice(firstOptional)) {
      const parts = link.type === "MemberExpression" ? [link.property] : link.arguments;
      for (const part of parts) {
        out += text.slice(at, part.start);
        out += link.type === "MemberExpression" && !link.computed
          ? text.slice(part.start, part.end)
          : this.#text(part, around);
        at = part.end;
      }
      out += text.slice(at, link.end);
      at = link.end;
    }
    return out;
  }

  #member(node: Of<"MemberExpression">, around: Around): string | undefined {
    if (this.#isTarget(node) || this.#isInChain(node)) return;
    const name = nameOf(node) ?? "?";
    if (this.#analysis.yieldingGetters.has(name)) {
      return this.#run(this.#slices(node, around), around);
    }
    if (this.#isPure || !node.computed || node.object.type === "Super") return;
    return `$r(${this.#site(node, "read")},${this.#text(node.object, around)},${
      this.#text(node.property, around)
    })`;
  }

  /** Whether a member is not read: written, called or deleted. */
  #isTarget(node: Node): boolean {
    const parent = this.#analysis.parents.get(node);
    switch (parent?.type) {
      case "AssignmentExpression":
        return parent.left === node;
      case "CallExpression":
      case "NewExpression":
        return parent.callee === node;
      case "UnaryExpression":
        return parent.operator === "delete";
      case "ForOfStatement":
      case "ForInStatement":
        return parent.left === node;
      case "UpdateExpression":
      case "ArrayPattern":
      case "RestElement":
        return true;
      case "AssignmentPattern":
        return parent.left === node;
    }
    return false;
  }

  #assignment(node: Of<"AssignmentExpression">, around: Around): string | undefined {
    const { left, operator } = node;
    if (left.type === "ObjectPattern" && this.#containsYielding(left)) {
      throw this.#refuse(left, "an assignment to a pattern that reads what may yield");
    }
    if (left.type !== "MemberExpression" || left.object.type === "Super") return;
    const right = () => this.#text(node.right, around);
    const name = nameOf(left) ?? "?";
    if (!left.computed && this.#analysis.yieldingSetters.has(name)) {
      const isSimple = left.object.type === "Identifier" || left.object.type === "ThisExpression";
      if (operator !== "=" && !isSimple) {
        throw this.#refuse(node, "a compound assignment to a setter");
      }
      const object = this.#text(left.object, around);
      const value = operator === "="
        ? right()
        : `${this.#run(`${object}.${name}`, around)} ${operator.slice(0, -1)} (${right()})`;
      const call = `$set(${object},"${name}",${value})`;
      return around.yields ? `(yield* ${call})` : `$s(${call})`;
    }
    if (operator !== "=" && this.#analysis.yieldingGetters.has(name)) {
      throw this.#refuse(node, "a compound assignment to a getter that may yield");
    }
    if (this.#isPure || !left.computed || /^(\?\?|&&|\|\|)=$/.test(operator)) return;
    const object = this.#text(left.object, around), key = this.#text(left.property, around);
    const site = this.#site(node, "write");
    if (operator === "=") return `$w(${site},${object},${key},${right()})`;
    if (!isSimple(left.object) || !isSimple(left.property)) {
      throw this.#refuse(node, "a compound assignment to an element that is computed with calls");
    }
    const old = `$r(${this.#site(node, "read")},${object},${key})`;
    return `$w(${site},${object},${key},${old} ${operator.slice(0, -1)} (${right()}))`;
  }

  #update(node: Of<"UpdateExpression">, around: Around): string | undefined {
    const { argument, operator } = node;
    if (argument.type !== "MemberExpression") return;
    const name = nameOf(argument) ?? "?";
    if (
      this.#analysis.yieldingSetters.has(name) || this.#analysis.yieldingGetters.has(name)
    ) throw this.#refuse(node, `${operator} of an accessor that may yield`);
    if (this.#isPure || !argument.computed) return;
    if (!isSimple(argument.object) || !isSimple(argument.property)) {
      throw this.#refuse(node, `${operator} of an element that is computed with calls`);
    }
    const object = this.#text(argument.object, around), key = this.#text(argument.property, around);
    const sign = operator[0];
    const old = `$r(${this.#site(node, "read")},${object},${key})`;
    const write = `$w(${this.#site(node, "write")},${object},${key},${old} ${sign} 1)`;
    return node.prefix ? write : `(${write} ${sign === "+" ? "-" : "+"} 1)`;
  }
}

/** Whether there is a `?.` in a link or before it. */
function hasOptional(node: Node): boolean {
  for (let each = node; each.type === "MemberExpression" || each.type === "CallExpression";) {
    if (each.optional) return true;
    each = each.type === "MemberExpression" ? each.object : each.callee;
  }
  return false;
}

function last<T>(list: readonly T[]): T {
  return list[list.length - 1];
}

/** Whether a value can't change. */
function isImmutable(node: Node): boolean {
  switch (node.type) {
    case "Literal":
    case "TemplateLiteral":
    case "Identifier":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
    case "ClassExpression":
    case "MemberExpression":
      return true;
    case "UnaryExpression":
      return isImmutable(node.argument);
    case "BinaryExpression":
    case "LogicalExpression":
      return isImmutable(node.left as Node) && isImmutable(node.right);
    case "CallExpression":
      return ["Symbol", "for"].includes(nameOf(node.callee) ?? "");
  }
  return false;
}

/** `const { a, b } = x`: the names hold what they held. */
function isSafeToKeep(init: Node): boolean {
  return init.type === "Identifier" || init.type === "MemberExpression" ||
    init.type === "CallExpression";
}

/** Whether evaluating it twice is the same as once. */
function isSimple(node: Node): boolean {
  switch (node.type) {
    case "Identifier":
    case "ThisExpression":
    case "Literal":
    case "PrivateIdentifier":
      return true;
    case "MemberExpression":
      return isSimple(node.object) && (!node.computed || isSimple(node.property));
    case "BinaryExpression":
      return isSimple(node.left) && isSimple(node.right);
  }
  return false;
}

/** What an arrow function takes from around it. */
function usesThis(node: Node): "this" | "super" | undefined {
  let found: "this" | "super" | undefined;
  const look = (each: Node, isTop: boolean): void => {
    if (each.type === "Super") found = "super";
    else if (each.type === "ThisExpression") found ??= "this";
    else if (
      !isTop &&
      (each.type === "FunctionDeclaration" || each.type === "FunctionExpression" ||
        each.type === "ClassBody")
    ) return;
    for (const child of children(each)) look(child, false);
  };
  look(node, true);
  return found;
}
