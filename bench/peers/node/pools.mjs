// Pools of npm under Node: makes the requested measurements, a request and an answer a line.
// What is timed mirrors pool_bench.ts.
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Piscina, { move } from "piscina";
import { Tinypool } from "tinypool";
import workerpool from "workerpool";

const filename = fileURLToPath(new URL("tasks.mjs", import.meta.url));

/** How each pool is made, called and closed. */
const POOLS = {
  piscina(workers) {
    const pool = new Piscina({
      filename,
      minThreads: workers,
      maxThreads: workers,
    });
    return {
      run: (name, value) => pool.run(value, { name }),
      pass: (bytes) => pool.run(move(bytes), { name: "passPiscina" }),
      close: () => pool.destroy(),
    };
  },
  tinypool(workers) {
    const pool = new Tinypool({
      filename,
      minThreads: workers,
      maxThreads: workers,
    });
    return {
      run: (name, value) => pool.run(value, { name }),
      pass: (bytes) => pool.run(Tinypool.move(bytes), { name: "passTinypool" }),
      close: () => pool.destroy(),
    };
  },
  workerpool(workers) {
    const pool = workerpool.pool(filename, {
      minWorkers: workers,
      maxWorkers: workers,
      workerType: "thread",
      workerThreadOpts: { env: { ...process.env, BENCH_POOL: "workerpool" } },
    });
    return {
      run: (name, value) => pool.exec(name, [value]),
      pass: (bytes) =>
        pool.exec("passWorkerpool", [bytes], { transfer: [bytes.buffer] }),
      close: () => pool.terminate(),
    };
  },
};

const MIB = 2 ** 20;

/** The calls of each kind of task. */
const CALLS = {
  nothing: ({ run }) => () => run("nothing", undefined),
  object: ({ run }, value) => () => run("echo", value),
  copied: ({ run }) => {
    const bytes = new Uint8Array(MIB);
    return () => run("echo", bytes);
  },
  moved: ({ pass }) => () => pass(new Uint8Array(MIB)),
};

const open = new Map();

/** A pool that is made at the first request and kept, so that it is warm. */
function kept(name, workers) {
  const key = `${name} ${workers}`;
  if (!open.has(key)) open.set(key, POOLS[name](workers));
  return open.get(key);
}

const MEASUREMENTS = {
  /** Milliseconds for `count` calls, so many of them in flight. */
  async calls({ pool, workers, task, value, inFlight, warmUp, count }) {
    const call = CALLS[task](kept(pool, workers), value);
    const flow = async (count) => {
      let left = count;
      const line = async () => {
        while (left-- > 0) await call();
      };
      await Promise.all(Array.from({ length: inFlight }, line));
    };
    await flow(warmUp);
    const start = performance.now();
    await flow(count);
    return { ms: performance.now() - start };
  },
  /** Milliseconds for `count` items, all submitted at once. */
  async map({ pool, workers, count }) {
    const { run } = kept(pool, workers);
    const start = performance.now();
    await Promise.all(
      Array.from({ length: count }, (_, n) => run("square", n)),
    );
    return { ms: performance.now() - start };
  },
  /** Milliseconds from the making of a pool to its first result. */
  async first({ pool, workers }) {
    const start = performance.now();
    const { run, close } = POOLS[pool](workers);
    await run("nothing", undefined);
    const ms = performance.now() - start;
    await close();
    return { ms };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { measure, ...request } = JSON.parse(line);
  console.log(JSON.stringify(await MEASUREMENTS[measure](request)));
}
for (const { close } of open.values()) await close();
