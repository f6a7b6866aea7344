// Children are killed while they wait at pipes, in every way of waiting; main doesn't join them.

import { type Connection, Pipe, Process, Queue } from "@multiproc/multiprocessing";

export async function receive(connection: Connection<string>, ready: Queue<string>) {
  await ready.put("ready");
  await connection.recv();
}

export function receiveSync(connection: Connection<string>, ready: Queue<string>) {
  ready.putSync("ready");
  connection.recvSync();
}

export async function send(connection: Connection<string>, ready: Queue<string>) {
  await connection.send("unread");
  await ready.put("ready");
  await connection.send("more");
}

export function sendSync(connection: Connection<string>, ready: Queue<string>) {
  connection.sendSync("unread");
  ready.putSync("ready");
  connection.sendSync("more");
}

/** An end that nobody holds any more is closed when it is collected. */
export const held: Connection<string>[] = [];

if (import.meta.main) {
  const ready = new Queue<string>();
  const processes: Process[] = [];
  for (const target of [receive, receiveSync, send, sendSync]) {
    const [here, there] = Pipe<string>({ maxSize: 1 });
    held.push(here);
    const process = new Process({ target, args: [there, ready] });
    process.start();
    processes.push(process as unknown as Process);
  }
  for (let i = 0; i < 4; i++) await ready.get();
  for (const process of processes) process.kill();
  console.log("main done");
}
