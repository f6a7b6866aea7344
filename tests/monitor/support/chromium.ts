// A headless Chromium, driven over its debugging protocol (CDP): --screenshot would fire at the load event, when a live
// page shows nothing yet.

import assert from "node:assert/strict";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--remote-debugging-port=0",
];
/** An answer that takes longer doesn't come. In ms. */
const ENDLESS_MS = 20_000;

// deno-lint-ignore no-explicit-any
type Answer = any;

/** The program, by one of its names; undefined where there is none. */
export function chromium(): string | undefined {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      if (new Deno.Command(name, { args: ["--version"], stderr: "null" }).outputSync().success) {
        return name;
      }
    } catch {
      // There is none of this name.
    }
  }
}

/** A browser, with a profile that is new and empty. */
export class Browser implements AsyncDisposable {
  #next = 1;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #tabs = new Map<string, Tab>();
  readonly #open: { targetId: string }[] = [];

  private constructor(
    readonly process: Deno.ChildProcess,
    readonly profile: string,
    readonly socket: WebSocket,
    readonly errors: Promise<void>,
  ) {
    socket.onmessage = ({ data }) => {
      const { id, result, error, method, params, sessionId } = JSON.parse(data);
      if (id === undefined) {
        this.#tabs.get(sessionId)?.note(method, params);
        return;
      }
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error !== undefined) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    };
  }

  static async start(): Promise<Browser> {
    const program = chromium();
    assert.ok(program, "There is no Chromium: apt-get install chromium");
    const profile = await Deno.makeTempDir();
    const process = new Deno.Command(program, {
      args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
      ...{ stdin: "null", stdout: "null", stderr: "piped" },
    }).spawn();
    const lines = process.stderr.pipeThrough(new TextDecoderStream());
    const url = Promise.withResolvers<string>();
    const errors = (async () => {
      let text = "";
      for await (const chunk of lines) {
        text += chunk;
        const [, found] = /DevTools listening on (ws:\S+)/.exec(text) ?? [];
        if (found !== undefined) url.resolve(found);
      }
      url.reject(new Error(`Chromium has ended: ${text}`));
    })();
    const socket = new WebSocket(await url.promise);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Browser(process, profile, socket, errors);
  }

  /** Sends a command, and resolves to its answer. */
  async send(method: string, params: object = {}, sessionId?: string): Promise<Answer> {
    const id = this.#next++, waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    const late = setTimeout(() => waiting.reject(new Error(`${method}: no answer`)), ENDLESS_MS);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(late);
    }
  }

  /** A tab at a URL, so large, in a colour scheme. */
  async open(
    url: string,
    { width = 1280, height = 900, scheme = "light" } = {},
  ): Promise<Tab> {
    // One tab at a time: what isn't seen doesn't ask.
    for (const { targetId } of this.#open.splice(0)) {
      await this.send("Target.closeTarget", { targetId });
    }
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    this.#open.push({ targetId });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, sessionId);
    this.#tabs.set(sessionId, tab);
    for (const domain of ["Page", "Runtime", "Log", "Network", "DOM", "Accessibility"]) {
      await tab.send(`${domain}.enable`);
    }
    await tab.size(width, height);
    await tab.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    await tab.send("Page.navigate", { url });
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.socket.onclose = resolve);
    this.socket.send(JSON.stringify({ id: 0, method: "Browser.close" }));
    await closed;
    await this.process.status;
    await this.errors.catch(() => {});
    await Deno.remove(this.profile, { recursive: true });
  }
}

/** A tab. */
export class Tab {
  /** What the page has asked for, and what it has complained about. */
  readonly requests: string[] = [];
  readonly complaints: string[] = [];

  constructor(readonly browser: Browser, readonly sessionId: string) {}

  note(method: string, params: Answer): void {
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params.exceptionDetails;
      this.complaints.push(`${text} ${exception?.description}`);
    }
    if (method === "Runtime.consoleAPICalled" && /error|warning|assert/.test(params.type)) {
      this.complaints.push(JSON.stringify(params.args));
    }
    if (method === "Log.entryAdded" && /error|warning/.test(params.entry.level)) {
      this.complaints.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    }
  }

  send(method: string, params: object = {}): Promise<Answer> {
    return this.browser.send(method, params, this.sessionId);
  }

  size(width: number, height: number): Promise<Answer> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 500 };
    return this.send("Emulation.setDeviceMetricsOverride", metrics);
  }

  /** The value of an expression in the page. */
  async evaluate<T = Answer>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      ...{ expression, returnByValue: true, awaitPromise: true },
    });
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    const end = performance.now() + ENDLESS_MS;
    while (!await this.evaluate(`Boolean(${expression})`)) {
      if (performance.now() > end) {
        const text = await this.evaluate("document.body.innerText");
        throw new Error(
          `${expression} stays false.\n${text}\n${this.complaints.join("\n")}`,
        );
      }
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  /** Presses a key, as a person does. */
  async press(key: string, text?: string): Promise<void> {
    const keyCode = { Tab: 9, Enter: 13, " ": 32, ArrowDown: 40 }[key] ?? key.charCodeAt(0);
    const event = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: keyCode, text };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { ...event, type: "keyUp", text: undefined });
  }

  /** The whole page as a PNG. */
  async screenshot(isWhole = true): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot", {
      ...{ format: "png", captureBeyondViewport: isWhole, optimizeForSpeed: false },
    });
    return Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  }
}
