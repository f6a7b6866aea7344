// The types of a target's arguments and its result, also where the target is one of several functions, or is
// overloaded.

/**
 * The parameters and results of a function's overloads; only the last four overloads count.
 *
 * @example
 * ```ts
 * import type { TargetForms } from "@multiproc/multiprocessing";
 *
 * interface Parse {
 *   (text: string): number;
 *   (bytes: Uint8Array): bigint;
 * }
 * const result: TargetForms<Parse>["result"] = 7n; // number | bigint
 * console.log(result); // 7n
 * ```
 */
export type TargetForms<F extends (...args: never[]) => unknown> = F extends {
  (...args: infer A1): infer R1;
  (...args: infer A2): infer R2;
  (...args: infer A3): infer R3;
  (...args: infer A4): infer R4;
} ? { args: A1 | A2 | A3 | A4; result: R1 | R2 | R3 | R4 }
  : never;

/**
 * The parameters of a target; if it is one of several functions, those that all of these take.
 *
 * @example
 * ```ts
 * import type { TargetParameters } from "@multiproc/multiprocessing";
 *
 * const square = (n: number) => n * n;
 * const args: TargetParameters<typeof square> = [7];
 * console.log(square(...args)); // 49
 * ```
 */
export type TargetParameters<F extends (...args: never[]) => unknown> =
  (F extends (...args: never[]) => unknown ? (args: TargetForms<F>["args"]) => void : never) extends
    (args: infer A extends unknown[]) => void ? A : never;

/**
 * The result of a target, awaited; if it is one of several functions, that of any of these.
 *
 * @example
 * ```ts
 * import { Process, type TargetResult } from "@multiproc/multiprocessing";
 *
 * const square = (n: number) => Promise.resolve(n * n);
 * const process = new Process({ target: square, args: [7] });
 * process.start();
 * const result: TargetResult<typeof square> = await process.result();
 * console.log(result); // 49
 * ```
 */
export type TargetResult<F extends (...args: never[]) => unknown> = F extends
  (...args: never[]) => unknown ? Awaited<TargetForms<F>["result"]>
  : never;
