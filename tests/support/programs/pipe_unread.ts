// Children send messages of every kind that are never read, and end; main has ended before.

import { type Connection, Pipe, Process } from "@multiproc/multiprocessing";

export async function send(connection: Connection<unknown>) {
  await connection.send("text");
  await connection.send(new Int32Array(new SharedArrayBuffer(4)));
  await connection.send("long".repeat(200_000));
  const { buffer } = new Uint8Array(10);
  await connection.send(buffer, { transfer: [buffer] });
  const [own, other] = Pipe();
  await connection.send({ other });
  own.sendNowait("never read");
  console.log("child done");
}

/** An end that nobody holds any more is closed when it is collected. */
export const held: Connection<unknown>[] = [];

if (import.meta.main) {
  const [here, there] = Pipe();
  held.push(here);
  new Process({ target: send, args: [there] }).start();
  console.log("main done");
}
