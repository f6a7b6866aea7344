// The inspector: a process that hears the signals of a dump, also while main is blocked, and prints what inspect()
// shows. Then it lets the signal do its work, by listening no more and sending it again.

import { confinedBoards, markInspector } from "../liveness/wait_board.ts";
import type { Connection } from "../pipe/connection.ts";
import { inspectionOf } from "./inspection.ts";
import { readAll } from "./read_all.ts";
import * as primordials from "../platform/primordials.ts";

const { console, Deno, each, performance, setTimeout } = primordials;

/** Ctrl-C must be pressed twice within this time, in ms. */
const TWICE_MS = 1000;

/** The board of a process with permissions of its own, which only its host has. */
export interface ConfinedBoard {
  token: number;
  board: SharedArrayBuffer;
}

/** The target of the inspector. */
export async function listenForDump(
  boards: Connection<ConfinedBoard>,
  signals: readonly DumpSignal[],
): Promise<void> {
  markInspector();
  const dump = () => {
    while (boards.pollNowait()) noteBoard(boards.recvNowait());
    console.error(`${inspectionOf(readAll())}`);
  };
  for (const signal of each(signals)) {
    let pressedAt = -Infinity;
    const listener = () => {
      const now = performance.now();
      if (signal === "SIGQUIT" || now - pressedAt <= TWICE_MS) {
        dump();
        pass();
        return;
      }
      pressedAt = now;
      setTimeout(() => {
        if (pressedAt === now) pass();
      }, TWICE_MS);
    };
    const pass = () => {
      Deno.removeSignalListener(signal, listener);
      // No code of the user's runs here, and reading this in every process takes half a millisecond.
      globalThis.Deno.kill(Deno.pid, signal);
    };
    Deno.addSignalListener(signal, listener);
  }
  await boards.send({ token: 0, board: undefined as never });
  for (;;) noteBoard(await boards.recv());
}

/** Notes the board of a process with permissions of its own, which the main process has told of. */
export function noteBoard({ token, board }: ConfinedBoard): void {
  confinedBoards.set(token, board);
}

/** A signal that makes a dump. */
export type DumpSignal = "SIGQUIT" | "SIGINT";
