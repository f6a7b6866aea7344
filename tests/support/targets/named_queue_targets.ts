// Targets of the tests of named queues; the same terms as in queue_targets.ts.

import { Queue, QueueShutDown } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** Opens a queue by its name, and answers on it. */
export async function answer(name: string): Promise<string> {
  const [questions, answers] = await Promise.all([
    Queue.open<string>(name),
    Queue.open<string>(`${name}: answers`),
  ]);
  const question = await questions.get();
  await answers.put(`${question}? Yes.`);
  return `${questions.name}, ${questions.maxSize}, ${await Queue.open(name) === questions}`;
}

/** Says that it begins, then opens a queue that may not be there yet, and gets an item. */
export async function openAndGet(ready: Queue<string>, name: string): Promise<string> {
  await ready.put("opening");
  const queue = await Queue.open<string>(name);
  return await queue.get();
}

/** Makes a queue of a name, with something in it, and lives until `end` is shut down. */
export async function make(ready: Queue<string>, end: Queue<string>, name: string) {
  const queue = new Queue<string>({ name, maxSize: 3 });
  await queue.put("made by a child");
  await ready.put("made");
  for await (const _ of end);
}

/** Opens a queue, says so, and gets until it is shut down; whether a put then fails so, too. */
export async function openUntilShutDown(ready: Queue<string>, name: string) {
  const queue = await Queue.open<string>(name);
  await ready.put("opened");
  const got: string[] = [];
  for await (const item of queue) got.push(item);
  try {
    queue.putNowait("late");
    return "the put succeeded";
  } catch (error) {
    return error instanceof QueueShutDown ? got.join() : String(error);
  }
}

/** Listens on a BroadcastChannel of the platform; how many messages come before the last one. */
export async function countMessages(ready: Queue<string>, channel: string): Promise<number> {
  const ear = new BroadcastChannel(channel);
  let heard = 0;
  const last = new Promise<void>((resolve) => {
    ear.onmessage = ({ data }) => {
      if (data === "last") resolve();
      else heard++;
    };
  });
  await ready.put("listening");
  await last;
  ear.close();
  return heard;
}

/**
 * Says things on the package's own channel that only look like its announcements: about `name`,
 * and, if that is `sought`, in answer to the first question for it.
 */
export async function forge(channel: string, name: string, sought: boolean) {
  const forger = new BroadcastChannel(channel);
  const question = new Promise<Record<string, unknown>>((resolve) => {
    forger.onmessage = ({ data }) => {
      if (data?.type === "find" && data.name === name) resolve(data);
    };
  });
  const { id } = sought ? await question : { id: "none" };
  const find = { type: "find", id, name }, here = { type: "here", id, name };
  const forged: unknown[] = [
    null,
    "look",
    42,
    {},
    { type: "unheard of" },
    { type: "look", extra: true },
    { type: "find" },
    find,
    { ...find, ticket: null },
    { ...find, ticket: new Int32Array(0) },
    { ...find, ticket: new Int32Array(1) },
    { ...find, ticket: new Int32Array(new SharedArrayBuffer(0)) },
    { ...find, ticket: new Uint8Array(4) },
    { ...find, name: 7, ticket: new Int32Array(1) },
    { type: "here" },
    here,
    { ...here, serialized: null },
    { ...here, serialized: { kind: "unheard of", content: {} } },
    { ...here, serialized: { kind: "Queue", content: {} } },
    { ...here, serialized: { kind: "Queue" } },
    { ...here, serialized: { kind: "Queue", content: { ring: { header: "no" } } } },
    { ...here, name: "__proto__", serialized: { kind: "constructor", content: [] } },
  ];
  for (const message of forged) forger.postMessage(message);
  forger.close();
}
