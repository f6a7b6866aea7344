// Hands on what it has from the package.

export { Lock } from "@multiproc/multiprocessing";
