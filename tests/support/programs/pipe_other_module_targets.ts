// The target of pipe_other_module.ts.

import type { Connection } from "@multiproc/multiprocessing";

export async function name(connection: Connection<object[]>) {
  const lines: string[] = [];
  for await (const message of connection) {
    // By source, a class of the package may have a name with a "_" before it.
    const names = message.map((object) => object.constructor.name.replace("_", ""));
    lines.push(names.join(" "));
  }
  return lines;
}
