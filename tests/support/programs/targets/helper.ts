// Starts processes for others.

import { Process, ProcessError, type ProcessOptions } from "@multiproc/multiprocessing";

type Target = (n: number) => unknown;

/** What a process returns for 2, or what went wrong, in its first words. */
export async function outcome(
  target: Target | string,
  options: Omit<ProcessOptions<[number], unknown>, "target"> = {},
): Promise<unknown> {
  return await ended(() => new Process({ ...options, target, args: [2] }));
}

/** The same of a process that is made elsewhere. */
export async function ended(make: () => Process<[number], unknown> | Process): Promise<unknown> {
  try {
    await using process = make() as Process;
    process.start();
    return await process.result();
  } catch (error) {
    const { message } = (error instanceof ProcessError ? error.cause : error) as Error;
    return `error: ${message}`;
  }
}
