// Re-exports a class of the package.

export { Lock } from "@multiproc/multiprocessing";
