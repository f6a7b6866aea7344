// Four functions of strangers, each in a process that may do nothing, for a second, in 50 MB.

import { Process, ProcessError } from "@multiproc/multiprocessing";

export function adds(): number {
  return [1, 2, 3].reduce((sum, n) => sum + n);
}

export function readsFile(): string {
  return Deno.readTextFileSync("/etc/passwd");
}

export function loopsForEver(): void {
  while (true);
}

export function allocatesForEver(): void {
  const all: object[] = [];
  while (true) all.push({ n: all.length });
}

if (import.meta.main) {
  for (const target of [adds, readsFile, loopsForEver, allocatesForEver]) {
    const process = new Process<[], unknown>({
      target,
      permissions: "none",
      timeLimit: 1000,
      memoryLimitMb: 50,
    });
    process.start();
    try {
      console.log(`${target.name} returned ${await process.result()}`);
    } catch (error) {
      if (error instanceof ProcessError) {
        console.log(error.message.replace(process.name, target.name));
      }
    }
  }
  console.log("main");
}
