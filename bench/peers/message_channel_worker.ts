/** What runs in the two workers of message_channel.ts, one of its roles in each. */
import { type Item, itemsOf, weigh } from "../payloads.ts";
import type { Job, Role } from "./message_channel.ts";

const ROLES: Record<Role, (job: Job) => void> = {
  produce,
  consume,
  ask,
  answer,
};

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const job: Job = event.data;
  ROLES[job.role](job);
}, { once: true });

function produce({ data, control, payload, warmUp, count }: Job): void {
  const item = itemsOf(payload);
  for (let index = 0; index < warmUp; index++) data.postMessage(item(index));
  control.onmessage = () => {
    for (let index = 0; index < count; index++) data.postMessage(item(index));
  };
  control.postMessage(null);
}

function consume({ data, control, warmUp, count }: Job): void {
  let received = 0;
  let weight = 0;
  data.onmessage = ({ data: item }: MessageEvent<Item>) => {
    weight += weigh(item);
    received++;
    if (received === warmUp) {
      weight = 0;
      control.postMessage(null);
    } else if (received === warmUp + count) {
      control.postMessage(weight);
    }
  };
}

function ask({ data, control, payload, warmUp, count }: Job): void {
  const item = itemsOf(payload);
  let sent = 0;
  let start = 0;
  data.onmessage = () => {
    if (sent === warmUp) start = performance.now();
    if (sent === warmUp + count) {
      control.postMessage((performance.now() - start) / count);
    } else {
      data.postMessage(item(sent++));
    }
  };
  data.postMessage(item(sent++));
}

function answer({ data }: Job): void {
  data.onmessage = ({ data: item }: MessageEvent<Item>) => data.postMessage(item);
}
