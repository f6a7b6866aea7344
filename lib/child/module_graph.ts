// The modules that only children import, by URLs made as they are started. The entry point of the package
// imports this file, so that they belong to the graph of a program: what caches, vendors or compiles the
// program takes them along.
//
// A bundler puts them into a module of the user's, where a child can't import them by themselves. There it
// imports the module that this file was put into, having left a function that is given them: see
// target/target.ts.

import { giveToChild, isInlined } from "../target/bundle.ts";
import { adoptChildModule } from "../target/child_module.ts";

if (isInlined) adoptChildModule(import.meta.url ?? "");

giveToChild(() => [import("./boot.ts"), import("./deserializers.ts"), import("../pool/pool.ts")]);
