// 10 snippets nobody trusts, each in a fresh sandbox without any permission, and with a time limit.

import { Pool, TaskError } from "@multiproc/multiprocessing";

export function evaluate(code: string): unknown {
  return new Function(code)();
}

if (import.meta.main) {
  const hostile = [
    "while (true);",
    "Deno.exit(1)",
    "return Deno.env.get('HOME')",
    "throw new Error('no')",
  ];
  const snippets = Array.from({ length: 10 }, (_, i) => {
    return i % 5 === 0 ? `return ${i} * ${i}` : hostile[i % 5 - 1];
  });
  const began = performance.now();
  let returned = 0, wrong = 0;
  const ends: Record<string, number> = {};
  {
    await using pool = new Pool({
      processes: 2,
      spares: 2, // loaded sandboxes that wait
      permissions: "none",
      maxTasksPerChild: 1, // a fresh one for each
    });
    const outcomes = pool.imapIndexed(evaluate, snippets, {
      timeLimit: 1000,
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
  console.log(`${Math.round(10 / (performance.now() - began) * 1000)} a second`);
}
