// Every holdable passes the contract of holdables.

import { BoundedSemaphore, Condition, Lock, RLock, Semaphore } from "../../mod.ts";
import { holdableContract, type Implementation, type Tested } from "./holdable_contract.ts";

const lock: Implementation["can"] = {
  owned: true,
  reentrant: false,
  counts: false,
  locked: true,
  value: false,
};

/** In Python's terms a semaphore has no owner. */
const semaphore: Implementation["can"] = {
  owned: false,
  reentrant: false,
  counts: true,
  locked: false,
  value: true,
};

const isUnlocked = ({ locked }: Tested) => locked === false;
const hasPermit = ({ value }: Tested) => value === 1;

/** The locks of the conditions: whether somebody holds one is asked of itself. */
const locks = new WeakMap<Tested, Lock | RLock>();
const isLockFree = (condition: Tested) => !locks.get(condition)!.locked;

function conditionWith(lock: Lock | RLock): Condition {
  const condition = new Condition(lock);
  locks.set(condition, lock);
  return condition;
}

const implementations: Implementation[] = [
  { name: "Lock", className: "Lock", can: lock, make: () => new Lock(), isFree: isUnlocked },
  {
    name: "RLock",
    className: "RLock",
    can: { ...lock, reentrant: true },
    make: () => new RLock(),
    isFree: isUnlocked,
  },
  {
    name: "Semaphore",
    className: "Semaphore",
    can: semaphore,
    make: () => new Semaphore(1),
    isFree: hasPermit,
  },
  {
    name: "BoundedSemaphore",
    className: "BoundedSemaphore",
    can: { ...semaphore, counts: false },
    make: () => new BoundedSemaphore(1),
    isFree: hasPermit,
  },
  {
    name: "Condition with a Lock",
    className: "Condition",
    can: { ...lock, locked: false },
    make: () => conditionWith(new Lock()),
    isFree: isLockFree,
    delegates: true,
  },
  {
    name: "Condition with an RLock, as by default",
    className: "Condition",
    can: { ...lock, locked: false, reentrant: true },
    make: () => conditionWith(new RLock()),
    isFree: isLockFree,
    delegates: true,
  },
];

for (const implementation of implementations) holdableContract(implementation);
