// The errors of a pipe tell which process was at its other end, and how it ended.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  Process,
  type ProcessOptions,
  Queue,
} from "../../mod.ts";
import { testInFull } from "../support/length.ts";

const bound = { timeout: 20_000 };

type End = "returns" | "throws" | "exits" | "exits with process.exit" | "loops";

/** Ends in some way; by source, so without anything from outside of it. */
async function end(connection: Connection<string>, how: End, ready: Queue<string>): Promise<void> {
  await ready.put("ready");
  await connection.recv();
  if (how === "throws") throw new RangeError("a failure");
  if (how === "exits") Deno.exit(7);
  if (how === "exits with process.exit") (await import("node:process")).default.exit(8);
  if (how === "loops") { for (;;); }
}

interface Case {
  how: End;
  told: string;
  stop?: "terminate" | "kill";
  options?: Pick<ProcessOptions, "permissions" | "sealed" | "timeLimit" | "memoryLimitMb">;
}

const confined = { permissions: "none" as const };
const cases: Case[] = [
  { how: "returns", told: "exited with code 0" },
  { how: "throws", told: "exited with code 1" },
  { how: "exits", told: "exited with code 7" },
  { how: "exits with process.exit", told: "exited with code 8" },
  { how: "loops", stop: "terminate", told: "was terminated (exit code -15)" },
  { how: "loops", stop: "kill", told: "was killed (exit code -9)" },
  { how: "loops", options: { timeLimit: 300 }, told: "was killed (exit code -9)" },
  { how: "returns", options: confined, told: "exited with code 0" },
  { how: "throws", options: confined, told: "exited with code 1" },
  { how: "exits", options: confined, told: "exited with code 7" },
  { how: "loops", options: { ...confined, timeLimit: 300 }, told: "was killed (exit code -9)" },
];

for (const { how, stop, options, told } of cases) {
  const what = [how, stop ?? "", JSON.stringify(options ?? {})].join(" ");
  testInFull(`of a process that has ended, its name and exit code are told: ${what}`, async () => {
    const [here, there] = Pipe<string>(), ready = new Queue<string>();
    const name = `worker ${how}`;
    const process = new Process({
      target: end,
      args: [there, how, ready],
      by: "source",
      name,
      ...options,
    });
    process.start();
    await ready.get(bound);
    const receiving = here.recv(bound);
    here.sendNowait("go on");
    process.result().catch(() => {});
    if (stop !== undefined) process[stop]();
    const message = new RegExp(
      `${name}, which had the other end, ${told.replace(/[()]/g, "\\$&")}`,
    );
    await assert.rejects(receiving, (error) => {
      return error instanceof EOFError && message.test(error.message);
    });
    await assert.rejects(here.recv(), message);
    assert.throws(() => here.recvSync(bound), message);
    assert.throws(() => here.recvNowait(), message);
    await assert.rejects(here.send("x"), (error) => {
      return error instanceof BrokenPipeError && message.test(error.message);
    });
    assert.throws(() => here.sendSync("x"), message);
    await process.join(bound);
    here.close();
  });
}

for (const options of [{}, confined, { ...confined, timeLimit: 20_000 }]) {
  testInFull(`a blocked thread is told that, too: ${JSON.stringify(options)}`, async () => {
    const [here, there] = Pipe<string>(), ready = new Queue<string>();
    const process = new Process({
      target: end,
      args: [there, "exits", ready],
      by: "source",
      name: "worker",
      ...options,
    });
    process.start();
    await ready.get(bound);
    here.sendNowait("go on");
    assert.throws(
      () => here.recvSync(bound),
      /EOFError: .*: worker, which had the other end, exited with code 7/,
    );
    await process.join(bound);
    here.close();
  });
}

Deno.test("what a confined process closes before its end is told as closed", async () => {
  const [here, there] = Pipe<string>(), [control, its] = Pipe<string>();
  const process = new Process({
    target: async function closer(end: Connection<string>, its: Connection<string>) {
      end.close();
      await its.recv();
      Deno.exit(6);
    },
    args: [there, its],
    by: "source",
    name: "closer",
    permissions: "none",
  });
  process.start();
  await assert.rejects(here.recv(bound), /: the other end was closed by closer, and all/);
  control.sendNowait("go on");
  await assert.rejects(
    control.recv(bound),
    /: closer, which had the other end, exited with code 6/,
  );
  await process.join(bound);
  here.close();
  control.close();
});

Deno.test("an end that was closed is told as closed, with whose it was", async () => {
  const [here, there] = Pipe();
  there.close();
  assert.throws(() => here.recvNowait(), /: the other end was closed, and all/);
  assert.throws(() => here.sendNowait(1), /: the other end was closed\. Make/);
  const [mine, its] = Pipe<string>();
  const process = new Process({
    target: async function closer(end: Connection<string>) {
      end.close();
      await new Promise(() => setInterval(() => {}, 1000));
    },
    args: [its],
    by: "source",
    name: "closer",
  });
  process.start();
  await assert.rejects(mine.recv(bound), /: the other end was closed by closer, and all/);
  process.terminate();
  await process.join(bound);
  assert.throws(() => mine.recvNowait(), /: closer, which had the other end, was terminated/);
});

Deno.test("of a stream that has ended that is told", async () => {
  const [here, there] = Pipe<string>();
  await there.writable.close();
  await assert.rejects(here.recv(bound), /: the stream at the other end has ended, and all/);
  await here.readable.cancel();
  assert.throws(() => there.sendNowait("x"), /stream/);
});

Deno.test("a child tells its parent's child of which other child has died", async () => {
  const [here, there] = Pipe<string>();
  const dying = new Process({
    target: function die(_end: Connection<string>) {
      Deno.exit(9);
    },
    args: [there],
    by: "source",
    name: "the dying one with a name so long that not all of it is kept, löschen",
  });
  const telling = new Process({
    target: async function tell(end: Connection<string>) {
      return await end.recv().catch((error) => error.message);
    },
    args: [here],
    by: "source",
  });
  telling.start();
  dying.start();
  const message = await telling.result(bound);
  assert.match(
    message,
    /: the dying one with a name so long .*…, which had the other end, exited with code 9/,
  );
  await dying.join(bound);
});

Deno.test("an end in a message that nobody received belongs to the one who was to receive it", async () => {
  const [here, there] = Pipe<Connection<string>>(), [inner, other] = Pipe<string>();
  const ready = new Queue<string>();
  const process = new Process({
    target: end as never,
    args: [there, "exits", ready] as never,
    by: "source",
    name: "receiver",
  });
  process.start();
  await ready.get(bound);
  await here.send(inner);
  await assert.rejects(other.recv(bound), /receiver, which had the other end, exited with code 7/);
  await process.join(bound);
});
