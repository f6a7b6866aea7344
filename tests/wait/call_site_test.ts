// Whatever ends a wait, the error shows a line of the code that waited: not only a line of the timer,
// or of the other task, that ended it.

import assert from "node:assert/strict";
import * as local from "../../local.ts";
import {
  Barrier,
  Condition,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  SimpleQueue,
} from "../../mod.ts";
import * as targets from "../support/targets/failure_targets.ts";

const module = targets.here;
const soon = { timeout: 2 };

/** Does something once the one who waits is waiting. */
function later(work: () => unknown): void {
  setTimeout(work, 2);
}

function failing(name = "notFound", ms = 0): Process<[string, boolean?, number?], never> {
  const process = new Process({ target: targets.fail, args: [name, true, ms], module });
  process.start();
  return process as never;
}

function full(): Queue<number> {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.putNowait(0);
  return queue;
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** What each of these rejects with has a line of this file in its stack. */
const waits: Record<string, () => unknown> = {
  "get timed out": () => new Queue().get(soon),
  "get without waiting": () => new Queue().get({ timeout: 0 }),
  "getNowait": async () => await new Queue().getNowait(),
  "getSync timed out": () => new Queue().getSync(soon),
  "getMany timed out": () => new Queue().getMany(2, soon),
  "put timed out": () => full().put(1, soon),
  "putSync timed out": () => full().putSync(1, soon),
  "putMany timed out": () => full().putMany([1, 2], soon),
  "get of a queue that is shut down": () => {
    const queue = new Queue();
    later(() => queue.shutdown());
    return queue.get();
  },
  "put to a queue that is shut down": () => {
    const queue = full();
    later(() => queue.shutdown());
    return queue.put(1);
  },
  "get of a queue that is closed": () => {
    const queue = new Queue();
    later(() => queue.close());
    return queue.get();
  },
  "for await of a queue that is closed": () => {
    const queue = new Queue();
    later(() => queue.close());
    return drain(queue);
  },
  "readable of a queue that is closed": () => {
    const queue = new Queue();
    later(() => queue.close());
    return drain(queue.readable);
  },
  "writable of a queue that is shut down": () => {
    const queue = full(), writer = queue.writable.getWriter();
    later(() => queue.shutdown());
    writer.closed.catch(() => {});
    return writer.write(1);
  },
  "open": () => Queue.open("nobody has this queue", soon),
  "join of a JoinableQueue that is closed": () => {
    const queue = new JoinableQueue();
    queue.putNowait(1);
    later(() => queue.close());
    return queue.join();
  },
  "get of a SimpleQueue that is closed": () => {
    const queue = new SimpleQueue();
    later(() => queue.close());
    return queue.get();
  },
  "local get timed out": () => new local.Queue().get(soon),
  "local put timed out": () => {
    const queue = new local.Queue({ maxSize: 1 });
    queue.putNowait(0);
    return queue.put(1, soon);
  },
  "recv timed out": () => Pipe()[0].recv(soon),
  "recvSync timed out": () => Pipe()[0].recvSync(soon),
  "recv from an end that is closed": () => {
    const [here, there] = Pipe();
    later(() => there.close());
    return here.recv();
  },
  "recv on an end that is closed": () => {
    const [here] = Pipe();
    later(() => here.close());
    return here.recv();
  },
  "recvBytes of what is no bytes": () => {
    const [here, there] = Pipe();
    later(() => there.sendNowait("text"));
    return here.recvBytes();
  },
  "recvBytes of too many": () => {
    const [here, there] = Pipe();
    later(() => there.sendBytesNowait(new Uint8Array(9)));
    return here.recvBytes({ maxLength: 3 });
  },
  "send timed out": () => {
    const [here] = Pipe({ maxSize: 1 });
    here.sendNowait(1);
    return here.send(2, soon);
  },
  "send to an end that is closed": () => {
    const [here, there] = Pipe({ maxSize: 1 });
    here.sendNowait(1);
    later(() => there.close());
    return here.send(2);
  },
  "for await of an end that is closed": () => {
    const [here] = Pipe();
    later(() => here.close());
    return drain(here);
  },
  "hold timed out": () => {
    const lock = new Lock();
    lock.tryAcquire();
    return lock.hold(soon);
  },
  "hold of an RLock, released too often": () => new RLock().release(),
  "hold of a Semaphore timed out": () => new Semaphore(0).hold(soon),
  "a Barrier that is aborted": () => {
    const barrier = new Barrier(2);
    later(() => barrier.abort());
    return barrier.wait();
  },
  "a Barrier timed out": () => new Barrier(2).wait(soon),
  "waitSync of a Barrier timed out": () => new Barrier(2).waitSync(soon),
  "wait of a Condition that isn't held": () => new Condition().wait(),
  "waitFor of a Condition that isn't held any more": async () => {
    const condition = new Condition();
    await condition.acquire();
    return condition.waitFor(() => condition.release());
  },
  "join of what was not started": () => new Process({ target: targets.fail, args: ["x"] }).join(),
};

Deno.test("an error that ends a wait shows a line of the one who waited", async () => {
  for (const [name, wait] of Object.entries(waits)) {
    const error = await Promise.try(wait).then(() => undefined, (error) => error);
    assert.ok(error instanceof Error, `${name}: ${error}`);
    const frames = `${error.stack}`.split("\n    at ").slice(1);
    const isLine = (frame: string) =>
      frame.includes(`${name} (`) || /^(async )?drain \(/.test(frame);
    assert.ok(frames.some(isLine), `${name}: ${error.stack}`);
    const header = `${error.stack}`.split("\n")[0];
    assert.equal(header, `${error.name}: ${error.message.split("\n")[0]}`);
  }
});

Deno.test("a local wait without a timeout, which notes no line, shows that of the shutdown", async () => {
  const queue = new local.Queue();
  const waiting = queue.get();
  later(function shutsDown() {
    queue.shutdown();
  });
  await assert.rejects(waiting, (error: Error) => /shutsDown/.test(error.stack!));
});

Deno.test("an error that the program throws itself in a wait is left as it is", async () => {
  const condition = new Condition();
  await condition.acquire();
  const mine = new RangeError("mine");
  const { stack } = mine;
  const waiting = condition.waitFor(() => {
    throw mine;
  });
  await assert.rejects(waiting, (error) => error === mine && mine.stack === stack);
});

/** The stack with which this call of result() fails. */
async function firstAsks(process: Process<never, never>): Promise<string> {
  return await process.result().catch((error) => error.stack);
}

async function secondAsks(process: Process<never, never>): Promise<string> {
  return await process.result().catch((error) => error.stack);
}

Deno.test("each call of result() fails with an error that shows its own line", async () => {
  const process = failing() as unknown as Process<never, never>;
  const stacks = await Promise.all([firstAsks(process), secondAsks(process)]);
  assert.match(stacks[0], /firstAsks/);
  assert.doesNotMatch(stacks[0], /secondAsks/);
  assert.match(stacks[1], /secondAsks/);
  assert.match(await firstAsks(process), /firstAsks/);
  assert.match(await secondAsks(process), /secondAsks/);
  const blocking = () => process.resultSync();
  assert.throws(blocking, (error: Error) => /blocking/.test(error.stack!));
  const polling = () => process.resultNowait();
  assert.throws(polling, (error: Error) => /polling/.test(error.stack!));
  // What the target threw is one.
  const causes = await Promise.all([process.result(), process.result()].map((result) => {
    return result.catch((error) => error.cause);
  }));
  assert.equal(causes[0], causes[1]);
});

Deno.test("result() after join() shows the line that asked for it", async () => {
  const process = failing() as unknown as Process<never, never>;
  const asked = firstAsks(process);
  await process.join();
  await asked;
  assert.match(await firstAsks(process), /firstAsks/);
});

Deno.test("processes that fail in Promise.all show a line each, whichever fails first", async () => {
  const processes = [failing("suppressed", 30), failing("notFound"), failing("domException", 10)];
  const settled = await Promise.allSettled(processes.map((process) => process.result()));
  for (const result of settled) {
    assert.equal(result.status, "rejected");
    assert.match(result.status === "rejected" ? result.reason.stack : "", /call_site_test\.ts/);
  }
  await assert.rejects(
    Promise.all(processes.map((process) => process.result())),
    (error: Error) => {
      return /call_site_test\.ts/.test(error.stack!);
    },
  );
});

// What is printed

Deno.test("no cause is printed where there is none", async () => {
  const stopped = new Process({
    target: function wait() {
      for (;;);
    },
    by: "source",
  });
  stopped.start();
  stopped.terminate();
  const exited = new Process({
    target: function exit() {
      Deno.exit(3);
    },
    by: "source",
  });
  exited.start();
  const nothing = new Process({
    target: function fail() {
      throw undefined;
    },
    by: "source",
  });
  nothing.start();
  nothing.result().catch(() => {});
  const limited = new Process({
    target: function spin() {
      for (;;);
    },
    by: "source",
    timeLimit: 20,
  });
  limited.start();
  for (const process of [stopped, exited, nothing, limited]) {
    const error = await process.result().catch((error) => error);
    assert.equal("cause" in error, false, error.message);
    assert.doesNotMatch(Deno.inspect(error), /cause/);
  }
});

Deno.test("the reason of an aborted signal is the cause of the failure", async () => {
  for (const reason of [new RangeError("not needed"), "a text", { code: 7 }, undefined]) {
    const controller = new AbortController(), { signal } = controller;
    const process = new Process({
      target: function wait() {
        for (;;);
      },
      by: "source",
      signal,
    });
    process.start();
    controller.abort(reason);
    const error = await process.result().catch((error) => error);
    assert.equal(error.cause, signal.reason);
    assert.equal(error.exitCode, -15);
    assert.match(error.message, /was terminated.*its signal was aborted/);
    assert.equal((await process.result().catch((error) => error)).cause, signal.reason);
  }
});

Deno.test("a signal that is aborted after terminate() or kill() is not the cause", async () => {
  for (const end of ["terminate", "kill"] as const) {
    const controller = new AbortController(), { signal } = controller;
    const process = new Process({
      target: function wait() {
        for (;;);
      },
      by: "source",
      signal,
    });
    process.start();
    process[end]();
    controller.abort(new Error("too late"));
    const error = await process.result().catch((error) => error);
    assert.equal("cause" in error, false);
  }
});
