// Who may read the page: those who know its URL. Other programs of the machine can reach the port, and a page in the
// browser can make it send requests there, under a name of its own that leads to 127.0.0.1 (DNS rebinding). So the
// token in the path is compared, in a time that doesn't tell how much of it is right, and Host and Origin must be
// those of the server.

import * as primordials from "../platform/primordials.ts";

const { StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeSlice, URL } =
  primordials;

const HTTP = "http://";
/** The port of http: browsers leave it out of Host and Origin. */
const HTTP_PORT = 80;

/** The part of a request that is looked at. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

/** The answer of admit(): the path behind the token, or the status of the refusal. */
export type Admission = { path: string; query: URLSearchParams } | 403 | 405;

/** Decides about a request. */
export function admit(
  request: Asked,
  { token, port }: { token: string; port: number },
): Admission {
  const url = new URL(request.url), path = StringPrototypeSlice(url.pathname, 1);
  const slash = StringPrototypeIndexOf(path, "/");
  // Nothing is decided before all is compared.
  const isKnown = isSame(slash < 0 ? path : StringPrototypeSlice(path, 0, slash), token);
  const isHere = isOwnHost(request.headers.get("host"), port);
  const origin = request.headers.get("origin"), site = request.headers.get("sec-fetch-site");
  const isFromHere = origin === null || isOwnOrigin(origin, port);
  const isOwnSite = site === null || site === "same-origin" || site === "none";
  if (!isKnown || slash < 0 || !isHere || !isFromHere || !isOwnSite) return 403;
  if (request.method !== "GET" && request.method !== "HEAD") return 405;
  return { path: StringPrototypeSlice(path, slash + 1), query: url.searchParams };
}

function isOwnHost(host: string | null, port: number): boolean {
  if (host === `127.0.0.1:${port}` || host === `localhost:${port}`) return true;
  return port === HTTP_PORT && (host === "127.0.0.1" || host === "localhost");
}

function isOwnOrigin(origin: string, port: number): boolean {
  return StringPrototypeSlice(origin, 0, HTTP.length) === HTTP &&
    isOwnHost(StringPrototypeSlice(origin, HTTP.length), port);
}

/** Whether two texts are the same, in a time that depends on the length of the first alone. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < given.length; i++) {
    difference |= StringPrototypeCharCodeAt(given, i) ^
      StringPrototypeCharCodeAt(expected, i % expected.length);
  }
  return difference === 0;
}
