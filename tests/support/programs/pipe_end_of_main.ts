// Main ends while its children wait at pipes, blocked and not: it closes its ends ("close"), throws
// ("throw"), exits with 3 ("exit"), or the children are daemons ("daemon").

import { type Connection, Pipe, Process, Queue } from "@multiproc/multiprocessing";

export async function receive(connection: Connection<string>, ready: Queue<string>) {
  await ready.put("ready");
  for await (const message of connection) console.log(message);
  console.log("no more");
}

export function receiveSync(connection: Connection<string>, ready: Queue<string>) {
  ready.putSync("ready");
  try {
    for (;;) console.log(connection.recvSync());
  } catch (error) {
    console.log(`${error instanceof Error ? error.name : error}`);
  }
}

export function sendSync(connection: Connection<string>, ready: Queue<string>) {
  connection.sendSync("never received");
  ready.putSync("ready");
  try {
    connection.sendSync("never sent");
  } catch (error) {
    console.log(`${error instanceof Error ? error.name : error}`);
  }
}

if (import.meta.main) {
  const [how] = Deno.args;
  const ready = new Queue<string>();
  const ends: Connection<string>[] = [];
  for (const target of [receive, receiveSync, sendSync]) {
    const [here, there] = Pipe<string>({ maxSize: 1 });
    new Process({ target, args: [there, ready], daemon: how === "daemon" }).start();
    ends.push(here);
  }
  for (let i = 0; i < 3; i++) await ready.get();
  console.log("main about to end");
  if (how === "exit") Deno.exit(3);
  if (how === "throw") throw new RangeError("main has had enough");
  if (how === "close") { for (const end of ends) end.close(); }
}
