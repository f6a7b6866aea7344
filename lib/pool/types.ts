// The types of calls to a pool: the types of arguments, items and results follow from the function.

/**
 * Arguments and options of a call: arguments may be left out only where the function takes none.
 *
 * @example
 * ```ts
 * import { type CallParameters, Pool, type TaskOptions } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * const square = (n: number) => n * n;
 * const call: CallParameters<[n: number], TaskOptions> = [[7], { priority: 1 }];
 * console.log(await pool.apply(square, ...call)); // 49
 * ```
 */
export type CallParameters<A extends readonly unknown[], O> = [] extends A ? [args?: A, options?: O]
  : [args: A, options?: O];

/**
 * A function that a pool can call.
 *
 * @example
 * ```ts
 * import { type AnyFunction, Pool } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * const commands: Record<string, AnyFunction> = { square: (n: number) => n * n };
 * console.log(await pool.apply(commands.square, [7])); // 49
 * ```
 */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => any;

/**
 * The functions of a module as calls to a pool: what {@linkcode Pool.load} returns.
 *
 * @typeParam M the module, as `typeof import("./tasks.ts")`
 *
 * @example
 * ```ts
 * import { type LoadedModule, Pool } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * const path: LoadedModule<typeof import("node:path")> = pool.load("node:path");
 * console.log(await path.basename("/tmp/a.txt")); // a.txt
 * ```
 */
export type LoadedModule<M> = {
  readonly [
    K in keyof M as M[K] extends AnyFunction ? K : never
  ]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};
