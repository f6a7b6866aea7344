// A change of the code under test, before it is read.

/** A replacement of text in one file; it must apply exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
