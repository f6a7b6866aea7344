// The modules that only children import, by URLs that are made when a child is started. The entry point of the
// package imports this file, so that these modules belong to the graph of a program: tools that cache, vendor
// or compile the program include them.
//
// A bundler puts these modules into a module of the user's, where a child can't import them separately. There
// the child imports the module that this file was bundled into, after it has left a function that receives
// them: see target/target.ts.

import { giveToChild, isInlined } from "../target/bundle.ts";
import { adoptChildModule } from "../target/child_module.ts";

if (isInlined) adoptChildModule(import.meta.url ?? "");

giveToChild(() => [import("./boot.ts"), import("./deserializers.ts"), import("../pool/pool.ts")]);

/** These run only in threads and processes that are started by their URLs. */
export const others = () => [import("../bridge/keeper.ts"), import("./os_process.ts")];
