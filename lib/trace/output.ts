// Where a trace goes: a file, or a stream. The text is JSON, written in pieces: an array of events, one a line, and
// what is known of the trace as a whole.

import { InvalidStateError } from "../errors.ts";
import type { ChromeEvent } from "./chrome_events.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeConcat,
  ArrayPrototypePush,
  each,
  encodeText,
  JSON,
  PromisePrototypeThen,
  TypedArrayPrototypeSubarray,
} = primordials;

/** Characters of one piece. */
const PIECE = 2 ** 16;
/** Deno.SeekMode.Start. */
const START = 0;

/** A file that is open, as far as it is used. */
export interface OpenFile {
  writeSync(bytes: Uint8Array): number;
  seekSync(offset: number, whence: number): number;
  truncateSync(length: number): void;
  close(): void;
}

/** A place for the text of a trace. Once a write has failed, all fail, with that error: the text has a hole. */
export interface Output {
  /** Whether it is written at once, without anything to be awaited. */
  readonly isImmediate: boolean;
  /** Writes the pieces, after those before. */
  write(pieces: readonly string[]): Promise<void>;
  end(): Promise<void>;
  /** Writes when nothing can be awaited; does nothing where that isn't possible. */
  writeNow(pieces: readonly string[]): void;
  /** Does the same with an end of the text, whose place is taken by what is written later. */
  writeEnd(pieces: readonly string[]): void;
}

/** Writes to a file. */
export class FileOutput implements Output {
  readonly isImmediate = true;
  readonly #file: OpenFile;
  /** The bytes that stay. */
  #length = 0;
  #hasEnd = false;
  #failure: { error: unknown } | undefined;

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
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      if (this.#hasEnd) this.#goBack();
      this.#hasEnd = false;
      this.#length += this.#put(pieces);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  writeEnd(pieces: readonly string[]): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    // What can't be taken back, as in a pipe, isn't written: this throws then.
    this.#goBack();
    this.#hasEnd = true;
    this.#put(pieces);
  }

  #goBack(): void {
    this.#file.seekSync(this.#length, START);
    this.#file.truncateSync(this.#length);
  }

  /** Returns the number of bytes. */
  #put(pieces: readonly string[]): number {
    let length = 0;
    for (const piece of each(pieces)) {
      const bytes = encodeText(piece);
      for (let at = 0; at < bytes.length;) {
        at += this.#file.writeSync(TypedArrayPrototypeSubarray(bytes, at));
      }
      length += bytes.length;
    }
    return length;
  }
}

/** Writes to a stream, which is closed at the end. */
export class StreamOutput implements Output {
  readonly isImmediate = false;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #written: Promise<void> = primordials.Promise.resolve();

  constructor(stream: WritableStream<Uint8Array<ArrayBuffer>>) {
    if (stream.locked) {
      throw new InvalidStateError(
        "The stream for the trace is in use. Give one that isn't locked.",
      );
    }
    this.#writer = stream.getWriter();
  }

  write(pieces: readonly string[]): Promise<void> {
    const written = PromisePrototypeThen(this.#written, () => this.#put(pieces));
    PromisePrototypeThen(written, undefined, () => {});
    return this.#written = written;
  }

  async #put(pieces: readonly string[]): Promise<void> {
    for (const piece of each(pieces)) {
      await this.#writer.ready;
      await this.#writer.write(encodeText(piece));
    }
  }

  end(): Promise<void> {
    return this.#writer.close();
  }

  writeNow(): void {}

  writeEnd(): void {}
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

  /** The same with events before it, as it would be now: the text goes on as if it hadn't been made. */
  preview(events: readonly ChromeEvent[], metadata: Record<string, unknown>): string[] {
    const hadEvents = this.#hasEvents, hadBegun = this.#hasBegun;
    const pieces = ArrayPrototypeConcat(this.events(events), [this.end(metadata)]);
    this.#hasEvents = hadEvents;
    this.#hasBegun = hadBegun;
    return pieces;
  }
}
