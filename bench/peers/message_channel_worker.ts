/** The code of the two workers of message_channel.ts, each in one of the roles. */
import { type Item, itemsOf, weigh } from "../payloads.ts";
import { type Ball, checkBall, newBall, undisturbed } from "../pipe_targets.ts";
import type { Job } from "./message_channel.ts";

type ItemJob = Extract<Job, { payload: unknown }>;
type BallJob = Exclude<Job, ItemJob>;

globalThis.addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  start(event.data);
}, { once: true });

function start(job: Job): void {
  switch (job.role) {
    case "produce":
      return produce(job);
    case "consume":
      return consume(job);
    case "ask":
      return ask(job);
    case "answer":
      return answer(job);
    case "throw":
      return throwBall(job);
    case "throw back":
      return throwBack(job);
  }
}

function produce({ data, control, payload, warmUp, count }: ItemJob): void {
  const item = itemsOf(payload);
  for (let index = 0; index < warmUp; index++) data.postMessage(item(index));
  control.onmessage = () => {
    for (let index = 0; index < count; index++) data.postMessage(item(index));
  };
  control.postMessage(null);
}

function consume({ data, control, warmUp, count }: ItemJob): void {
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

function ask({ data, control, payload, warmUp, count }: ItemJob): void {
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

function answer({ data }: ItemJob): void {
  data.onmessage = ({ data: item }: MessageEvent<Item>) => data.postMessage(item);
}

function throwBall({ data, control, length, warmUp, count }: BallJob): void {
  const times: number[] = [];
  let start = 0;
  const send = (ball: Ball) => {
    start = performance.now();
    data.postMessage(ball, [ball.buffer]);
  };
  data.onmessage = ({ data: ball }: MessageEvent<Ball>) => {
    times.push(performance.now() - start);
    if (times.length < warmUp + count) return send(ball);
    checkBall(ball, length);
    control.postMessage(undisturbed(times.slice(warmUp)) / 2);
  };
  send(newBall(length));
}

function throwBack({ data }: BallJob): void {
  data.onmessage = ({ data: ball }: MessageEvent<Ball>) => data.postMessage(ball, [ball.buffer]);
}
