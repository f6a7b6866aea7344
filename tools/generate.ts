// Writes what is made from lib/: the bundle that children by source run from, and the reference of
// the API.
//
//   deno task generate            writes them
//   deno task generate --check    fails if one isn't current

import "./generate_runtime.ts";
import "./api_reference.ts";
