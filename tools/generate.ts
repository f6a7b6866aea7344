// Generates the files that are made from lib/: the bundle that children by source run from, the reference of the API,
// and the picture of the rooms.
//
//   deno task generate            writes them
//   deno task generate --check    fails if one isn't current

import "./generate_runtime.ts";
import "./api_reference.ts";
import "./rooms.ts";
