// The methods that a process of the operating system can call of a queue or connection that it was given.

/**
 * How a method is called: "wait" takes options with a timeout and a signal as its last argument, "now" takes
 * none; "get" and "set" are properties.
 */
export type Call = "wait" | "now" | "get" | "set" | "bytes";

const BASIC: Readonly<Record<string, Call>> = {
  ...{ put: "wait", putNowait: "now", get: "wait", getNowait: "now", empty: "now" },
};

const QUEUE: Readonly<Record<string, Call>> = {
  ...BASIC,
  ...{ putMany: "wait", putManyNowait: "now", getMany: "wait", getManyNowait: "now" },
  ...{ qsize: "now", full: "now", statistics: "now", shutdown: "now" },
  ...{ maxSize: "get", setMaxSize: "set", name: "get" },
};

/** By the class of the object. */
export const METHODS: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  SimpleQueue: BASIC,
  Queue: QUEUE,
  JoinableQueue: { ...QUEUE, taskDone: "now", join: "wait", unfinished: "get" },
  Connection: {
    ...{ send: "wait", sendNowait: "now", recv: "wait", recvNowait: "now" },
    ...{ poll: "wait", pollNowait: "now", statistics: "now", close: "now" },
    ...{ sendBytes: "wait", sendBytesNowait: "now", recvBytes: "bytes", recvBytesNowait: "bytes" },
  },
};

/** The method by which a stand-in learns that the object is ready. */
export const READY = "ready";

/** A call as it crosses: the number of the call, that of the object, the method, its arguments, and its timeout. */
export type CallFrame = [id: number, at: number, method: string, args: unknown[], timeout: number];

/** The answer to a call: its number, and what it returned or why it returned nothing. */
export type ReplyFrame = [id: number, hasReturned: boolean, value: unknown];
