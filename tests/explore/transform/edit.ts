// An edit of the code under test, made before the code is parsed.

/** A replacement of text in one file; it must apply exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
