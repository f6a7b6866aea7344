// The classes whose objects may be handed over to a process. A child must know them also where the target's
// module imports the package as types only. A child imports this file when it is given an object of a class it
// doesn't know yet, because each module takes a quarter of a millisecond to load.

import "../pipe/connection.ts";
import "../queue/shared/joinable_queue.ts";
import "../queue/shared/simple_queue.ts";
import "../sync/barrier.ts";
import "../sync/condition.ts";
import "../sync/event.ts";
import "../sync/lock.ts";
import "../sync/rlock.ts";
import "../sync/semaphore.ts";
import "../sync/shared_array.ts";
import "../sync/value.ts";
