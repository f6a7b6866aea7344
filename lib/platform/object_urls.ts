// Object URLs (blob:) as modules of other isolates.
//
//   shared            A module at a blob: URL that one isolate made can be imported in every isolate of
//                     the program, sandboxes included, and as the import of a worker's main module.
//   revocable         Any isolate can revoke it; resolveObjectURL of node:buffer tells whether one has.
//   cheaper           As a data: URL, 200 KB of text make every start 30 ms slower, because Deno 2.9.6 handles
//                     the URL and not only the text. A new blob: URL for each worker costs nearly as much,
//                     because Deno keeps parsed modules by their URL.

import { each } from "./containers.ts";
import * as buffer from "node:buffer"; // as a namespace: Deno 2.5 has no resolveObjectURL

/** Taken before any code of the user's runs: with replaced functions, other text could run as this package. */
const { createObjectURL } = URL, PlainBlob = Blob;

/** A URL by which every isolate of the program can import a module with this text. */
export function newObjectUrl(text: string): string {
  // Deno iterates the parts, and reads more options than these from the object it is given.
  const parts = each([text]) as Iterable<BlobPart> as BlobPart[];
  const options = { __proto__: null, type: "text/javascript" } as BlobPropertyBag;
  return createObjectURL(new PlainBlob(parts, options));
}

/** Whether the URL exists and has not been revoked. */
export function isObjectUrl(url: string): boolean {
  return buffer.resolveObjectURL(url) !== undefined;
}
