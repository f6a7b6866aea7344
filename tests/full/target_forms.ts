// Which function runs, and how it is found, in forms of programs that the table of docs/targets.md doesn't have:
// each is written into a folder of its own and run with the flags in question.

import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

/** What every program has: go() prints "R:" and what the target returned, or "E:" and the error. */
const START = `import { Process } from "@multiproc/multiprocessing";
async function go(options) {
  if (!import.meta.main) return;
  try {
    const process = new Process(options);
    process.start();
    console.log("R:" + JSON.stringify(await process.result({ timeout: 20_000 })));
  } catch (error) {
    console.log("E:" + error.message);
  }
}
`;

interface Form {
  files: Record<string, string>;
  /** The lines that are printed, by the flags with which the program runs; "E" stands for an error. */
  printed: Partial<Record<"" | "--allow-read" | "--allow-all" | string, string[]>>;
  links?: Record<string, string>;
  /** What the folder's name ends with. */
  suffix?: string;
  main?: string;
  /** Is given as the standard input. */
  input?: string;
  command?: string[];
}

const anyRead = (printed: string[]) => ({ "--allow-read": printed, "--allow-all": printed });
const always = (printed: string[]) => ({ "": printed, ...anyRead(printed) });
const TIMES = "const k = 2; export const f = (n) => n * k;";

const forms: Record<string, Form> = {
  "static methods, decorated or not": {
    files: {
      "main.ts":
        `function log(f) { return function (...a) { return "logged " + f.apply(this, a); }; }
export class Tasks { @log static work(n) { return n * 2; } static plain(n) { return n * 3; } }
await go({ target: Tasks.work, args: [2] });
await go({ target: Tasks.plain, args: [2] });`,
    },
    printed: always(["E", "R:6"]),
  },
  "made in a static block": {
    files: {
      "main.ts": `class A { static f; static g;
  static { const make = (k) => (n) => n * k; A.f = make(2); A.g = make(3); } }
await go({ target: A.f, args: [5] });
await go({ target: A.g, args: [5] });`,
    },
    printed: always(["E", "E"]),
  },
  "what a getter returns": {
    files: {
      "main.ts":
        `const o = { get f() { return (n) => n * 5; } };\nawait go({ target: o.f, args: [2] });`,
    },
    printed: always(["R:10"]),
  },
  "exported again under another name, and as a whole": {
    files: {
      "a.ts": TIMES,
      "b.ts": `export { f as renamed } from "./a.ts"; export * as whole from "./a.ts";`,
      "c.ts": `export * as deep from "./b.ts";`,
      "main.ts": `import { renamed } from "./b.ts"; import { deep } from "./c.ts";
await go({ target: renamed, args: [4] });
await go({ target: deep.whole.f, args: [5] });`,
    },
    printed: { "": ["E", "E"], ...anyRead(["R:8", "R:10"]) },
  },
  "two functions that are exported by each other's names": {
    files: {
      "main.ts": `const k = 2; function a(n) { return n * k; } function c(n) { return n + k; }
export { a as c, c as a };
await go({ target: a, args: [4] });
await go({ target: c, args: [4] });`,
    },
    printed: anyRead(["R:8", "R:6"]),
  },
  "anonymous default exports": {
    files: {
      "a.ts": "const k = 2; export default (n) => n * k;",
      "b.ts": "const k = 3; export default function (n) { return n * k; }",
      "main.ts": `import a from "./a.ts"; import b from "./b.ts";
await go({ target: a, args: [4] });
await go({ target: b, args: [4] });`,
    },
    printed: { "": ["E", "E"], ...anyRead(["R:8", "R:12"]) },
  },
  "in exported arrays, Maps and objects": {
    files: {
      "t.ts": `const k = 2; export const list = [(n) => n * k, (n) => n + 1];
export const map = new Map([["x", (n) => n - 1]]), deep = { a: { b: (n) => n * 9 } };`,
      "main.ts": `import { deep, list, map } from "./t.ts";
for (const target of [...list, map.get("x"), deep.a.b]) await go({ target, args: [4] });`,
    },
    printed: always(["E", "R:5", "R:3", "R:36"]),
  },
  "closures of a loop, and curried functions": {
    files: {
      "t.ts": `const all = []; for (let i = 0; i < 3; i++) all.push(() => i);
export const [f0, f1, f2] = all;
export const add = (a) => (b) => a + b; export const add2 = add(2), add3 = add(3);`,
      "main.ts": `import { add, add2, add3, f0, f1, f2 } from "./t.ts";
const mine = []; for (let i = 0; i < 2; i++) mine.push(() => i);
for (const target of [f2, f0, f1, ...mine]) await go({ target });
for (const target of [add3, add2, add(2), add(9)]) await go({ target, args: [1] });`,
    },
    printed: {
      "": ["E", "E", "E", "E", "E", "E", "E", "E", "E"],
      ...anyRead(["R:2", "R:0", "R:1", "E", "E", "R:4", "R:3", "E", "E"]),
    },
  },
  "a function whose module imports JSON": {
    files: {
      "c.json": `{ "k": 6 }`,
      "t.ts": `import c from "./c.json" with { type: "json" }; export const f = (n) => n * c.k;`,
      "main.ts": `import { f } from "./t.ts";\nawait go({ target: f, args: [2] });`,
    },
    printed: { "": ["E"], ...anyRead(["R:12"]) },
  },
  "by way of an import map, and of a workspace": {
    files: {
      "deno.json": `{ "unstable": ["worker-options"], "workspace": ["./a"],
  "imports": { "@multiproc/multiprocessing": "LIB/mod.ts", "tasks/": "./src/" } }`,
      "a/deno.json": `{ "name": "@w/a", "version": "1.0.0", "exports": "./mod.ts" }`,
      "a/mod.ts": TIMES,
      "src/t.ts": "const k = 3; export const g = (n) => n * k;",
      "main.ts": `import { f } from "@w/a"; import { g } from "tasks/t.ts";
await go({ target: f, args: [2] });
await go({ target: g, args: [2] });`,
    },
    printed: anyRead(["R:4", "R:6"]),
  },
  "modules of other kinds": {
    files: {
      "a.mts": TIMES,
      "b.tsx": TIMES,
      "c.js": TIMES,
      "d.mjs": TIMES,
      "main.ts": ["mts", "tsx", "js", "mjs"].map((end, i) => {
        return `import { f as f${i} } from "./${"abcd"[i]}.${end}";\n`;
      }).join("") + "for (const target of [f0, f1, f2, f3]) await go({ target, args: [3] });",
    },
    printed: anyRead(["R:6", "R:6", "R:6", "R:6"]),
  },
  "behind a symbolic link": {
    files: {
      "real/t.ts": TIMES,
      "main.ts": `import { f } from "./link.ts";\nawait go({ target: f, args: [3] });`,
    },
    links: { "link.ts": "real/t.ts" },
    printed: anyRead(["R:6"]),
  },
  "in paths with blanks, letters of other alphabets, and what URLs escape": {
    suffix: " ü#% 100%25 '",
    files: {
      "t 1#ü%.ts": TIMES,
      "main.ts": `import { f } from "./t%201%23%C3%BC%25.ts";
const k = 3; export function g(n) { return n * k; }
await go({ target: f, args: [4] });
await go({ target: g, args: [4] });
await go({ target: (n) => n, args: [1] });`,
    },
    printed: { "": ["E", "E", "R:1"], ...anyRead(["R:8", "R:12", "R:1"]) },
  },
  "of modules that differ in the query alone": {
    files: {
      "t.ts": "export const f = () => new URL(import.meta.url).search;",
      "main.ts": `import { f } from "./t.ts?a"; import { f as g } from "./t.ts?b";
await go({ target: f });
await go({ target: g });`,
    },
    printed: anyRead([`R:"?a"`, `R:"?b"`]),
  },
  "of modules that import each other": {
    files: {
      "a.ts": `import { b } from "./b.ts"; export const k = 2;
export function a(n) { return n * k + (b ? 0 : 1); }`,
      "b.ts": `import { k } from "./a.ts"; export function b(n) { return n * k + 100; }`,
      "main.ts": `import { a } from "./a.ts"; import { b } from "./b.ts";
await go({ target: a, args: [4] });
await go({ target: b, args: [4] });`,
    },
    printed: anyRead(["R:8", "R:108"]),
  },
  "imported without the end of its name": {
    files: {
      "t.ts": TIMES,
      "folder/index.ts": TIMES,
      "main.ts": `import { f } from "./t"; import { f as g } from "./folder";
await go({ target: f, args: [4] });
await go({ target: g, args: [5] });`,
    },
    printed: { "--allow-read --unstable-sloppy-imports": ["R:8", "R:10"] },
  },
  "the program is the standard input": {
    files: {},
    input: `${START}export function square(n) { return n * n; }
await go({ target: square, args: [3] });
await go({ target: (n) => n, args: [1] });`,
    command: ["run", "-"],
    printed: always(["R:9", "R:1"]),
  },
  "the program is a data: URL": {
    files: {},
    command: [
      "run",
      `data:text/javascript,${
        encodeURIComponent(
          `${START.replace("@multiproc/multiprocessing", new URL("mod.ts", root).href)}
export function square(n) { return n * n; }
await go({ target: square, args: [3] });`,
        )
      }`,
    ],
    printed: anyRead(["R:9"]),
  },
  "with other flags": {
    files: {
      "t.ts": TIMES,
      "main.ts": `import { f } from "./t.ts";\nawait go({ target: f, args: [4] });`,
    },
    printed: Object.fromEntries(
      [
        "--cached-only",
        "--check",
        "--no-code-cache",
        "--v8-flags=--stack-size=500",
        "--preload=./t.ts",
        "--unstable-kv --deny-read=/etc",
      ].map((flag) => [`--allow-read ${flag}`, ["R:8"]]),
    ),
  },
};

for (const [what, form] of Object.entries(forms)) {
  for (const [flags, printed] of Object.entries(form.printed)) {
    Deno.test(`a target of another form: ${what}, ${flags || "with no permission"}`, async () => {
      const folder = await Deno.makeTempDir({ suffix: form.suffix });
      try {
        const config = {
          unstable: ["worker-options"],
          imports: { "@multiproc/multiprocessing": "LIB/mod.ts" },
        };
        const files = { "deno.json": JSON.stringify(config), ...form.files };
        for (const [path, text] of Object.entries(files)) {
          const at = `${folder}/${path}`, isMain = path === "main.ts";
          await Deno.mkdir(at.slice(0, at.lastIndexOf("/")), { recursive: true });
          const whole = `${isMain ? `// @ts-nocheck\n${START}` : "// @ts-nocheck\n"}${text}`;
          const own = path.endsWith(".json") ? text.replaceAll("LIB/", root.href) : whole;
          await Deno.writeTextFile(at, own);
        }
        for (const [path, to] of Object.entries(form.links ?? {})) {
          await Deno.symlink(to, `${folder}/${path}`);
        }
        const [command, program] = form.command ?? ["run", "main.ts"];
        const child = new Deno.Command(Deno.execPath(), {
          args: [
            command,
            "--no-prompt",
            ...flags.split(" ").filter((flag) => flag !== ""),
            program,
          ],
          cwd: folder,
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
          env: { NO_COLOR: "1" },
        }).spawn();
        const input = child.stdin.getWriter();
        await input.write(new TextEncoder().encode(form.input ?? ""));
        await input.close();
        const { stdout, stderr } = await child.output();
        const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
        const told = lines.map((line) => line.startsWith("E:") ? "E" : line);
        assert.deepEqual(told, printed, `${lines.join("\n")}\n${new TextDecoder().decode(stderr)}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}
