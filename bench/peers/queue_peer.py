"""Python's side of the benchmarks: the same flows through multiprocessing.

Reads one request a line from stdin, as JSON, and answers each with one line of JSON. What is
timed, and what comes before the clock starts, mirrors targets.ts, queue_bench.ts and
process_bench.ts; the payloads mirror payloads.ts.
"""

import json
import multiprocessing
import operator
import sys
import time
from itertools import cycle, islice

DIFFERENT = 1024
STRING_LENGTH = 1024
DIFFERENT_CHUNKS = 8
CHUNK_LENGTHS = {"64 KiB": 1 << 16, "1 MiB": 1 << 20, "10 MB": 10_000_000}
# Seconds.
REST = 0.001


def items_of(payload, count):
    """The first `count` items of a payload, ready to be iterated over."""
    if payload == "integers":
        return range(count)
    if payload in CHUNK_LENGTHS:
        length = CHUNK_LENGTHS[payload]
        return islice(cycle([bytes([index]) * length for index in range(DIFFERENT_CHUNKS)]), count)
    build = link if payload == "objects" else text
    return islice(cycle([build(index) for index in range(DIFFERENT)]), count)


def link(index):
    return {
        "id": index,
        "url": f"https://example.com/page/{index}",
        "tags": ["news", "sport", "today"],
    }


def text(index):
    digits = str(index)
    filling = STRING_LENGTH - len(digits)
    return ("abcdefgh" * (filling // 8 + 1))[:filling] + digits


def weigh_chunk(chunk):
    return len(chunk) + chunk[-1]


WEIGHERS = {
    "integers": int,
    "objects": operator.itemgetter("id"),
    "strings": len,
    **dict.fromkeys(CHUNK_LENGTHS, weigh_chunk),
}


def produce(items, ready, go, payload, warm_up, count):
    to_send = items_of(payload, count)
    for item in items_of(payload, warm_up):
        items.put(item)
    ready.put(None)
    go.get()
    for item in to_send:
        items.put(item)


def consume(items, ready, go, done, payload, warm_up, count):
    weigh = WEIGHERS[payload]
    for _ in range(warm_up):
        weigh(items.get())
    ready.put(None)
    # Without this a quick consumer would take what others still need to warm up.
    go.get()
    weight = 0
    for _ in range(count):
        weight += weigh(items.get())
    done.put(weight)


def flow(payload, warmUp, count, producers, consumers):
    """Milliseconds from the signal to start until the last consumer has its last item."""
    items = multiprocessing.Queue()
    ready, go, done = (multiprocessing.SimpleQueue() for _ in range(3))
    gets = count * producers // consumers
    warm_up_gets = warmUp * producers // consumers
    processes = [
        multiprocessing.Process(target=produce, args=(items, ready, go, payload, warmUp, count))
        for _ in range(producers)
    ] + [
        multiprocessing.Process(
            target=consume, args=(items, ready, go, done, payload, warm_up_gets, gets)
        )
        for _ in range(consumers)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.get()
    start = time.perf_counter()
    for _ in processes:
        go.put(None)
    weight = sum(done.get() for _ in range(consumers))
    elapsed = time.perf_counter() - start
    for process in processes:
        process.join()
    return {"ms": elapsed * 1000, "weight": weight}


def answer(questions, answers, ready):
    ready.put(None)
    while (item := questions.get()) is not None:
        answers.put(item)


def ask(questions, answers, done, payload, warm_up, count):
    for item in items_of(payload, warm_up):
        questions.put(item)
        answers.get()
    to_send = items_of(payload, count)
    start = time.perf_counter()
    for item in to_send:
        questions.put(item)
        answers.get()
    done.put((time.perf_counter() - start) * 1000 / count)


def ask_at_rest(questions, answers, done, payload, warm_up, count):
    total = 0
    for index, item in enumerate(items_of(payload, warm_up + count)):
        time.sleep(REST)
        start = time.perf_counter()
        questions.put(item)
        answers.get()
        if index >= warm_up:
            total += time.perf_counter() - start
    done.put(total * 1000 / count)


def talk(payload, warmUp, count, waiting, asker=ask):
    """Milliseconds for one item there and back while `waiting` processes wait for items."""
    questions, answers = multiprocessing.Queue(), multiprocessing.Queue()
    ready, done = multiprocessing.SimpleQueue(), multiprocessing.SimpleQueue()
    answerers = [
        multiprocessing.Process(target=answer, args=(questions, answers, ready))
        for _ in range(waiting)
    ]
    for process in answerers:
        process.start()
    for _ in answerers:
        ready.get()
    asking = multiprocessing.Process(
        target=asker, args=(questions, answers, done, payload, warmUp, count)
    )
    asking.start()
    per_item = done.get()
    asking.join()
    for _ in answerers:
        questions.put(None)
    for process in answerers:
        process.join()
    return {"ms": per_item}


def talk_at_rest(**request):
    """The same when all are asleep before each item."""
    return talk(**request, asker=ask_at_rest)


def nothing():
    pass


def spawn(warmUp, count, method="spawn", pause=0):
    """Milliseconds to start and join one empty process with a start method, with pauses (ms) between them."""
    context = multiprocessing.get_context(method)

    def run(times):
        total = 0
        for _ in range(times):
            start = time.perf_counter()
            process = context.Process(target=nothing)
            process.start()
            process.join()
            total += time.perf_counter() - start
            time.sleep(pause / 1000)
        return total

    run(warmUp)
    return {"ms": run(count) * 1000 / count}


def serve(measurements):
    """Answers requests with what the function of that name measures."""
    # A forked child of this program shares nothing with it but what it is given, as on every
    # platform where fork is the default; newer Pythons have another default.
    multiprocessing.set_start_method("fork")
    for line in sys.stdin:
        request = json.loads(line)
        measured = measurements[request.pop("measure")](**request)
        print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    serve({"flow": flow, "talk": talk, "talk at rest": talk_at_rest, "spawn": spawn})
