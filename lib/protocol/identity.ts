/** The name and number of a process, and its place in the tree of processes. */
export interface Identity {
  name: string;
  /** Unique in the program. */
  pid: number;
  /** The place in the tree of processes: [1, 2] is the second child of the first child. */
  lineage: number[];
  daemon: boolean;
}
