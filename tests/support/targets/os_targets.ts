// Targets of processes of the operating system, by reference.

import {
  type Connection,
  currentProcess,
  type JoinableQueue,
  parentProcess,
  Process,
  type Queue,
  type SimpleQueue,
} from "../../../mod.ts";
import { helper } from "./os_helper.ts";

export function identify(): unknown {
  const { name, pid, permissions } = currentProcess();
  return { name, pid, read: permissions.read, parent: parentProcess()?.name, helped: helper(1) };
}

export class Greeter extends Process {
  whom = "nobody";

  override run(): string {
    return `hello ${this.whom}`;
  }
}

export async function square(numbers: Queue<number>, squares: Queue<number>): Promise<number> {
  let count = 0;
  for await (const n of numbers) {
    await squares.put(n * n);
    count++;
  }
  return count;
}

export async function shout(words: Connection<string>): Promise<void> {
  await words.send((await words.recv()).toUpperCase());
}

export interface Given {
  queue: Queue<unknown>;
  joinable: JoinableQueue<unknown>;
  simple: SimpleQueue<unknown>;
  connection: Connection<unknown>;
}
