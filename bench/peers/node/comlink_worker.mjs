// The thread that comlink's calls of channels.mjs run in.
import { parentPort } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/umd/node-adapter.js";

Comlink.expose({ echo: (value) => value }, nodeEndpoint(parentPort));
