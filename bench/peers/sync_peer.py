"""Python's side of the benchmarks of locks and shared values.

Requests and answers are those of queue_peer.py. What is timed, and what comes before the clock
starts, mirrors sync_targets.ts and sync_bench.ts.
"""

import multiprocessing
import time

from queue_peer import serve

CONTENDERS = 4


def acquire(lock, times):
    for _ in range(times):
        lock.acquire()
        lock.release()


def hold(lock, times):
    for _ in range(times):
        with lock:
            pass


def add_one(value, times):
    for _ in range(times):
        with value.get_lock():
            value.value += 1


def time_steps(run, thing, done, warm_up, count):
    run(thing, warm_up)
    start = time.perf_counter()
    run(thing, count)
    done.put((time.perf_counter() - start) * 1000 / count)


def alone(run, thing, warm_up, count):
    """Milliseconds for one step of a process that runs alone."""
    done = multiprocessing.SimpleQueue()
    process = multiprocessing.Process(target=time_steps, args=(run, thing, done, warm_up, count))
    process.start()
    per_step = done.get()
    process.join()
    return {"ms": per_step}


def contend(lock, ready, go, done, warm_up, count):
    acquire(lock, warm_up)
    ready.put(None)
    go.get()
    acquire(lock, count)
    done.put(count)


def contended(warmUp, count):
    """Milliseconds for one step of several processes that all want one lock."""
    lock = multiprocessing.Lock()
    ready, go, done = (multiprocessing.SimpleQueue() for _ in range(3))
    processes = [
        multiprocessing.Process(target=contend, args=(lock, ready, go, done, warmUp, count))
        for _ in range(CONTENDERS)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.get()
    start = time.perf_counter()
    for _ in processes:
        go.put(None)
    steps = sum(done.get() for _ in processes)
    elapsed = time.perf_counter() - start
    for process in processes:
        process.join()
    return {"ms": elapsed * 1000 / steps}


def reply(question, answer, rested, warm_up, count, rest):
    for _ in range(warm_up + count):
        question.wait()
        question.clear()
        if rest > 0:
            awake = time.perf_counter()
            time.sleep(rest / 1000)
            rested.value = time.perf_counter() - awake
        answer.set()


def ask(question, answer, rested, done, warm_up, count, rest):
    total = 0
    for index in range(warm_up + count):
        if rest > 0:
            time.sleep(rest / 1000)
        start = time.perf_counter()
        question.set()
        answer.wait()
        if index >= warm_up:
            total += time.perf_counter() - start - rested.value
        answer.clear()
    done.put(total * 1000 / count / 2)


def event(warmUp, count, rest):
    """Milliseconds from an event's set() to its waiter being awake, `rest` ms after the last."""
    signs = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.RawValue("d")
    done = multiprocessing.SimpleQueue()
    processes = [
        multiprocessing.Process(target=reply, args=(*signs, warmUp, count, rest)),
        multiprocessing.Process(target=ask, args=(*signs, done, warmUp, count, rest)),
    ]
    for process in processes:
        process.start()
    per_hop = done.get()
    for process in processes:
        process.join()
    return {"ms": per_hop}


if __name__ == "__main__":
    serve({
        "acquire": lambda warmUp, count: alone(acquire, multiprocessing.Lock(), warmUp, count),
        "with": lambda warmUp, count: alone(hold, multiprocessing.Lock(), warmUp, count),
        "value": lambda warmUp, count: alone(add_one, multiprocessing.Value("i"), warmUp, count),
        "contended": contended,
        "event": event,
    })
