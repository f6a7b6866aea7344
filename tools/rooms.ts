// Draws docs/rooms.svg: which room imports which, according to `deno info`, including imports of types and dynamic
// imports.
//
//   deno task rooms            draws it, and lists the imports that break the rules
//   deno task rooms --check    fails if the picture isn't current, an import runs to a floor above its own
//                              or to another room of the same floor, or files import each other in a circle

// Imported here and not in deno.json, where running an example would have to resolve it.
// deno-lint-ignore no-import-prefix
import { instance } from "npm:@viz-js/viz@3.28.0";
import { circlesOf, FLOORS, importsOf, roomOf, wrongImports } from "./rooms/graph.ts";
import { dotOf } from "./rooms/picture.ts";

const root = new URL("../", import.meta.url);
const picture = new URL("docs/rooms.svg", root);

const imports = await importsOf(root);
const faults = [
  ...wrongImports(imports),
  ...circlesOf(imports).map((files) =>
    `each of these imports itself, through others: ${files.join(", ")}`
  ),
];
for (const fault of faults) console.error(fault);
const isCheck = Deno.args.includes("--check");
if (isCheck && faults.length > 0) Deno.exit(1);

const svg = (await instance()).renderString(dotOf(imports), { format: "svg" })
  .replace(/<!--[^]*?-->\n?/g, "")
  .replace(/^<\?xml[^]*?<svg /, "<svg ");
if (!isCheck) await Deno.writeTextFile(picture, svg);
else if (await Deno.readTextFile(picture) !== svg) {
  console.error("docs/rooms.svg is not current. Run `deno task rooms`.");
  Deno.exit(1);
}
const rooms = new Set(imports.map(([from]) => roomOf(from)));
console.log(`${rooms.size} rooms on ${FLOORS.length} floors, ${imports.length} imports`);
