/** The URLs of the parts of the package's text. */
export interface BundleParts {
  /** Exports boot(), which is enough for a child that uses nothing of the package. */
  core: string;
  /** Exports the whole package. */
  whole: string;
}
