// One process sends through a pipe, another one receives.

import { type Connection, Pipe, Process, sleep } from "@multiproc/multiprocessing";

export async function send(connection: Connection<string>) {
  for (let i = 0; i < 10; i++) {
    console.log(`Process is send :url_${i}`);
    await connection.send(`url_${i}`);
    await sleep(Math.random() * 1000);
  }
}

export async function receive(connection: Connection<string>) {
  while (true) {
    console.log(`Process rev:${await connection.recv()}`);
    await sleep(Math.random() * 1000);
  }
}

if (import.meta.main) {
  const [receiver, sender] = Pipe<string>({ duplex: false });
  const sending = new Process({ target: send, args: [sender] });
  const receiving = new Process({ target: receive, args: [receiver] });
  sending.start();
  receiving.start();
  await sending.join();
  receiving.terminate(); // it waits for more
  console.log("main");
}
