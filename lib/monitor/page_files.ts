// The files of the page, as texts. Nothing is built: the browser gets the files in lib/monitor/page as they are, and
// uPlot as its package has it.

// deno-lint-ignore no-import-prefix
import uplot from "npm:uplot@1.6.32/dist/uPlot.iife.min.js" with { type: "text" };
// deno-lint-ignore no-import-prefix
import uplotStyle from "npm:uplot@1.6.32/dist/uPlot.min.css" with { type: "text" };
import chart from "./page/chart.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import graph from "./page/graph.js" with { type: "text" };
import index from "./page/index.html" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import pools from "./page/pools.js" with { type: "text" };
import processes from "./page/processes.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import tables from "./page/tables.js" with { type: "text" };
import type { PageFile } from "./protocol.ts";
import * as primordials from "../platform/primordials.ts";

const { StringPrototypeIndexOf, StringPrototypeSlice } = primordials;

/** In the texts, the place of the nonce of an answer. */
const NONCE = "NONCE-OF-THE-ANSWER";

function file(type: string, text: string): PageFile {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const next = StringPrototypeIndexOf(text, NONCE, at);
    if (next < 0) break;
    parts[parts.length] = StringPrototypeSlice(text, at, next);
    at = next + NONCE.length;
  }
  parts[parts.length] = StringPrototypeSlice(text, at);
  return { type: `${type}; charset=utf-8`, parts };
}

/** The files by their names. */
export const pageFiles: Readonly<Record<string, PageFile>> = {
  "index.html": file("text/html", index),
  "style.css": file("text/css", style),
  "uplot.css": file("text/css", uplotStyle),
  "uplot.js": file("text/javascript", uplot),
  "main.js": file("text/javascript", main),
  "dom.js": file("text/javascript", dom),
  "processes.js": file("text/javascript", processes),
  "tables.js": file("text/javascript", tables),
  "chart.js": file("text/javascript", chart),
  "graph.js": file("text/javascript", graph),
  "pools.js": file("text/javascript", pools),
};
