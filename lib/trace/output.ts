// Where a trace goes: a file, or a stream. The text is JSON, written in pieces: an array of events, one a line, and
// what is known of the trace as a whole.

import { InvalidStateError } from "../errors.ts";
import type { ChromeEvent } from "./chrome_events.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, each, encodeText, JSON } = primordials;

/** Characters of one piece. */
const PIECE = 2 ** 16;

/** A file that is open, as far as it is used. */
export interface OpenFile {
  writeSync(bytes: Uint8Array): number;
  close(): void;
}

/** A place for the text of a trace. */
export interface Output {
  /** Writes the pieces, in their order. */
  write(pieces: readonly string[]): Promise<void>;
  end(): Promise<void>;
  /** Writes at the end of the program, when nothing can be awaited; does nothing where that isn't possible. */
  writeNow(pieces: readonly string[]): void;
}

/** Writes to a file. */
export class FileOutput implements Output {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  // deno-lint-ignore require-await
  async write(pieces: readonly string[]): Promise<void> {
    this.writeNow(pieces);
  }

  // deno-lint-ignore require-await
  async end(): Promise<void> {
    this.#file.close();
  }

  writeNow(pieces: readonly string[]): void {
    for (const piece of each(pieces)) {
      const bytes = encodeText(piece);
      for (let at = 0; at < bytes.length;) {
        at += this.#file.writeSync(primordials.TypedArrayPrototypeSubarray(bytes, at));
      }
    }
  }
}

/** Writes to a stream, which is closed at the end. */
export class StreamOutput implements Output {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(stream: WritableStream<Uint8Array<ArrayBuffer>>) {
    if (stream.locked) {
      throw new InvalidStateError(
        "The stream for the trace is in use. Give one that isn't locked.",
      );
    }
    this.#writer = stream.getWriter();
  }

  async write(pieces: readonly string[]): Promise<void> {
    for (const piece of each(pieces)) {
      await this.#writer.ready;
      await this.#writer.write(encodeText(piece));
    }
  }

  end(): Promise<void> {
    return this.#writer.close();
  }

  writeNow(): void {}
}

/** The text of a trace, from its first piece to its last. */
export class TraceText {
  #hasEvents = false;
  #hasBegun = false;

  /** The events as pieces of text. */
  events(events: readonly ChromeEvent[]): string[] {
    const pieces: string[] = [];
    let piece = this.#begin();
    for (const event of each(events)) {
      piece += `${this.#hasEvents ? ",\n" : "\n"}${JSON.stringify(event)}`;
      this.#hasEvents = true;
      if (piece.length < PIECE) continue;
      ArrayPrototypePush(pieces, piece);
      piece = "";
    }
    ArrayPrototypePush(pieces, piece);
    return pieces;
  }

  #begin(): string {
    if (this.#hasBegun) return "";
    this.#hasBegun = true;
    return '{"displayTimeUnit":"ms","traceEvents":[';
  }

  /** The end of the text. */
  end(metadata: Record<string, unknown>): string {
    return `${this.#begin()}\n],"otherData":${JSON.stringify(metadata)}}\n`;
  }
}
