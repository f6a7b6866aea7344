// The result of a search.

import type { Schedule } from "../kernel/kernel.ts";

/** A failure, and how to see it again. */
export interface Failure {
  readonly what: string;
  readonly schedule: Schedule;
  /** The places that were taken to be shared: decisions are counted by them. */
  readonly visible: readonly number[];
}

/** What a search has found. */
export interface SearchResult {
  readonly failure: Failure | undefined;
  /** Whether nothing was left out, within the bounds. */
  readonly isComplete: boolean;
  readonly schedules: number;
  readonly states: number;
  readonly steps: number;
  readonly seconds: number;
}
