"""Python's side of the pool benchmarks: multiprocessing.Pool and concurrent.futures.

Requests and answers are those of queue_peer.py. What is timed mirrors pool_bench.ts. A pool is made
at its first request and kept, so that it is warm.
"""

import multiprocessing
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor

from queue_peer import serve


def nothing(_=None):
    pass


def echo(value):
    return value


def square(n):
    return n * n


def context(method):
    return multiprocessing.get_context(method)


class Pool:
    def __init__(self, processes, method):
        self.pool = context(method).Pool(processes)

    def call(self, function, value):
        return self.pool.apply_async(function, (value,)).get

    def map(self, function, items):
        return self.pool.map(function, items)

    def close(self):
        self.pool.terminate()
        self.pool.join()


class Executor:
    def __init__(self, processes, method):
        self.pool = ProcessPoolExecutor(processes, mp_context=context(method))

    def call(self, function, value):
        return self.pool.submit(function, value).result

    def map(self, function, items):
        return list(self.pool.map(function, items))

    def close(self):
        self.pool.shutdown()


MAKERS = {"multiprocessing.Pool": Pool, "ProcessPoolExecutor": Executor}
FUNCTIONS = {"nothing": nothing, "object": echo, "copied": echo}
made = {}


def kept(pool, processes):
    key = (pool, processes)
    if key not in made:
        made[key] = MAKERS[pool](processes, "fork")
    return made[key]


def calls(pool, workers, task, inFlight, warmUp, count, value=None):
    """Milliseconds for `count` calls, so many of them in flight."""
    call, function = kept(pool, workers).call, FUNCTIONS[task]
    if task == "copied":
        value = bytes(2**20)

    def flow(count):
        waiting = deque()
        for _ in range(count):
            if len(waiting) == inFlight:
                waiting.popleft()()
            waiting.append(call(function, value))
        for result in waiting:
            result()

    flow(warmUp)
    start = time.perf_counter()
    flow(count)
    return {"ms": (time.perf_counter() - start) * 1000}


def map(pool, workers, count):
    """Milliseconds for `count` items."""
    kept_pool, items = kept(pool, workers), list(range(count))
    start = time.perf_counter()
    kept_pool.map(square, items)
    return {"ms": (time.perf_counter() - start) * 1000}


def first(pool, workers):
    """Milliseconds from the making of a pool to its first result."""
    start = time.perf_counter()
    made = MAKERS[pool](workers, "spawn")
    made.call(nothing, None)()
    ms = (time.perf_counter() - start) * 1000
    made.close()
    return {"ms": ms}


if __name__ == "__main__":
    serve({"calls": calls, "map": map, "first": first})
    for pool in made.values():
        pool.close()
