// The picture of the rooms, in Graphviz's language: the floors from the top down, and an arrow from each room to the
// rooms it imports. An arrow is left out where a longer path of arrows implies it (transitive reduction), and so are
// arrows to the ground floors that every room uses.

import { FLOORS, type Import, roomOf } from "./graph.ts";

/** Rooms that almost all others use. */
const GROUND = new Set(["platform", "errors", "printing", "validate"]);

/** The graph of the rooms. */
export function dotOf(imports: readonly Import[]): string {
  const uses = new Map<string, Set<string>>(FLOORS.flat().map((room) => [room, new Set<string>()]));
  const files = new Map<string, Set<string>>();
  for (const [from, to] of imports) {
    const above = roomOf(from), below = roomOf(to);
    for (const [room, file] of [[above, from], [below, to]]) {
      files.set(room, (files.get(room) ?? new Set<string>()).add(file));
    }
    if (above !== below && !GROUND.has(below)) uses.get(above)!.add(below);
  }
  /** Whether a path of arrows through another room leads there. */
  const reaches = (room: string, wanted: string): boolean => {
    const seen = new Set([wanted]), left = [...uses.get(room)!];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (uses.get(next)!.has(wanted)) return true;
      left.push(...uses.get(next)!);
    }
    return false;
  };
  const lines = FLOORS.flat().filter((room) => files.has(room) && !GROUND.has(room)).map((room) => {
    const count = files.get(room)!.size;
    const label = room === "mod" || room === "local" ? `${room}.ts` : `${room}  (${count})`;
    return `  "${room}" [label="${label}"]`;
  });
  const ground = [...GROUND].map((room) => `${room} (${files.get(room)?.size ?? 0})`).join("   ");
  const ranks = FLOORS.filter((rooms) => rooms.some((room) => files.has(room) && !GROUND.has(room)))
    .map((rooms) => `  { rank=same; ${rooms.map((room) => `"${room}"`).join("; ")} }`);
  const arrows = [...uses].flatMap(([room, below]) =>
    [...below].filter((next) => !reaches(room, next)).map((next) => `  "${room}" -> "${next}"`)
  );
  const spine = FLOORS.filter(([room]) => !GROUND.has(room)).map(([room]) => room).reverse();
  return `digraph rooms {
  bgcolor="white"; nodesep=0.3; ranksep=0.3
  node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#5b7db1", fontname="Helvetica,Arial,sans-serif", fontsize=12, margin="0.2,0.08"]
  edge [color="#5b7db1", arrowsize=0.6]
${lines.join("\n")}
${ranks.join("\n")}
${spine.slice(1).map((room, i) => `  "${spine[i]}" -> "${room}" [style=invis]`).join("\n")}
${arrows.join("\n")}
  ground [label="used by all:   ${ground}", fillcolor="#f4f4f4", color="#999999"]
  "${spine.at(-1)}" -> ground [style=invis]
}
`;
}
