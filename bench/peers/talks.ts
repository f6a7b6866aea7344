/**
 * A program as a peer: it measures one message at a time, there and back, with this library. It is a program of its
 * own, so that it can be kept to some of the machine's cores.
 */
import { talk as pipeTalk } from "../pipe_bench.ts";
import { talk as queueTalk } from "../queue_bench.ts";
import { answer, answerSync, ask, askSync } from "../targets.ts";
import type { Answer } from "./child.ts";

/** What is measured; `warmUp` and `count` are messages. */
export interface TalkRequest {
  transport: "pipe" | "queue";
  face: "async" | "sync";
  warmUp: number;
  count: number;
}

const NEVER = new AbortController().signal;

async function talk({ transport, face, warmUp, count }: TalkRequest): Promise<Answer> {
  const share = { payload: "integers" as const, warmUp, count };
  if (transport === "pipe") return { ms: await pipeTalk(face, share, NEVER) };
  const [answerer, asker] = face === "async" ? [answer, ask] : [answerSync, askSync];
  return { ms: await queueTalk(answerer, asker, 1, share, NEVER) };
}

/** Answers requests until the input ends. */
async function serve(): Promise<void> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) console.log(JSON.stringify(await talk(JSON.parse(line))));
  }
}

if (import.meta.main) await serve();
