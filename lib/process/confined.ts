// The first module of a confined child by reference, which can't import a module by itself once its
// rights are what they are to be: its main module imports everything statically, with the rights of
// its starter (Deno 2.9.6), this module first. What a target's module does as it is evaluated, it
// does with the rights of the child, and can be stopped in the middle of it.

import "./arrivals.ts";
import { prepare } from "./child.ts";

export { bootModule } from "./child.ts";

prepare();
