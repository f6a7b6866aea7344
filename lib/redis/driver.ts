// The connections to a server: two, because the server closes a connection that has subscribed when large
// answers wait in it, and because a beat behind a large answer would be late. The one for data runs scripts; the
// other one brings the messages that wake those who wait, and beats.

import "./globals.ts";
import { Buffer } from "node:buffer";
// Not in deno.json, where everything that is run there would have to resolve it.
// deno-lint-ignore no-import-prefix
import { createClient, ErrorReply, RESP_TYPES } from "npm:@redis/client@6.3.1";
import { Interrupted } from "./errors.ts";
import type { HubOptions } from "./options.ts";
import { type ScriptName, scripts } from "./scripts.ts";

/** A part of a command. */
export type Arg = string | Buffer;
/** An answer of the server. */
export type Reply = number | string | Buffer | null | Reply[];

/** A call of a script that keeps what a member holds; it answers 0 if that is lost. */
export interface Beat {
  script: ScriptName;
  base: string;
  args: Arg[];
  /** Called with the answer. */
  answered?: (reply: unknown) => void;
}

const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
/** Answers of a server that will be able to answer soon. */
const LATER =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF|ERR max number of clients) /;

/** How long a connection that is ended waits for answers, in ms. */
const CLOSING = 1000;

/** Errors that another attempt doesn't mend. */
const FATAL = new Set(["NotCapable", "PermissionDenied", "TypeError", "ReferenceError"]);

type Client = ReturnType<typeof newClient>;

function newClient(url: string, { ca, connectTimeout }: HubOptions & { connectTimeout: number }) {
  const isSecure = url.startsWith("rediss:");
  return createClient({
    url,
    RESP: 3,
    // Else the client reads the environment, and needs permission for it.
    maintNotifications: "disabled",
    disableClientInfo: true,
    disableOfflineQueue: true,
    // Else the client makes a signal, a timer and a listener for each command. Beats find out what doesn't answer.
    commandOptions: { timeout: 0 },
    socket: {
      ...isSecure ? { tls: true as const, ...ca === undefined ? {} : { ca: [ca].flat() } } : {},
      connectTimeout,
      reconnectStrategy: false,
    },
  });
}

/** The pair of connections; once broken it stays so. */
export class Link {
  readonly #data: Client;
  readonly #control: Client;
  readonly #shas = new Map<ScriptName, string>();
  readonly #broken: (cause: unknown) => void;
  #cause: unknown;
  isBroken = false;

  private constructor(data: Client, control: Client, broken: (cause: unknown) => void) {
    this.#data = data;
    this.#control = control;
    this.#broken = broken;
  }

  /** Connects both. Throws Interrupted where trying again may help. */
  static async open(
    url: string,
    options: HubOptions & { connectTimeout: number },
    broken: (cause: unknown) => void,
  ): Promise<Link> {
    const data = newClient(url, options), control = newClient(url, options);
    const link = new Link(data, control, broken);
    for (const client of [data, control]) {
      client.on("error", (error) => link.break(error));
      client.on("end", () => link.break(new Error("The connection has ended.")));
    }
    const connecting = Promise.all([data.connect(), control.connect()]);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Interrupted(`no answer in ${Math.ceil(options.connectTimeout)} ms`)),
      options.connectTimeout,
    );
    try {
      await Promise.race([connecting, late.promise]);
    } catch (error) {
      connecting.catch(() => {});
      link.break(error);
      // The first failure says more: what answers isn't Redis, for example.
      throw earlier(link.cause, interruptedOr(error));
    } finally {
      clearTimeout(timer);
    }
    return link;
  }

  /** Gives both connections up. */
  break(cause: unknown): void {
    if (this.isBroken) return;
    this.isBroken = true;
    this.#cause = cause;
    this.#destroy();
    this.#broken(cause);
  }

  #destroy(): void {
    for (const client of [this.#data, this.#control]) {
      try {
        client.destroy();
      } catch { // it was never open, or has ended
      }
    }
  }

  /** Runs a command in the connection for data. */
  async command(args: Arg[]): Promise<Reply> {
    return await this.#send(this.#data, args);
  }

  /** Runs a script in the connection for data. */
  run(script: ScriptName, base: string, args: Arg[]): Promise<Reply> {
    return this.#run(this.#data, script, base, args);
  }

  /** Runs a script in the connection for messages, past large answers. */
  runBeside(script: ScriptName, base: string, args: Arg[]): Promise<Reply> {
    return this.#run(this.#control, script, base, args);
  }

  /** Asks for a sign of life beside the data. */
  ping(): Promise<Reply> {
    return this.#send(this.#control, ["PING"]);
  }

  /** Listens to a channel. */
  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    try {
      await this.#control.subscribe(channel, (message) => listener(message as Buffer), true);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** No longer listens to a channel. */
  async unsubscribe(channel: string): Promise<void> {
    try {
      await this.#control.unsubscribe(channel);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Loads the scripts, and keeps their digests. */
  async load(): Promise<void> {
    const names = Object.keys(scripts) as ScriptName[];
    const shas = await Promise.all(
      names.map((name) => this.#send(this.#data, ["SCRIPT", "LOAD", scripts[name]])),
    );
    names.forEach((name, i) => this.#shas.set(name, String(shas[i])));
  }

  /** Whether the connections keep the program alive. */
  keepAlive(isKept: boolean): void {
    for (const client of [this.#data, this.#control]) {
      if (isKept) client.ref();
      else client.unref();
    }
  }

  /** Ends both connections, once what was sent is answered; where the server is silent, without that. */
  async close(): Promise<void> {
    this.isBroken = true;
    const closing = [this.#data, this.#control].map((client) => client.close().catch(() => {}));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSING);
    await Promise.race([Promise.all(closing), late.promise]);
    clearTimeout(timer);
    this.#destroy();
  }

  async #run(client: Client, script: ScriptName, base: string, args: Arg[]): Promise<Reply> {
    const command = ["EVALSHA", this.#shas.get(script)!, "1", base, ...args];
    try {
      return await client.sendCommand<Reply>(command, { typeMapping: mapping });
    } catch (error) {
      if (!(error instanceof ErrorReply) || !error.message.startsWith("NOSCRIPT")) {
        throw this.#failed(error);
      }
      await this.load(); // the server has restarted, or its scripts were flushed
      return await this.#send(client, command);
    }
  }

  async #send(client: Client, args: Arg[]): Promise<Reply> {
    try {
      return await client.sendCommand<Reply>(args, { typeMapping: mapping });
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** What a failed command is to its caller. */
  #failed(error: unknown): unknown {
    const known = interruptedOr(error);
    if (known instanceof Interrupted && !(error instanceof ErrorReply)) this.break(error);
    return known;
  }

  /** Why it is broken. */
  get cause(): unknown {
    return this.#cause;
  }
}

/** An error of the server as it is; Interrupted for all after which the call can be made again. */
function interruptedOr(error: unknown): unknown {
  if (error instanceof Interrupted) return error;
  if (error instanceof ErrorReply && !LATER.test(error.message)) return error;
  // By name: a sealed process has error classes of its own.
  if (error instanceof Error && FATAL.has(error.name)) return error;
  return new Interrupted(error instanceof Error ? error.message : String(error), { cause: error });
}

/** The failure of a connection with the message of its first error, where both can be mended by waiting. */
function earlier(first: unknown, error: unknown): unknown {
  if (!(error instanceof Interrupted) || !(first instanceof Error)) return error;
  return new Interrupted(first.message, { cause: first });
}

/** Whether the server has answered with this error. */
export function isReply(error: unknown, begin: string): boolean {
  return error instanceof ErrorReply && error.message.startsWith(begin);
}
