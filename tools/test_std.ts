// Runs tests/std: this package together with @std/async, checked with @std/assert, as JSR has them.
// Exit status 0 says that they ran and passed, 1 that something failed, 2 that they did not run
// because JSR can't be reached and Deno's cache doesn't have them.

const root = new URL("../", import.meta.url);
const config = ["--config", "tests/std/deno.json"];
const modules = ["tests/std/queues.ts", "tests/std/processes.ts"];

async function deno(args: string[], stderr: "inherit" | "piped"): Promise<[number, string]> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: root, stderr, stdout: "inherit" });
  const child = command.spawn();
  const errors = stderr === "piped" ? await new Response(child.stderr).text() : "";
  return [(await child.status).code, errors];
}

const [code, errors] = await deno(["cache", "--quiet", ...config, ...modules], "piped");
if (/package manifest for '@std\/\w+' failed to load/.test(errors)) {
  console.error("JSR can't be reached: tests/std was not run.");
  Deno.exit(2);
}
if (code !== 0) {
  console.error(errors);
  Deno.exit(1);
}
const args = ["test", "--allow-read", "--cached-only", ...config, ...modules];
const [failed] = await deno(args, "inherit");
Deno.exit(failed === 0 ? 0 : 1);
