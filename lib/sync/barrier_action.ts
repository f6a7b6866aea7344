// The action of a barrier. The process that made the barrier calls the function itself; other processes
// receive its source text, and compile it where it is needed, if they may run it (transfer/signature.ts).

import { describe } from "../validate/describe.ts";
import { isFromStarter, sign, verify } from "../transfer/signature.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Deno,
  each,
  Function,
  FunctionPrototypeToString,
  JSON,
  Promise,
  PromisePrototypeThen,
  ReferenceError,
  RegExpPrototypeExec,
  SyntaxError,
  TypeError,
} = primordials;

/** The source text that is compiled. */
interface ActionSource {
  text: string;
  /** The function's name: a method's text, as in `{ action() {} }`, is no expression by itself. */
  name: string;
}

/** The action as it crosses to another process; `signature` is that of the text. */
export interface ActionText extends ActionSource {
  signature: string;
}

/** The action that a barrier runs once in each round. */
export interface Action {
  run(): unknown;
  /** The text that crosses; throws if the action can't cross. */
  text(): ActionText;
}

/** The action that was given as an option; throws if the option is no function. */
export function givenAction(action: unknown): Action | undefined {
  if (action === undefined) return undefined;
  if (typeof action !== "function") {
    throw new TypeError(
      `action is ${describe(action)}, not a function. Give one without parameters, or none.`,
    );
  }
  const run = () => action();
  const text = () => {
    const source = { text: FunctionPrototypeToString(action), name: action.name };
    expressionOf(source);
    return signed(source);
  };
  return { run, text };
}

/** The action of an arrived barrier. */
export function arrivedAction(arrived: ActionText | undefined): Action | undefined {
  if (arrived === undefined) return undefined;
  const source = { text: `${arrived.text}`, name: `${arrived.name}` };
  const isOurs = isFromStarter();
  let code: (() => unknown) | undefined;
  const run = () => {
    if (!isOurs && !verify(signedText(source), arrived.signature)) refuse(source);
    try {
      code ??= new Function(`"use strict"; return ${expressionOf(source)};`)() as () => unknown;
      const result = code();
      return result instanceof Promise
        ? PromisePrototypeThen(result, undefined, (error) => explain(error, source))
        : result;
    } catch (error) {
      explain(error, source);
    }
  };
  return { run, text: () => isOurs ? signed(source) : arrived };
}

function signed(source: ActionSource): ActionText {
  return { ...source, signature: sign(signedText(source)) };
}

function signedText({ text, name }: ActionSource): string {
  return JSON.stringify(["action", name, text]);
}

function refuse({ name }: ActionSource): never {
  throw new Deno.errors.NotCapable(
    `The action "${name}" isn't run in this process, because a process with other permissions made it ` +
      "or handed it on. Make the barrier in the process that starts the others, and give it to them in args.",
  );
}

/** The text as an expression; throws if it can't be made one. */
function expressionOf({ text, name }: ActionSource): string {
  for (const expression of each([`(${text})`, `({ ${text} })[${JSON.stringify(name)}]`])) {
    try {
      // The text is compiled, not run.
      new Function(`"use strict"; return ${expression};`);
      return expression;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  throw new TypeError(
    `The action "${name}" can't go to another process with its barrier: it is built in, was made by ` +
      "bind(), means nothing outside of its class, or uses import.meta. Wrap it in a function of your own, " +
      "or do without.",
  );
}

/** Throws the error of the action; where the action used a name outside of itself, the new error says so. */
function explain(error: unknown, { name }: ActionSource): never {
  const missing = error instanceof ReferenceError &&
    RegExpPrototypeExec(/^(\S+) is not defined$/, error.message);
  if (!missing || missing[1] in globalThis) throw error;
  throw new ReferenceError(
    `The action "${name}" uses "${
      missing[1]
    }", which is outside of it: to this process it crossed as ` +
      "its source text, and so has only the globals. Do what needs more after wait(), in the process " +
      "whose wait() gave 0.",
    { cause: error },
  );
}
