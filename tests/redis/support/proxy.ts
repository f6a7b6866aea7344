// A proxy before a server, which cuts connections, hangs, and leaves connections half open.

/** Forwards a port to another one, as well as it is told to. */
export class Proxy implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #open = new Set<Deno.Conn>();
  #hung: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  /** Connections that were accepted. */
  accepted = 0;

  constructor(target: number) {
    this.#target = target;
    this.#accept();
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.accepted++;
      this.#serve(client);
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    let server: Deno.Conn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      return client.close();
    }
    this.#open.add(client).add(server);
    const close = () => {
      for (const conn of [client, server]) {
        if (!this.#open.delete(conn)) continue;
        try {
          conn.close();
        } catch { // closed already
        }
      }
    };
    const pump = async (from: Deno.Conn, to: Deno.Conn) => {
      const buffer = new Uint8Array(65536);
      try {
        for (;;) {
          const n = await from.read(buffer);
          while (this.#hung !== undefined) await this.#hung.promise;
          if (n === null) break;
          for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
        }
      } catch { // cut
      }
      close();
    };
    pump(client, server);
    pump(server, client);
  }

  /** Cuts all connections. */
  cut(): void {
    for (const conn of [...this.#open]) {
      this.#open.delete(conn);
      try {
        conn.close();
      } catch { // closed already
      }
    }
  }

  /** Passes nothing on, and keeps what comes. */
  hang(): void {
    this.#hung ??= Promise.withResolvers();
  }

  /** Passes on what has come meanwhile: also what clients have given up waiting for. */
  resume(): void {
    this.#hung?.resolve();
    this.#hung = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    this.resume();
    this.cut();
  }
}
