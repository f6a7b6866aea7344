// A child whose module imports types only from the package receives every kind of object that can be handed over.

import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from "@multiproc/multiprocessing";
import { name } from "./pipe_other_module_targets.ts";

if (import.meta.main) {
  const all = () => [
    new Queue(),
    new JoinableQueue(),
    new Lock(),
    new RLock(),
    new Semaphore(1),
    new BoundedSemaphore(1),
    new Event(),
    new Condition(),
    new Barrier(2),
    new Value("i32", 1),
    new SharedArray("u8", 3),
    Pipe()[0],
  ];
  const [here, there] = Pipe<object[]>();
  for (const given of all()) here.sendNowait([given]);
  here.sendNowait(all());
  here.close();
  const module = new URL("./pipe_other_module_targets.ts", import.meta.url);
  const process = new Process({ target: name, args: [there], module });
  process.start();
  for (const line of await process.result()) console.log(line);
}
