// Copies the examples into README.md, each below its `<!-- examples/NAME.ts -->`, so that what a
// reader sees is what runs. With --check it writes nothing and fails if README.md isn't current.

const readme = new URL("../README.md", import.meta.url);
const before = await Deno.readTextFile(readme);
let after = before;
for (const [whole, path] of before.matchAll(/<!-- (examples\/\w+\.ts) -->\n\n```ts\n[^]*?```/g)) {
  const example = await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
  after = after.replace(whole, () => `<!-- ${path} -->\n\n\`\`\`ts\n${example}\`\`\``);
}
if (after === before) Deno.exit(0);
if (Deno.args.includes("--check")) {
  console.error("The examples in README.md are not current. Run `deno task readme`.");
  Deno.exit(1);
}
await Deno.writeTextFile(readme, after);
