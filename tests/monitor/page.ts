// The page of the monitor in a headless Chromium. `deno task test:monitor` runs these tests.

import assert from "node:assert/strict";
import { Browser, type Tab } from "./support/chromium.ts";
import { started } from "./support/started.ts";
import { hostile } from "./programs/trouble.ts";

/** The texts of the elements that match. */
function texts(tab: Tab, selector: string): Promise<string[]> {
  const found = `[...document.querySelectorAll(${JSON.stringify(selector)})]`;
  return tab.evaluate(`${found}.map(({ textContent }) => textContent)`);
}

/** That the page complained of nothing, and asked nobody but its own server. */
function isClean(tab: Tab, url: string): void {
  assert.deepEqual(tab.complaints, []);
  const others = tab.requests.filter((asked) => !asked.startsWith(url) && !/^data:/.test(asked));
  assert.deepEqual(others, []);
}

const SHOWN = `document.querySelector("#status")?.textContent === "Live" &&
  document.querySelector(".deadlock") && document.querySelector(".pool tbody th") &&
  document.querySelectorAll("#queue-rows tr").length === 2 &&
  document.querySelectorAll("#lock-rows tr").length === 2`;

Deno.test("the page in a browser", async (t) => {
  await using trouble = await started("trouble.ts", "", ["--allow-read"]);
  await using browser = await Browser.start();
  const { url } = trouble;

  await t.step(
    "shows processes, queues, locks, who waits for whom, a deadlock and pools",
    async () => {
      const tab = await browser.open(url);
      await tab.until(SHOWN);
      const names = await texts(tab, "#process-rows .name");
      for (
        const name of ["MainProcess", "left", "right", "filler", "victim", "squares-1", hostile]
      ) {
        assert.ok(names.includes(name), `${name} is not among ${names.join()}`);
      }
      const rows = await tab.evaluate<Record<string, string>>(
        `Object.fromEntries([...document.querySelectorAll("#process-rows tr")].map((row) =>
        [row.querySelector(".name").textContent, row.innerText]))`,
      );
      assert.match(
        rows.left,
        /deadlocked[^]*RLock\.acquire of RLock 1[^]*held by right · trouble\.ts:\d+/,
      );
      assert.match(rows.victim, /killed/);
      assert.match(rows.filler, /Queue\.put of queue \d “full <img/);
      assert.match(rows.MainProcess, /runs/);
      const [deadlock] = await texts(tab, ".deadlock");
      assert.match(deadlock, /^Probably a deadlock.*left waits for RLock 1, held by right/s);
      assert.deepEqual((await texts(tab, "#queue-rows td.number:nth-of-type(1)")).sort(), [
        "3 of 3",
        "4",
      ]);
      const locks = await texts(tab, "#lock-rows tr");
      assert.deepEqual(locks.sort(), ["Lock 1leftacquire: right", "RLock 1rightacquire: left"]);
      const [graph] = await texts(tab, "#graph-figures title");
      assert.match(
        graph,
        /left waits for RLock 1, held by right; right waits for lock 1, held by left/,
      );
      assert.deepEqual(await texts(tab, ".graph .node.stuck text"), ["left", "right"]);
      assert.deepEqual((await texts(tab, ".pool tbody:last-child th")).slice(0, 2), [
        "squares-1",
        "squares-2",
      ]);
      assert.ok(await tab.evaluate(`document.querySelectorAll(".histogram rect").length >= 2`));
      // A second sample, and the chart has a line.
      await tab.until(`document.querySelector("#plot canvas")?.width > 100`);
      assert.ok(await tab.evaluate(`document.querySelectorAll(".strip rect").length >= 7`));
      isClean(tab, url);
    },
  );

  await t.step("takes names as text, and never shows what is in queues and arguments", async () => {
    const tab = await browser.open(url);
    await tab.until(SHOWN);
    assert.equal(await tab.evaluate("document.querySelectorAll('main img').length"), 0);
    assert.match(await tab.evaluate("document.title"), /^⚠ Deadlock – 7 processes – Monitor$/);
    assert.doesNotMatch(await tab.evaluate("document.documentElement.outerHTML"), /secret/);
    isClean(tab, url);
  });

  await t.step("can be used by keyboard, with the focus in order and seen", async () => {
    const tab = await browser.open(url);
    await tab.until(SHOWN);
    const focus = () =>
      tab.evaluate<{ name: string; isSeen: boolean; outline: string }>(`(() => {
        const at = document.activeElement, { top, bottom, left } = at.getBoundingClientRect();
        return { name: at.id || at.textContent, outline: getComputedStyle(at).outlineStyle,
          isSeen: top >= 0 && left >= 0 && bottom <= innerHeight };
      })()`);
    const path: string[] = [];
    for (let i = 0; i < 11; i++) {
      await tab.press("Tab");
      const { name, isSeen, outline } = await focus();
      assert.ok(isSeen && outline !== "none", `${name}: ${isSeen} ${outline}`);
      path.push(name);
    }
    const links = ["Processes", "Queues", "Locks", "Pools"];
    const controls = ["process-filter", "window", "ended", "object-filter", "order"];
    assert.deepEqual(path, ["Skip to the content", ...links, "pause", ...controls]);

    await tab.evaluate("document.querySelector('.skip').focus()");
    await tab.press("Enter", "\r");
    assert.equal(await tab.evaluate("document.activeElement.id"), "content");
    await tab.press("Tab");
    for (const key of "victim") await tab.press(key, key);
    await tab.until(`document.querySelectorAll("#process-rows tr").length === 1`);
    assert.deepEqual(await texts(tab, "#process-rows .name"), ["victim"]);
    await tab.evaluate("document.querySelector('#pause').focus()");
    await tab.press(" ", " ");
    assert.deepEqual(await texts(tab, "#status, #pause"), ["Paused", "Go on"]);
    assert.equal(await tab.evaluate("document.querySelector('#pause').ariaPressed"), "true");
    isClean(tab, url);
  });

  await t.step("gives everything that can be used a name, and headings in order", async () => {
    const tab = await browser.open(url);
    await tab.until(SHOWN);
    const { nodes } = await tab.send("Accessibility.getFullAXTree");
    const used =
      /^(link|button|searchbox|combobox|checkbox|img|image|heading|table|navigation|article)$/;
    let count = 0;
    for (const { role, name, ignored } of nodes) {
      if (ignored || !used.test(role?.value)) continue;
      count++;
      if (role.value !== "table") assert.ok(name?.value, JSON.stringify(role));
    }
    assert.ok(count > 15, `${count}`);
    const levels = await tab.evaluate<number[]>(
      `[...document.querySelectorAll("h1,h2,h3,h4")].filter((it) => it.offsetParent).map((it) => Number(it.tagName[1]))`,
    );
    levels.reduce((before, level) => {
      assert.ok(level <= before + 1, levels.join());
      return level;
    }, 0);
  });

  for (const scheme of ["light", "dark"]) {
    await t.step(`can be read: ${scheme}, on a wide screen and a phone`, async () => {
      const tab = await browser.open(url, { scheme });
      await tab.until(SHOWN);
      const isDark = await tab.evaluate<boolean>(
        `Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) < 128`,
      );
      assert.equal(isDark, scheme === "dark");
      assert.deepEqual(await tab.evaluate(FAINT), []);
      for (const width of [360, 768, 1280]) {
        await tab.size(width, 740);
        await tab.until(`innerWidth === ${width}`);
        const needed = await tab.evaluate<number>("document.documentElement.scrollWidth");
        assert.ok(needed <= width, `${needed} of ${width} px`);
      }
      isClean(tab, url);
    });
  }

  await t.step("moves nothing", async () => {
    const tab = await browser.open(url);
    await tab.until(SHOWN);
    const motion =
      `[getComputedStyle(document.documentElement).scrollBehavior, document.getAnimations().length]`;
    assert.deepEqual(await tab.evaluate(motion), ["auto", 0]);
  });

  await t.step("says when the program has ended", async () => {
    const tab = await browser.open(url);
    await tab.until(SHOWN);
    await trouble[Symbol.asyncDispose]();
    await tab.until(`document.querySelector("#status").textContent.startsWith("No answer since")`);
    assert.ok((await texts(tab, "#process-rows .name")).includes("left"));
  });
});

Deno.test("64 processes and 10,000 queues: the page shows some, and finds the others", async () => {
  await using crowd = await started("crowd.ts");
  await using browser = await Browser.start();
  const tab = await browser.open(crowd.url);
  await tab.until(`document.querySelector("#queue-count")?.textContent === "10,000"`);
  assert.deepEqual(await texts(tab, "#process-count"), ["64 alive"]);
  assert.equal(await tab.evaluate(`document.querySelectorAll("#process-rows tr").length`), 64);
  assert.ok(await tab.evaluate<number>("document.querySelectorAll('*').length") < 4000);
  assert.match((await texts(tab, "#queue-note"))[0], /^9,960 more/);
  await tab.evaluate("document.querySelector('#object-filter').focus()");
  for (const key of "of 9876") await tab.press(key, key);
  await tab.until(`document.querySelectorAll("#queue-rows tr").length === 1`);
  assert.match((await texts(tab, "#queue-rows tr"))[0], /^queue of 9876/);
  isClean(tab, crowd.url);
});

/** The texts whose colour stands out by less than 4.5 to 1 from what is behind. */
const FAINT = `(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parse(colour).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((parse(colour)[3] ?? 1) > 0.5) return colour;
    }
    return "rgb(255,255,255)";
  };
  const faint = new Set();
  for (const node of document.querySelectorAll("body *:not(svg *)")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== "");
    if (!own || !node.checkVisibility() || node.closest("script, .skip, .hidden")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.add(node.className + " " + node.textContent.slice(0, 20) + " " + ratio.toFixed(2));
  }
  return [...faint];
})()`;
