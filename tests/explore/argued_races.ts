// The intentional data races. The code argues for each of them where it
// stands; all other data races are failures.

/** A plain access that may race. */
interface Argued {
  readonly file: string;
  /** What is in its line, once in the file. */
  readonly text: string;
}

const ARGUED: readonly Argued[] = [
  // Whether a get need take the lock at all.
  { file: "lib/shm/mpmc_ring.ts", text: "header[PUT_COUNT_SEEN] === header[GOT_COUNT] &&" },
  { file: "lib/shm/mpmc_ring.ts", text: "header[PUT_COUNT_SEEN] = put;" },
  { file: "lib/shm/mpmc_ring.ts", text: "header[PUT_COUNT_SEEN] = putNow;" },
  // How many bytes are in use, as putters and statistics see it.
  { file: "lib/shm/mpmc_ring.ts", text: "header[GOT_UNITS + next] = " },
  { file: "lib/shm/mpmc_ring.ts", text: "header[GOT_UNITS + other] = " },
];

const PLAIN = /(\S+):(\d+):\d+ \w+ \(plain\)/g;

/** Those races, of what races were found, that nothing in the code argues for. */
export function unargued(found: Iterable<string>, root: string): string[] {
  const allowed = new Set(ARGUED.map((argued) => `${argued.file}:${lineOf(argued, root)}`));
  return [...found].filter((race) =>
    ![...race.matchAll(PLAIN)].every(([, file, line]) => allowed.has(`${file}:${line}`))
  );
}

function lineOf({ file, text }: Argued, root: string): number {
  const parts = Deno.readTextFileSync(`${root}/${file}`).split(text);
  if (parts.length !== 2) {
    throw new Error(`${file}: "${text}" is there ${parts.length - 1} times: see argued_races.ts.`);
  }
  return parts[0].split("\n").length;
}
