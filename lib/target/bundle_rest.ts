// In the text that holds this package, the first module of what not every child has (tools/generate_runtime.ts).

import { knowWhole } from "./bundle.ts";

knowWhole(import.meta.url);
