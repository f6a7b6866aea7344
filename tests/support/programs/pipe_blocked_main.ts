// Everything in main by the blocking faces, with no await at all, to the end of its children.

import { type Connection, EOFError, Pipe, Process, waitSync } from "@multiproc/multiprocessing";

export function double(connection: Connection<number>) {
  for (let i = 0; i < 3; i++) connection.sendSync(2 * connection.recvSync());
}

export function exit(connection: Connection<number>) {
  connection.sendSync(1);
  Deno.exit(5);
}

export function spin(connection: Connection<number>) {
  connection.sendSync(1);
  for (;;);
}

if (import.meta.main) {
  for (const target of [double, exit, spin]) {
    const [here, there] = Pipe<number>();
    const process = new Process({ target, args: [there] });
    process.start();
    if (target === double) {
      for (let i = 1; i <= 3; i++) {
        here.sendSync(i);
        console.log(here.recvSync());
      }
    } else console.log(here.recvSync());
    if (target === spin) process.kill();
    try {
      here.recvSync();
    } catch (error) {
      console.log(error instanceof EOFError);
    }
    console.log(waitSync([process, here]).includes(here));
    console.log(process.joinSync(), process.exitCode);
  }
}
