// Who may read the page of the monitor.

import assert from "node:assert/strict";
import { type Admission, admit } from "../../lib/monitor/guard.ts";

const token = "0123456789abcdef".repeat(4), port = 4711, host = `127.0.0.1:${port}`;

function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Admission {
  const request = new Request(`http://${host}${path}`, { method });
  const all = new Headers({ host, ...headers });
  return admit({ method, url: request.url, headers: all }, { token, port });
}

Deno.test("the token is compared as a whole", () => {
  assert.equal((ask(`/${token}/data?filter=a`) as { path: string }).path, "data");
  assert.equal((ask(`/${token}/`) as { path: string }).path, "");
  const wrong = [token.slice(1), `${token}0`, token + token, token.replace("0", "1"), "", "x"];
  for (let i = 0; i < token.length; i++) {
    wrong.push(`${token.slice(0, i)}${token[i] === "f" ? "0" : "f"}${token.slice(i + 1)}`);
  }
  for (const one of wrong) assert.equal(ask(`/${one}/data`), 403, one);
  for (const path of [`/${token}`, `//${token}/`, `/a/${token}/data`, "/"]) {
    assert.equal(ask(path), 403, path);
  }
});

Deno.test("Host, Origin and Sec-Fetch-Site are those of the server, whatever the method", () => {
  const data = `/${token}/data`;
  for (const method of ["GET", "HEAD", "POST", "PUT"]) {
    const right = method === "GET" || method === "HEAD" ? "object" : "number";
    for (const name of [host, `localhost:${port}`]) {
      const given = ask(data, { host: name, origin: `http://${name}` }, method);
      assert.equal(typeof given, right);
      if (right === "number") assert.equal(given, 405);
    }
    for (const name of ["evil.example", `evil.example:${port}`, "127.0.0.1", `[::1]:${port}`, ""]) {
      assert.equal(ask(data, { host: name }, method), 403, name);
    }
    for (const origin of ["null", "http://evil.example", `https://${host}`, `http://${host}.x`]) {
      assert.equal(ask(data, { origin }, method), 403, origin);
    }
    for (const site of ["cross-site", "same-site", ""]) {
      assert.equal(ask(data, { "sec-fetch-site": site }, method), 403, site);
    }
  }
});

Deno.test("on port 80, Host and Origin may be without the port", () => {
  const data = `/${token}/data`;
  const at80 = (given: Record<string, string>) => {
    const headers = new Headers({ host: "127.0.0.1", ...given });
    return admit({ method: "GET", url: `http://127.0.0.1${data}`, headers }, { token, port: 80 });
  };
  for (const host of ["127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"]) {
    assert.equal(typeof at80({ host }), "object", host);
    assert.equal(typeof at80({ host, origin: `http://${host}` }), "object", host);
  }
  for (const host of ["evil.example", "evil.example:80", "127.0.0.1:81", "127.0.0.1.x", ""]) {
    assert.equal(at80({ host }), 403, host);
    assert.equal(at80({ origin: `http://${host}` }), 403, host);
  }
  for (const origin of ["https://127.0.0.1", "127.0.0.1", "null"]) {
    assert.equal(at80({ origin }), 403, origin);
  }
});
