/** The requests that the peers of pool_bench.ts answer. */

/** The name of a peer's pool, as the results show it. */
export type PoolName =
  | "multiprocessing.Pool"
  | "ProcessPoolExecutor"
  | "piscina"
  | "tinypool"
  | "workerpool";

/** The kinds of single calls. */
export type Call = "nothing" | "object" | "copied" | "moved";

/** How single calls are made: so many of them in flight. */
export interface Flow {
  task: Call;
  /** The argument of "object". */
  value?: unknown;
  inFlight: number;
  warmUp: number;
  count: number;
}

/** Requests; a pool has so many `workers`. */
export type PoolRequest =
  & { pool: PoolName; workers: number }
  & (
    | { measure: "calls" } & Flow
    | { measure: "map"; count: number }
    | { measure: "first" }
  );
