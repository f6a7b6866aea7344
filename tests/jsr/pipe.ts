// One process sends through a pipe, another receives until the end.

import { type Connection, Pipe, Process } from "@multiproc/multiprocessing";

export async function send(connection: Connection<string>) {
  for (let i = 0; i < 3; i++) {
    console.log(`sent url_${i}`);
    await connection.send(`url_${i}`);
  }
}

export async function receive(connection: Connection<string>) {
  for await (const url of connection) console.log(`received ${url}`);
}

if (import.meta.main) {
  const [receiver, sender] = Pipe<string>({ duplex: false });
  const sending = new Process({ target: send, args: [sender] });
  const receiving = new Process({ target: receive, args: [receiver] });
  sending.start();
  receiving.start();
  await sending.join();
  await receiving.join();
  console.log("main");
}
