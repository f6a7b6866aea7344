// Data races: two accesses of the same word by two processes, at least one of them plain, at least one of them a
// write, with no happens-before order between them. Vector clocks, after Lamport, Fidge and Mattern; every operation of
// Atomics on a word passes the clock on to the next one there.

import type { Process } from "./process.ts";

interface Access {
  readonly process: number;
  readonly time: number;
  readonly isWrite: boolean;
  readonly isAtomic: boolean;
  readonly site: number;
}

/** The races seen in one run. */
export class Races {
  readonly #sites: readonly string[];
  readonly #found: Map<string, number>;
  readonly #clocks = new Map<number, Int32Array>();
  readonly #accesses = new Map<number, Access[]>();

  /** @param found how often each race was seen; kept over runs */
  constructor(sites: readonly string[], found: Map<string, number>) {
    this.#sites = sites;
    this.#found = found;
  }

  /** What one process has done happens before what the other does next. */
  join(to: Process, from: Process): void {
    joinClocks(to.clock, from.clock);
  }

  /** An operation of Atomics. */
  operation(process: Process, kind: string, place: number, site: number): void {
    const { clock } = process;
    const isWrite = kind !== "load" && kind !== "wait" && kind !== "waitAsync" && kind !== "notify";
    const known = this.#clocks.get(place);
    if (kind !== "store" && known !== undefined) joinClocks(clock, known);
    if (isWrite) this.#clocks.set(place, Int32Array.from(clock));
    this.#check(process, place, isWrite, true, site);
    if (isWrite) clock[process.id]++;
  }

  /** A plain access. */
  plain(process: Process, place: number, isWrite: boolean, site: number): void {
    this.#check(process, place, isWrite, false, site);
  }

  #check(process: Process, place: number, isWrite: boolean, isAtomic: boolean, site: number): void {
    let accesses = this.#accesses.get(place);
    if (accesses === undefined) this.#accesses.set(place, accesses = []);
    const time = process.clock[process.id];
    const access: Access = { process: process.id, time, isWrite, isAtomic, site };
    for (const other of accesses) {
      if (other.process === process.id || !(isWrite || other.isWrite)) continue;
      if (isAtomic && other.isAtomic) continue;
      if (other.time <= process.clock[other.process]) continue;
      const name = [this.#describe(other), this.#describe(access)].sort().join(" ∥ ");
      this.#found.set(name, (this.#found.get(name) ?? 0) + 1);
    }
    const same = accesses.findIndex((other) =>
      other.process === process.id && other.isWrite === isWrite && other.isAtomic === isAtomic
    );
    if (same >= 0) accesses[same] = access;
    else accesses.push(access);
  }

  #describe({ site, isAtomic, isWrite }: Access): string {
    const what = isAtomic ? "" : isWrite ? " (plain)" : " (plain)";
    return (this.#sites[site] ?? "a port") + what;
  }
}

function joinClocks(clock: Int32Array, other: Int32Array): void {
  for (let i = 0; i < clock.length; i++) if (other[i] > clock[i]) clock[i] = other[i];
}
