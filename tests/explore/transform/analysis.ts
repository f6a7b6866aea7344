// Finds the functions that can reach shared memory, or wait: these become generators. A function is one
// if it uses Atomics or `await`, or calls such a function; calls are told apart by name only. A name that
// ever holds a value of unknown origin counts as unknown, and a call of an unknown name checks whether it
// got a generator. So a wrong guess costs time and not truth.

import { children, type Node, Refusal, type Source } from "./source.ts";

/** A function node. */
export type FunctionNode = Extract<
  Node,
  { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }
>;

/** What a function is, and what it does. */
export interface FunctionInfo {
  readonly node: FunctionNode;
  readonly source: Source;
  readonly names: string[];
  kind: "function" | "method" | "get" | "set" | "constructor";
  /** Whether it uses Atomics, `await` or `new Promise` itself. */
  touches: boolean;
  /** Its calls: the name, and the callbacks of one that calls its arguments. */
  readonly calls: Call[];
  readonly gets: string[];
  readonly sets: string[];
  /** Whether it becomes a generator. */
  yields: boolean;
}

interface Call {
  readonly name: string;
  /** For a native that calls its argument back: what may yield is the argument. */
  readonly callback: Node | undefined;
}

export const OPERATIONS: ReadonlySet<string> = new Set(
  "load store add sub and or xor exchange compareExchange wait waitAsync notify".split(" "),
);

/** Methods of natives that call their argument back, of which there are models. */
export const CALLING_BACK: ReadonlySet<string> = new Set(
  "map filter some every find findIndex forEach reduce flatMap".split(" "),
);

/** Names of natives only: a call of them needs no look at what it got. */
const NATIVE: ReadonlySet<string> = new Set((
  "push pop shift unshift splice indexOf includes join concat charCodeAt codePointAt startsWith " +
  "endsWith toString valueOf hasOwn hasOwnProperty defineProperty keys entries freeze create " +
  "isInteger isSafeInteger isFinite min max floor ceil imul clz32 trunc abs encode decode " +
  "encodeInto subarray getRandomValues randomUUID deref captureStackTrace isView isArray " +
  "padStart repeat split trim test exec String Object Number Boolean BigInt Symbol toFixed " +
  "stringify getUint8 setFloat64 getFloat64 Error RangeError TypeError unref grow " +
  "clearTimeout clearInterval fround getPrototypeOf throwIfAborted delete"
).split(" "));

/** What is known of all functions and names of a program. */
export class Analysis {
  readonly functions: Map<Node, FunctionInfo> = new Map();
  readonly parents: Map<Node, Node> = new Map();
  readonly #definitions = new Map<string, FunctionInfo[]>();
  readonly #yielding = new Set<string>();
  /** Names that hold, somewhere, a value of unknown origin. */
  readonly #unknown = new Set<string>();
  readonly yieldingGetters: Set<string> = new Set();
  readonly yieldingSetters: Set<string> = new Set();

  constructor(sources: Iterable<Source>, isPure: (source: Source) => boolean) {
    for (const source of sources) this.#collect(source);
    for (let changed = true; changed;) {
      changed = false;
      for (const info of this.functions.values()) {
        if (info.yields || isPure(info.source) || !this.#isYielding(info)) continue;
        info.yields = changed = true;
        const names = info.kind === "get"
          ? this.yieldingGetters
          : info.kind === "set"
          ? this.yieldingSetters
          : this.#yielding;
        for (const name of info.names) names.add(name);
      }
    }
  }

  /** Whether a call of this name may give a generator. */
  mayYield(name: string): boolean {
    if (this.#yielding.has(name)) return true;
    if (this.#definitions.has(name) && !this.#unknown.has(name)) return false;
    return !NATIVE.has(name) && name !== "super";
  }

  /** Whether a callback may. */
  callbackMayYield(callback: Node): boolean {
    const info = this.functions.get(callback);
    if (info !== undefined) return info.yields;
    const name = nameOf(callback);
    return name === undefined || this.mayYield(name);
  }

  #isYielding(info: FunctionInfo): boolean {
    if (info.kind === "constructor") return false;
    return info.touches || info.node.async ||
      info.calls.some(({ name, callback }) =>
        callback === undefined ? this.mayYield(name) : this.callbackMayYield(callback)
      ) ||
      info.gets.some((name) => this.yieldingGetters.has(name)) ||
      info.sets.some((name) => this.yieldingSetters.has(name));
  }

  #collect(source: Source): void {
    const visit = (
      node: Node,
      parent: Node | undefined,
      around: FunctionInfo | undefined,
    ): void => {
      if (parent !== undefined) this.parents.set(node, parent);
      const info = isFunction(node) ? this.#define(source, node, parent!) : undefined;
      this.#taint(node, parent);
      const inside = info ?? around;
      if (inside !== undefined) note(node, inside);
      for (const child of children(node)) visit(child, node, inside);
    };
    visit(source.program, undefined, undefined);
  }

  #define(source: Source, node: FunctionNode, parent: Node): FunctionInfo {
    const info: FunctionInfo = {
      ...{ node, source, names: [], kind: "function", touches: false },
      ...{ calls: [], gets: [], sets: [], yields: false },
    };
    this.functions.set(node, info);
    if ("id" in node && node.id) info.names.push(node.id.name);
    if (parent.type === "MethodDefinition") {
      info.kind = parent.kind;
      info.names.push(keyOf(parent));
    } else if (parent.type === "Property" && (parent.method || parent.kind !== "init")) {
      info.kind = parent.kind === "init" ? "method" : parent.kind;
      info.names.push(keyOf(parent));
    } else if (parent.type === "Property" || parent.type === "PropertyDefinition") {
      info.names.push(keyOf(parent));
    } else if (parent.type === "VariableDeclarator" && parent.id.type === "Identifier") {
      info.names.push(parent.id.name);
    } else if (parent.type === "AssignmentExpression") {
      info.names.push(nameOf(parent.left) ?? "?");
    }
    if (info.kind !== "get" && info.kind !== "set") {
      for (const name of info.names) {
        const known = this.#definitions.get(name);
        if (known === undefined) this.#definitions.set(name, [info]);
        else known.push(info);
      }
    }
    for (const parameter of node.params) this.#taintPattern(parameter);
    return info;
  }

  /** A name that holds a value of unknown origin may hold a function that yields. */
  #taint(node: Node, parent: Node | undefined): void {
    if (node.type === "Property" && parent?.type === "ObjectExpression") {
      if (!isKnown(node.value)) this.#unknown.add(keyOf(node));
    } else if (node.type === "PropertyDefinition") {
      if (!isKnown(node.value)) this.#unknown.add(keyOf(node));
    } else if (node.type === "AssignmentExpression") {
      if (!isKnown(node.right)) this.#taintPattern(node.left);
    } else if (node.type === "VariableDeclarator") {
      if (!isKnown(node.init)) this.#taintPattern(node.id);
    }
  }

  #taintPattern(pattern: Node | null): void {
    switch (pattern?.type) {
      case "Identifier":
        this.#unknown.add(pattern.name);
        break;
      case "MemberExpression":
        this.#unknown.add(nameOf(pattern) ?? "?");
        break;
      case "AssignmentPattern":
        this.#taintPattern(pattern.left);
        break;
      case "RestElement":
        this.#taintPattern(pattern.argument);
        break;
      case "ArrayPattern":
        for (const each of pattern.elements) this.#taintPattern(each);
        break;
      case "ObjectPattern":
        for (const each of pattern.properties) {
          this.#taintPattern(each.type === "Property" ? each.value : each.argument);
        }
    }
  }
}

/** Notes what a node does for the function around it. */
function note(node: Node, info: FunctionInfo): void {
  switch (node.type) {
    case "CallExpression": {
      if (operationOf(node) !== undefined) {
        info.touches = true;
        break;
      }
      const name = nameOf(node.callee) ?? "?";
      const callsBack = node.callee.type === "MemberExpression" && CALLING_BACK.has(name);
      info.calls.push({ name, callback: callsBack ? node.arguments[0] : undefined });
      break;
    }
    case "NewExpression":
      if (makesPromise(node)) info.touches = true;
      break;
    case "AwaitExpression":
      info.touches = true;
      break;
    case "MemberExpression":
      info.gets.push(nameOf(node) ?? "?");
      break;
    case "AssignmentExpression":
      if (node.left.type === "MemberExpression") info.sets.push(nameOf(node.left) ?? "?");
      break;
    case "UpdateExpression":
      if (node.argument.type === "MemberExpression") info.sets.push(nameOf(node.argument) ?? "?");
      break;
    case "ObjectPattern":
      for (const each of node.properties) if (each.type === "Property") info.gets.push(keyOf(each));
  }
}

export function isFunction(node: Node): node is FunctionNode {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression";
}

/** Whether a value is certainly what it looks like: a function that was seen, or no function. */
function isKnown(value: Node | null | undefined): boolean {
  return value != null &&
    (isFunction(value) || value.type === "Literal" || value.type === "TemplateLiteral");
}

/** The name of a property, as it is written. */
export function keyOf(
  node: Extract<Node, { type: "Property" | "PropertyDefinition" | "MethodDefinition" }>,
): string {
  const { key } = node;
  if (node.computed) return key.type === "Identifier" ? `[${key.name}]` : "[?]";
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : "?";
}

/** The name by which something is called or read, if it has one. */
export function nameOf(node: Node): string | undefined {
  switch (node.type) {
    case "Identifier":
      return node.name;
    case "Super":
      return "super";
    case "ChainExpression":
      return nameOf(node.expression);
    case "ParenthesizedExpression":
      return nameOf(node.expression);
    case "MemberExpression": {
      const { property } = node;
      if (node.computed) return property.type === "Identifier" ? `[${property.name}]` : "[?]";
      if (property.type === "PrivateIdentifier") return `#${property.name}`;
      return property.type === "Identifier" ? property.name : "?";
    }
  }
}

/** Whether it is `new Promise`: its executor is called at once, and may yield. */
export function makesPromise({ callee }: Extract<Node, { type: "NewExpression" }>): boolean {
  return nameOf(callee) === "Promise";
}

/** Which operation of Atomics a call is. */
export function operationOf(node: Extract<Node, { type: "CallExpression" }>): string | undefined {
  const { callee } = node;
  if (callee.type !== "MemberExpression" || callee.computed) return;
  const { object, property } = callee;
  if (object.type !== "Identifier" || object.name !== "Atomics") return;
  return property.type === "Identifier" && OPERATIONS.has(property.name)
    ? property.name
    : undefined;
}

/** Refuses a call of a native of which there is no model, if it calls back what may yield. */
export function checkCall(
  source: Source,
  analysis: Analysis,
  node: Extract<Node, { type: "CallExpression" }>,
): void {
  if (node.callee.type !== "MemberExpression") return;
  const name = nameOf(node.callee)!;
  const calledBack = name === "replace" || name === "replaceAll"
    ? node.arguments[1]
    : name === "sort" || name === "toSorted" || name === "findLast"
    ? node.arguments[0]
    : name === "from"
    ? node.arguments[1]
    : undefined;
  if (calledBack !== undefined && analysis.functions.get(calledBack)?.yields) {
    throw new Refusal(source, node, `${name}() is given a callback that may reach shared memory`);
  }
}
