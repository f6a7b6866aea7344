// Fails where there is no Redis server to test with, and says how to install it.

import { hasServer } from "./server.ts";

if (!await hasServer()) {
  console.error("There is no redis-server on the PATH. Install it: apt-get install redis-server");
  Deno.exit(1);
}
