// A process that was started keeps neither its target nor its arguments alive, and a closed one
// nothing at all; run with --expose-gc. With an argument, the same is done in a child.

import { Event, Process, type ProcessOptions, Queue, sleep } from "@multiproc/multiprocessing";

/** What the processes are given. */
type Given = [bytes: Uint8Array[], ready: Queue<string>, go: Event];

/** Starts one after the other, and says what is still held of each. */
export async function check(kinds: string[], bytes: number): Promise<string[]> {
  const gc: () => void = Reflect.get(globalThis, "gc");
  const isCollected = async (refs: WeakRef<object>[]) => {
    for (let rounds = 0; rounds < 200; rounds++) {
      // In a job of its own: what was looked at stays until the end of the job.
      await sleep(1);
      gc();
      await sleep(1);
      if (refs.every((ref) => ref.deref() === undefined)) return "collected";
    }
    return refs.map((ref) => ref.deref() === undefined ? "collected" : "held").join();
  };
  const options: Record<string, Partial<ProcessOptions>> = {
    plain: {},
    limited: { timeLimit: 60_000 },
    // With gc() the realm can't be sealed.
    sandboxed: { permissions: "none", sealed: false, maxResultBytes: 2 * bytes },
    aborted: { signal: new AbortController().signal },
  };
  const said: string[] = [];
  for (const kind of kinds) {
    const ready = new Queue<string>(), go = new Event();
    const [process, ...given] = (() => {
      const data = new Uint8Array(bytes), list = [data];
      const target = async ([bytes]: Uint8Array[], ready: Queue<string>, go: Event) => {
        await ready.put("ready");
        await go.wait();
        return { length: bytes.length, bytes };
      };
      const args: Given = [list, ready, go];
      const process = new Process<Given, { length: number; bytes: Uint8Array }>({
        ...{ target, args, by: "source" },
        ...options[kind] as object,
      });
      process.start();
      return [
        process,
        new WeakRef(data),
        new WeakRef(list),
        new WeakRef(target),
        new WeakRef(args),
      ];
    })();
    said.push(`${kind}, started: ${await isCollected(given)}`);
    await ready.get();
    go.set();
    const result = await (async () => {
      const result = await process.result();
      if (result.length !== bytes) throw new Error(`${result.length} bytes`);
      return [new WeakRef(result), new WeakRef(result.bytes)];
    })();
    await sleep(1);
    gc();
    const held = result.every((ref) => ref.deref() !== undefined) ? "held" : "lost";
    process.close();
    said.push(`${kind}, result: ${held}, closed: ${await isCollected(result)}`);
    process.close(); // so that the object itself is held until here
  }
  return said;
}

if (import.meta.main) {
  const kinds = ["plain", "limited", "aborted", "sandboxed"];
  for (const line of await check(kinds, 50 * 2 ** 20)) console.log(line);
  const nested = new Process({ target: check, args: [["plain", "limited"], 50 * 2 ** 20] });
  nested.start();
  for (const line of await nested.result()) console.log(`in a child: ${line}`);
  const { external, heapUsed } = Deno.memoryUsage();
  console.log(
    external + heapUsed < 50 * 2 ** 20 ? "less than one argument" : `${external + heapUsed}`,
  );
}
