// 50 snippets nobody trusts, each in a fresh sandbox without any permission, and with a time limit of 200 ms.
// It takes some seconds; 500 of them, with another limit, take a minute: deno run sandbox_pool.ts 500 1000

import { Pool, TaskError } from "@multiproc/multiprocessing";

export function evaluate(code: string): unknown {
  return new Function(code)();
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 50), timeLimit = Number(Deno.args[1] ?? 200);
  const hostile = [
    "while (true);",
    "Deno.exit(1)",
    "return Deno.env.get('HOME')",
    "throw new Error('no')",
  ];
  const snippets = Array.from({ length: count }, (_, i) => {
    return i % 5 === 0 ? `return ${i} * ${i}` : hostile[i % 5 - 1];
  });
  const began = performance.now();
  let returned = 0, wrong = 0;
  const ends: Record<string, number> = {};
  {
    await using pool = new Pool({
      processes: 2,
      spares: 4, // loaded sandboxes that wait
      permissions: "none",
      maxTasksPerChild: 1, // a fresh one for each
    });
    const outcomes = pool.imapIndexed(evaluate, snippets, {
      timeLimit,
      returnExceptions: true,
    });
    for await (const [i, result] of outcomes) {
      if (!(result instanceof TaskError)) {
        returned++;
        if (result !== i * i) wrong++;
      } else {
        const end = result.limit ?? (result.cause as Error | undefined)?.name ?? "exit";
        ends[end] = (ends[end] ?? 0) + 1;
      }
    }
  }
  const others = Object.entries(ends).sort().map(([end, count]) => `${count} ${end}`);
  console.log(`${returned} returned, ${wrong} of them wrong; ${others.join(", ")}`);
  console.log(`${Math.round(count / (performance.now() - began) * 1000)} a second`);
}
