// The thread of the monitor: it serves the page and the snapshots, also while the main process is blocked. It only
// reads. The thread runs no code of the user's, so the globals that Deno gives it are as they were.

import { markInspector } from "../liveness/wait_board.ts";
import { noteBoard } from "../inspect/listen.ts";
import type { Connection } from "../pipe/connection.ts";
import { admit } from "./guard.ts";
import type { Listening, MonitorSetup, News, PageFile } from "./protocol.ts";
import { Snapshots } from "./snapshot.ts";
import { Watched } from "./watched.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeJoin,
  Atomics,
  crypto,
  Date,
  each,
  Error,
  Int32Array,
  Object,
  StringPrototypeSlice,
} = primordials;

/** The most characters of a filter. */
const MOST_FILTER = 100;

/** The target of the thread. */
export async function serveInspections(
  main: Connection<News, Listening>,
  { port: wanted, token, files, asked }: MonitorSetup,
): Promise<void> {
  markInspector();
  const watched = new Watched(),
    snapshots = new Snapshots(watched),
    lastAsked = new Int32Array(asked);
  let port = 0;
  const answer = (request: Request): Response => {
    const admission = admit(request, { token, port });
    if (admission === 403) return new Response("Forbidden", { status: 403, headers: PLAIN });
    if (admission === 405) {
      const headers = { ...PLAIN, allow: "GET, HEAD" };
      return new Response("Method Not Allowed", { status: 405, headers });
    }
    const { path, query } = admission, isBodyWanted = request.method === "GET";
    if (path === "data") {
      Atomics.store(lastAsked, 0, Date.now() / 1000 | 0);
      const filter = StringPrototypeSlice(query.get("filter") ?? "", 0, MOST_FILTER);
      const text = isBodyWanted
        ? snapshots.text({ filter, order: query.get("order") ?? "" })
        : null;
      return new Response(text, { headers: { ...PLAIN, "content-type": "application/json" } });
    }
    const name = path === "" ? "index.html" : path;
    if (!Object.hasOwn(files, name)) {
      return new Response("Not Found", { status: 404, headers: PLAIN });
    }
    return page(files[name], isBodyWanted);
  };
  try {
    const server = globalThis.Deno.serve({
      ...{ hostname: "127.0.0.1", port: wanted },
      onListen: () => {},
      onError: () => new Response("Internal Server Error", { status: 500, headers: PLAIN }),
    }, answer);
    port = server.addr.port;
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(`${error}`);
    await main.send({ name, message });
    return;
  }
  await main.send({ port });
  for (;;) {
    const { at, made, gone, untold, boards, pools } = await main.recv();
    for (const object of each(made)) watched.add(object);
    for (const id of each(gone)) watched.remove(id);
    for (const board of each(boards)) noteBoard(board);
    snapshots.toldAt = at;
    snapshots.untold = untold;
    if (pools !== undefined) snapshots.pools = pools;
  }
}

/** The headers of all answers. */
const PLAIN = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'",
};

function page({ type, parts }: PageFile, isBodyWanted: boolean): Response {
  const nonce = crypto.randomUUID();
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'";
  const headers = { ...PLAIN, "content-type": type, "content-security-policy": policy };
  return new Response(isBodyWanted ? ArrayPrototypeJoin(parts, nonce) : null, { headers });
}
