// All methods that put and get, by name.

import type { Queue, WaitOptions } from "../../mod.ts";

type Put = (queue: Queue<unknown>, item: unknown, options?: WaitOptions) => unknown;

export const puts: Record<string, Put> = {
  put: (queue, item, options) => queue.put(item, options),
  putNowait: (queue, item) => queue.putNowait(item),
  putSync: (queue, item, options) => queue.putSync(item, options),
  putMany: (queue, item, options) => queue.putMany([item], options),
  putManyNowait: (queue, item) => queue.putManyNowait([item]),
  putManySync: (queue, item, options) => queue.putManySync([item], options),
};

export const gets: Record<string, (queue: Queue<unknown>, options?: WaitOptions) => unknown> = {
  get: (queue, options) => queue.get(options),
  getNowait: (queue) => queue.getNowait(),
  getSync: (queue, options) => queue.getSync(options),
  getMany: (queue, options) => queue.getMany(2, options),
  getManyNowait: (queue) => queue.getManyNowait(2),
  getManySync: (queue, options) => queue.getManySync(2, options),
};
