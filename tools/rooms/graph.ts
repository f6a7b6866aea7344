// The floors of lib/, and the rules of imports between them: a file imports from its own room and from the floors
// below, and files never import each other in a circle.

/** The rooms of each floor, from the ground up. Rooms of one floor don't import each other. */
export const FLOORS: readonly (readonly string[])[] = [
  ["platform"],
  ["errors", "printing"],
  ["validate"],
  ["codec"],
  ["liveness", "telemetry"],
  ["transfer"],
  ["shm"],
  ["wait"],
  ["queue"],
  ["queue/shared", "queue/local", "pipe", "sync"],
  ["protocol"],
  ["target"],
  ["host", "bridge"],
  ["process"],
  ["inspect"],
  ["trace"],
  ["pool"],
  ["redis", "monitor"],
  ["child"],
  ["mod", "local"],
];

const ROOMS: ReadonlySet<string> = new Set(FLOORS.flat());

/** A file that imports another one, both by their paths in the project. */
export type Import = readonly [from: string, to: string];

/** The part of `deno info --json` that is used. */
interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
  }[];
}

/**
 * The room of a file: the innermost folder in lib/ that is on one of the floors, or the file's own name
 * if no such folder contains it.
 */
export function roomOf(path: string): string {
  const [, folder] = /^lib\/(.+)\/[^/]+$/.exec(path) ?? [];
  if (folder === undefined) return path.replace(/^.*\/|\.ts$/g, "");
  return ROOMS.has(folder) ? folder : folder.replace(/\/.*/, "");
}

/** All imports among the files of mod.ts, local.ts and lib/. */
export async function importsOf(root: URL): Promise<Import[]> {
  const left = new Set(["mod.ts", "local.ts", ...filesIn(root, "lib/")]);
  const known = new Map<string, Import>();
  for (const file of left) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", file],
      cwd: root,
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const { modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
    for (const { specifier, error, dependencies } of modules) {
      if (error !== undefined) throw new Error(error);
      if (!specifier.startsWith(root.href)) continue;
      const from = specifier.slice(root.href.length);
      left.delete(from);
      for (const { code, type } of dependencies ?? []) {
        for (const target of [code?.specifier, type?.specifier]) {
          if (!target?.startsWith(root.href)) continue;
          const to = target.slice(root.href.length);
          known.set(`${from} ${to}`, [from, to]);
        }
      }
    }
  }
  return [...known.keys()].sort().map((key) => known.get(key)!);
}

function* filesIn(root: URL, folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    if (isDirectory) yield* filesIn(root, `${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

function floorOf(room: string): number {
  const floor = FLOORS.findIndex((rooms) => rooms.includes(room));
  if (floor < 0) throw new Error(`${room} stands on no floor: see tools/rooms/graph.ts`);
  return floor;
}

/** The imports that don't run to a lower floor, in words. */
export function wrongImports(imports: readonly Import[]): string[] {
  return imports.flatMap(([from, to]) => {
    const above = roomOf(from), below = roomOf(to);
    if (above === below) return [];
    const rise = floorOf(below) - floorOf(above);
    if (rise < 0) return [];
    return [`${from} imports ${to}, which is ${rise === 0 ? "beside" : "above"} it`];
  });
}

/** The circles of files: each strongly connected component of several (Tarjan, 1972). */
export function circlesOf(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const [from, to] of imports) next.set(from, [...next.get(from) ?? [], to]);
  const order = new Map<string, number>(), lowest = new Map<string, number>();
  const path: string[] = [], circles: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    path.push(file);
    for (const to of next.get(file) ?? []) {
      if (!order.has(to)) visit(to);
      if (path.includes(to)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(to)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const members = path.splice(path.indexOf(file));
    if (members.length > 1) circles.push(members);
  };
  for (const file of next.keys()) if (!order.has(file)) visit(file);
  return circles;
}
