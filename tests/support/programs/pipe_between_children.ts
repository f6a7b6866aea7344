// Two children talk to each other by a pipe of which main has neither end; main ends at once.

import { type Connection, Pipe, Process } from "@multiproc/multiprocessing";

export async function ask(connection: Connection<number>) {
  let sum = 0;
  for (let i = 0; i < 100; i++) {
    await connection.send(i);
    sum += await connection.recv();
  }
  console.log(`sum: ${sum}`);
}

export function answer(connection: Connection<number>) {
  try {
    for (;;) connection.sendSync(2 * connection.recvSync());
  } catch (error) {
    console.log(`${error instanceof Error ? error.name : error}`);
  }
}

if (import.meta.main) {
  const [one, other] = Pipe<number>();
  new Process({ target: ask, args: [one] }).start();
  new Process({ target: answer, args: [other] }).start();
  console.log("main done");
}
