// Targets that travel by reference, so that they see the other names of their modules; also targets of another
// module, which imports types only from the package.

import { Lock, Process, Queue } from "@multiproc/multiprocessing";
import { doubled } from "./by_reference_targets.ts";

const module = new URL("./by_reference_targets.ts", import.meta.url);

function triple(n: number): number {
  return 3 * n;
}

export function tripled(n: number): number {
  return triple(n);
}

export async function nested(n: number): Promise<number> {
  const process = new Process({ target: tripled, args: [triple(n)] });
  process.start();
  return await process.result();
}

export class Tripling extends Process {
  constructor(readonly n: number) {
    super();
  }

  override run(): number {
    return triple(this.n);
  }
}

if (import.meta.main) {
  const queue = new Queue<number>();
  const processes = [
    new Process({ target: tripled, args: [5] }),
    new Process({ target: nested, args: [5] }),
    new Tripling(6),
    new Process({ target: doubled, args: [5, queue, new Lock()], module }),
  ];
  for (const process of processes) process.start();
  for (const process of processes) console.log(await process.result());
  console.log(await queue.get());
}
