// The soak (tests/soak/main.ts) for a few seconds, to show that it works.

import assert from "node:assert/strict";
import { granted } from "./support/programs.ts";

/** In minutes. */
const SHORT = 0.05;

const everything = (await Deno.permissions.query({ name: "env" })).state === "granted" &&
  (await Deno.permissions.query({ name: "sys" })).state === "granted";

Deno.test({
  name: "three seconds of the soak end without a violation (needs --allow-all)",
  ignore: !granted || !everything,
  fn: async () => {
    const soak = new URL("./soak/main.ts", import.meta.url).href;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", soak, "--minutes", `${SHORT}`],
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
    assert.equal(code, 0, text);
    assert.match(text, /^seed \d+, /);
    assert.match(text, /\n +\d+ {2}kills\n/);
    assert.match(text, /\nno violation\n/);
  },
});
