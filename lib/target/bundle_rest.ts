// In the text that holds this package, the first module of what not every child has (tools/generate_runtime.ts).

import { knowRest } from "./bundle.ts";

knowRest(import.meta.url);
