// The programs of docs/across-machines.md, one after the other, with a server of the tests'.

import { checkAll, programsOf, root } from "../support/documented.ts";
import { Server } from "./support/server.ts";

const page = await Deno.readTextFile(new URL("docs/across-machines.md", root));

Deno.test("docs/across-machines.md: every program runs as it says, and prints what it shows", async () => {
  await using server = await Server.start();
  const programs = programsOf(page.replaceAll("6379", `${server.port}`));
  for (const program of programs) await checkAll([program]);
});
