// Unreferenced ends of pipes, in processes that live on; run with --expose-gc.

import { type Connection, Pipe, Process } from "@multiproc/multiprocessing";

const gc: () => void = Reflect.get(globalThis, "gc");

/** Collects garbage until a promise settles; what runs at the collection needs turns of the loop. */
async function collecting<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const result = promise.finally(() => settled = true);
  result.catch(() => {});
  while (!settled) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await result;
}

/** Collects garbage for long enough that something would have gone. */
async function collect() {
  for (let i = 0; i < 20; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const nameOf = (error: unknown) => error instanceof Error ? error.name : `${error}`;

/** Returns the first end; of the second one nothing is left but what `use` keeps. */
function dropped(use: (end: Connection<unknown>) => void): Connection<unknown> {
  const [kept, other] = Pipe<unknown>({ maxSize: 3 });
  use(other);
  return kept;
}

/** Drops an end it was given, or that it received, and lives on until told to end. */
export async function drop(connection: Connection<unknown>, control: Connection<string>) {
  const receive = async () => typeof await connection.recv();
  await control.send(`got ${await receive()}`);
  const collectGarbage: () => void = Reflect.get(globalThis, "gc");
  for (;;) {
    collectGarbage();
    try {
      await control.recv({ timeout: 5 });
      return;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "TimeoutError") throw error;
    }
  }
}

if (import.meta.main) {
  const sent = dropped((end) => {
    end.sendNowait("sent before");
    end.sendNowait(new SharedArrayBuffer(1));
  });
  const learning = sent.poll().then(() => sent.recv()).then(() => sent.recv());
  await learning;
  console.log("dropped:", await collecting(sent.recv()).catch(nameOf));
  console.log("sending to it:", await sent.send(1).catch(nameOf));

  let heard: Promise<unknown> = Promise.resolve();
  const waited = dropped((end) => heard = end.recv());
  await collect();
  await waited.send("for who waits");
  console.log("waiting:", await heard);

  let read: Promise<unknown> = Promise.resolve();
  const streamed = dropped((end) => {
    const reader = end.readable.getReader();
    read = (async () => [(await reader.read()).value, (await reader.read()).value])();
  });
  await collect();
  await streamed.send("one");
  await collect();
  await streamed.send("two");
  console.log("reading:", await read);

  let writing: Promise<unknown> = Promise.resolve();
  const written = dropped((end) => {
    const writer = end.writable.getWriter();
    writing = (async () => {
      for (let i = 0; i < 6; i++) await writer.write(i);
      await writer.close();
    })();
  });
  await collect();
  const got = [];
  for await (const i of written) got.push(i);
  await writing;
  console.log("writing:", got.join(" "));

  const room = dropped((end) => {
    for (let i = 0; i < 6; i++) end.send(i);
  });
  await collect();
  const all = [];
  for (let i = 0; i < 6; i++) all.push(await room.recv());
  console.log("sending:", all.join(" "), await collecting(room.recv()).catch(nameOf));

  const [carrier, arrival] = Pipe<Connection<unknown>>();
  const moved = dropped((end) => carrier.sendNowait(end));
  await collect();
  moved.sendNowait("to where it went");
  console.log("moved:", await (await arrival.recv()).recv());
  console.log("received and dropped:", await collecting(moved.recv()).catch(nameOf));

  const unread = dropped((end) => dropped((inner) => inner.sendNowait(end)));
  console.log("in a dropped pipe:", await collecting(unread.recv()).catch(nameOf));

  const [here, there] = Pipe<unknown>(), [control, controlled] = Pipe<string>();
  const [inner, other] = Pipe<unknown>();
  const process = new Process({ target: drop, args: [there, controlled] });
  process.start();
  here.sendNowait(inner);
  console.log(await control.recv());
  console.log("dropped by a child:", await collecting(other.recv()).catch(nameOf));
  control.sendNowait("end");
  await process.join();
  console.log("main done");
}
