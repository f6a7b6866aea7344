"""Python's side of wakeups_bench.ts: from set() or notify() until the process that slept is awake."""

import multiprocessing
import time

from queue_peer import serve


def sleep_at_event(event, awake):
    while True:
        event.wait()
        event.clear()
        awake.value += 1


def sleep_at_condition(condition, awake):
    with condition:
        while True:
            condition.wait()
            awake.value += 1


def set_event(event):
    event.set()


def notify(condition):
    with condition:
        condition.notify()


def wakeups(make, sleep, wake, warm_up, count, rest):
    """Milliseconds, the median; the one that wakes spins until it sees that the sleeper is awake."""
    sleeper, awake = make(), multiprocessing.RawValue("i")
    process = multiprocessing.Process(target=sleep, args=(sleeper, awake), daemon=True)
    process.start()
    times = []
    for index in range(warm_up + count):
        time.sleep(rest / 1000)
        start = time.perf_counter()
        wake(sleeper)
        while awake.value == index:
            pass
        times.append(time.perf_counter() - start)
    process.kill()
    process.join()
    return {"ms": sorted(times[warm_up:])[count // 2] * 1000}


if __name__ == "__main__":
    serve({
        "event": lambda warmUp, count, rest: wakeups(
            multiprocessing.Event, sleep_at_event, set_event, warmUp, count, rest
        ),
        "condition": lambda warmUp, count, rest: wakeups(
            multiprocessing.Condition, sleep_at_condition, notify, warmUp, count, rest
        ),
    })
