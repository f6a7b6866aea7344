// The links of the documentation: every link, anchor and picture of every page exists. The pages
// that the registry shows (the README, and the text above a module) link to published files only,
// since the registry has no others.

import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { granted, needs, root } from "./support/documented.ts";

/** Pages for those who change the library: their links to tests and tools lead out of what is published. */
const FOR_CONTRIBUTORS = new Set([
  "CONTRIBUTING.md",
  "docs/add-a-primitive.md",
  "docs/explorer.md",
  "docs/how-it-works.md",
  "docs/platform.md",
]);
/** What the registry shows as a page. A link that begins with ".." or "/" leads elsewhere there. */
const SHOWN = new Set(["README.md", "README.zh-CN.md", "mod.ts", "local.ts"]);

/** A page without its code, in which nothing is a link. */
function withoutCode(page: string): string {
  return page
    .replaceAll(/^( *)(`{3,}|~{3,})[^\n]*\n[^]*?^\1\2 *$/gm, "")
    .replaceAll(/<!--[^]*?-->/g, "")
    .replaceAll(/(`+)(?!`)[^]*?[^`]\1(?!`)/g, "code");
}

/** Where a page links to: inline, by reference, in HTML, and pictures. */
function linksOf(page: string): string[] {
  const text = withoutCode(page);
  const inline = text.matchAll(/\]\(\s*(?:<([^>]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))/g);
  const definitions = text.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm);
  const attributes = text.matchAll(/\b(src|srcset|href)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
  const auto = text.matchAll(/<(https?:[^\s>]+)>/g);
  return [
    ...[...inline].map(([, pointed, plain]) => pointed ?? plain),
    ...[...definitions, ...auto].map(([, link]) => link),
    ...[...attributes].flatMap(([, name, double, single]) => {
      const value = double ?? single;
      return name === "srcset" ? value.split(",").map((one) => one.trim().split(/\s/)[0]) : value;
    }),
  ];
}

/** References of a page, as `[text][name]`, that it doesn't define. */
function undefinedReferences(page: string): string[] {
  const text = withoutCode(page);
  const defined = new Set(
    [...text.matchAll(/^ {0,3}\[([^\]]+)\]:/gm)].map(([, name]) => name.toLowerCase()),
  );
  return [...text.matchAll(/\[([^\][]+)\]\[([^\][]*)\]/g)]
    .map(([, shown, name]) => (name || shown).toLowerCase())
    .filter((name) => !defined.has(name));
}

/** What the headings of a page are called in links, as GitHub does it. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  const text = page.replaceAll(/^( *)(`{3,}|~{3,})[^\n]*\n[^]*?^\1\2 *$/gm, "");
  for (const [, heading] of text.matchAll(/^#{1,6} +(.+?) *#* *$/gm)) {
    const shown = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[*`]/g, "");
    const slug = shown.toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`;
    anchors.add(anchor);
  }
  for (const [, id] of text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** The text above a module, without the stars. */
function moduleDoc(module: string): string {
  const [, text] = /^\/\*\*\n([^]*?)\*\//.exec(module)!;
  return text.replaceAll(/^ \* ?/gm, "");
}

function isPublished(path: string): boolean {
  return config.publish.include.some((included) => {
    return included === path || included.endsWith("/") && path.startsWith(included);
  });
}

/** What is wrong with a link, or nothing. */
async function faultOf(from: string, link: string): Promise<string | undefined> {
  if (/^[a-z][a-z+.-]*:/i.test(link)) {
    return new URL(link).protocol === "https:" ? undefined : "isn't https";
  }
  if (SHOWN.has(from) && /^(\/|\.\.)/.test(link)) return "leads elsewhere where the page is shown";
  const [target, anchor] = link.split("#");
  const there = new URL(target || new URL(from, root).href, new URL(from, root));
  if (!there.href.startsWith(root.href)) return "leads out of the project";
  const path = decodeURIComponent(there.href.slice(root.href.length));
  const stat = await Deno.stat(there).catch(() => undefined);
  if (stat === undefined) return "isn't there";
  if (!FOR_CONTRIBUTORS.has(from) && !from.startsWith(".") && !isPublished(path)) {
    return "isn't published (publish.include of deno.json)";
  }
  if (anchor === undefined) return;
  if (!path.endsWith(".md")) return "has an anchor, and isn't a page";
  if (!anchorsOf(await Deno.readTextFile(there)).has(decodeURIComponent(anchor))) {
    return `has no heading ${anchor}`;
  }
}

/** The pages of the project, from a folder on. */
function pagesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => `${folder}${name}`);
}

Deno.test({
  name: `What the documentation links to is there, and is published where it has to be ${needs}`,
  ignore: !granted,
  fn: async () => {
    const pages = ["", "docs/", ".github/"].flatMap(pagesIn);
    assert.ok(["README.md", "README.zh-CN.md", "docs/pool.md"].every((it) => pages.includes(it)));
    const faults: string[] = [];
    let links = 0;
    for (const from of [...pages, "mod.ts", "local.ts"]) {
      const text = await Deno.readTextFile(new URL(from, root));
      const page = from.endsWith(".ts") ? moduleDoc(text) : text;
      if (SHOWN.has(from) && !isPublished(from)) faults.push(`${from} isn't published`);
      for (const link of linksOf(page)) {
        links++;
        const fault = await faultOf(from, link);
        if (fault !== undefined) faults.push(`${from}: ${link} ${fault}`);
      }
      for (const name of undefinedReferences(page)) faults.push(`${from}: [${name}] isn't defined`);
    }
    assert.deepEqual(faults, []);
    assert.ok(links > 100, `${links} links`);
  },
});

Deno.test({
  name: `Every page of docs/ is linked by the READMEs or by another page ${needs}`,
  ignore: !granted,
  fn: async () => {
    const linked = new Set<string>();
    for (const from of ["", "docs/"].flatMap(pagesIn)) {
      for (const link of linksOf(await Deno.readTextFile(new URL(from, root)))) {
        const { href } = new URL(link.split("#")[0], new URL(from, root));
        if (href !== new URL(from, root).href) linked.add(href);
      }
    }
    const lonely = pagesIn("docs/").filter((page) => !linked.has(new URL(page, root).href));
    assert.deepEqual(lonely, []);
  },
});

Deno.test({
  name: `The tasks that the documentation names are there ${needs}`,
  ignore: !granted,
  fn: async () => {
    for (const from of ["", "docs/", ".github/"].flatMap(pagesIn)) {
      const page = await Deno.readTextFile(new URL(from, root));
      for (const [, task] of page.matchAll(/deno(?:@[\d.]+)? task ([\w:]+)/g)) {
        assert.ok(task in config.tasks, `${from} says deno task ${task}, and deno.json has none.`);
      }
    }
  },
});

Deno.test("every form of a link is seen, and no code is taken for one", () => {
  const page = [
    "[a](a.md) ![b](b.svg 'B') [c](<c d.md>) [e](e_(f).md#g) [![h](h.svg)](i.md)",
    '<img alt="j" src="j.png"><source srcset="k.svg, l.svg 2x"><a href=\'m.md\'>m</a>',
    "[n][o] [p][] <https://q.example/r>",
    "[o]: o.md",
    "`[s](s.md)` ``a `[t](t.md)` ``",
    "```ts\nf[0](u.md);\n```",
    "<!-- [v](v.md) -->",
  ].join("\n\n");
  assert.deepEqual(linksOf(page).sort(), [
    "a.md",
    "b.svg",
    "c d.md",
    "e_(f).md#g",
    "h.svg",
    "https://q.example/r",
    "i.md",
    "j.png",
    "k.svg",
    "l.svg",
    "m.md",
    "o.md",
  ]);
  assert.deepEqual(undefinedReferences(page), ["p"]);
});

Deno.test("a heading is found by the name it has on the page", () => {
  const page =
    "# A `b`, c ([d](e.md))\n\n## 中文 x_y\n\n## Same\n\n## Same ##\n\n```sh\n# not\n```\n";
  assert.deepEqual([...anchorsOf(page)], ["a-b-c-d", "中文-x_y", "same", "same-1"]);
});

Deno.test({
  name: `A link that leads nowhere is seen, each for its reason ${needs}`,
  ignore: !granted,
  fn: async () => {
    const wrong: [from: string, link: string, fault: RegExp][] = [
      ["README.md", "docs/no.md", /isn't there/],
      ["README.md", "docs/no.svg", /isn't there/],
      ["README.md", "docs/pool.md#no", /no heading no/],
      ["README.md", "#no", /no heading no/],
      ["README.md", "/docs/pool.md", /elsewhere/],
      ["README.md", "../README.md", /elsewhere/],
      ["README.md", "tests/links_test.ts", /isn't published/],
      ["README.md", ".github/workflows/ci.yml", /isn't published/],
      ["mod.ts", "tools/chart.ts", /isn't published/],
      ["docs/pool.md", "../tests/links_test.ts", /isn't published/],
      ["docs/pool.md", "../../elsewhere.md", /out of the project/],
      ["docs/pool.md", "http://example.org/", /isn't https/],
      ["README.md", "docs/speed.svg#x", /isn't a page/],
    ];
    for (const [from, link, fault] of wrong) {
      assert.match(await faultOf(from, link) ?? "no fault", fault, `${from}: ${link}`);
    }
    for (const link of ["docs/pool.md", "docs/pool.md#which-call", "docs/speed.svg", "LICENSE"]) {
      assert.equal(await faultOf("README.md", link), undefined, link);
    }
  },
});
