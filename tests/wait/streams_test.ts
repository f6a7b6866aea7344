// The iterators and streams of connections, and of a queue with a bound. The contract of queues tests those of the
// other queues.

import { Pipe, Queue } from "../../mod.ts";
import { type Given, iterationContract } from "./iteration_contract.ts";

/** What is given, and how the test ends. */
type Closable = Given & { close(): void };

function ofPipe(duplex: boolean): Closable {
  const [receiver, sender] = Pipe<number>({ duplex });
  return {
    items: receiver,
    put: (item) => sender.sendNowait(item),
    takeNow: () => receiver.recvNowait(),
    waiting: () => receiver.closed ? 0 : receiver.statistics().waiting,
    end: () => sender.close(),
    close: () => {
      sender.close();
      receiver.close();
    },
  };
}

function ofQueue(): Closable {
  const queue = new Queue<number>({ maxSize: 10 });
  return {
    items: queue,
    put: (item) => queue.putNowait(item),
    takeNow: () => queue.getNowait(),
    waiting: () => queue.statistics().waitingToGet,
    end: () => queue.shutdown(),
    close: () => queue.close(),
  };
}

const kinds: Record<string, () => Closable> = {
  "Connection": () => ofPipe(true),
  "Connection of a one-way pipe": () => ofPipe(false),
  "Queue with a bound": ofQueue,
};

for (const [kind, make] of Object.entries(kinds)) {
  let given: Closable | undefined;
  iterationContract((name, body) => {
    Deno.test(`${kind}: ${name}`, async () => {
      try {
        await body();
      } finally {
        given?.close();
      }
    });
  }, () => given = make());
}
