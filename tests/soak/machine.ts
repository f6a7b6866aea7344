// The operating system's figures about the machine and a program, where they are available (Linux).

/** Processors there are. */
export const cores: number = navigator.hardwareConcurrency;

/** A look at a program. */
export interface Look {
  bytes: number;
  threads: number;
  /** Seconds of processor time so far. */
  cpu: number;
}

/** The ticks of /proc a second. */
const HERTZ = 100;
/** Bytes of a page of memory. */
const PAGE = 4096;

/** Memory, threads and time of an operating system's process; undefined where that can't be read. */
export async function look(pid: number): Promise<Look | undefined> {
  try {
    const [stat, statm] = await Promise.all([
      Deno.readTextFile(`/proc/${pid}/stat`),
      Deno.readTextFile(`/proc/${pid}/statm`),
    ]);
    // The fields after the name, which may hold anything: number 0 is the state.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    return {
      bytes: Number(statm.split(" ")[1]) * PAGE,
      threads: fields[17],
      cpu: (fields[11] + fields[12]) / HERTZ,
    };
  } catch {
    return undefined;
  }
}

/** The load average of the last minute. */
export function loadNow(): string {
  return Deno.loadavg()[0].toFixed(1);
}

/** Seconds of all processors that were busy and that were there, since some moment. */
export interface Load {
  busy: number;
  all: number;
}

/** The seconds since the machine was started, or since an earlier look. */
export function blame(since: Load = { busy: 0, all: 0 }): Load {
  try {
    const text = Deno.readTextFileSync("/proc/stat");
    const ticks = text.split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
    const all = ticks.reduce((sum, n) => sum + n, 0) / HERTZ, idle = (ticks[3] + ticks[4]) / HERTZ;
    return { busy: all - idle - since.busy, all: all - since.all };
  } catch {
    return { busy: 0, all: 0 };
  }
}
