/** Where the parts of the package's text are. */
export interface BundleParts {
  /** Exports boot(), and is enough for a child that uses nothing of the package. */
  core: string;
  /** Exports all. */
  whole: string;
}
