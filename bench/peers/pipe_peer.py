"""Python's side of the pipe benchmarks: the same messages through multiprocessing.Pipe.

Requests and answers are those of queue_peer.py. What is timed, and what comes before the clock
starts, mirrors pipe_targets.ts and pipe_bench.ts.
"""

import multiprocessing
import time
from array import array

from queue_peer import CHUNK_LENGTHS, WEIGHERS, items_of, serve


def produce(connection, ready, go, payload, warm_up, count):
    send = connection.send_bytes if payload in CHUNK_LENGTHS else connection.send
    to_send = items_of(payload, count)
    for item in items_of(payload, warm_up):
        send(item)
    ready.put(None)
    go.get()
    for item in to_send:
        send(item)


def consume(connection, ready, done, payload, warm_up, count):
    recv = connection.recv_bytes if payload in CHUNK_LENGTHS else connection.recv
    weigh = WEIGHERS[payload]
    for _ in range(warm_up):
        weigh(recv())
    ready.put(None)
    weight = 0
    for _ in range(count):
        weight += weigh(recv())
    done.put(weight)


def flow(payload, warmUp, count):
    """Milliseconds from the signal to start until the receiver has the last message."""
    here, there = multiprocessing.Pipe()
    ready, go, done = (multiprocessing.SimpleQueue() for _ in range(3))
    processes = [
        multiprocessing.Process(target=produce, args=(here, ready, go, payload, warmUp, count)),
        multiprocessing.Process(target=consume, args=(there, ready, done, payload, warmUp, count)),
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.get()
    start = time.perf_counter()
    go.put(None)
    weight = done.get()
    elapsed = time.perf_counter() - start
    for process in processes:
        process.join()
    return {"ms": elapsed * 1000, "weight": weight}


def answer(connection):
    while (item := connection.recv()) is not None:
        connection.send(item)


def ask(connection, done, payload, warm_up, count):
    for item in items_of(payload, warm_up):
        connection.send(item)
        connection.recv()
    to_send = items_of(payload, count)
    start = time.perf_counter()
    for item in to_send:
        connection.send(item)
        connection.recv()
    done.put((time.perf_counter() - start) * 1000 / count)
    connection.send(None)


def throw_back(connection, ball):
    while True:
        connection.recv_bytes_into(ball)
        if ball[0] != 1:
            return
        connection.send_bytes(ball)


def throw(connection, done, ball, warm_up, count):
    times = []
    for _ in range(warm_up + count):
        start = time.perf_counter()
        connection.send_bytes(ball)
        connection.recv_bytes_into(ball)
        times.append(time.perf_counter() - start)
    done.put(sorted(times[warm_up:])[count // 10] * 1000 / 2)
    ball[0] = 0
    connection.send_bytes(ball)


def converse(first, second, firsts, seconds=()):
    """What the first of two processes with a pipe between them reports; `firsts` and `seconds`
    are the arguments of each."""
    here, there = multiprocessing.Pipe()
    done = multiprocessing.SimpleQueue()
    processes = [
        multiprocessing.Process(target=second, args=(there, *seconds)),
        multiprocessing.Process(target=first, args=(here, done, *firsts)),
    ]
    for process in processes:
        process.start()
    figure = done.get()
    for process in processes:
        process.join()
    return {"ms": figure}


def talk(payload, warmUp, count):
    """Milliseconds for one message there and back."""
    return converse(ask, answer, (payload, warmUp, count))


def game(length, warmUp, count):
    """Milliseconds for sending an array of floats one way."""
    # Bytes from one array into another is the quickest that a Pipe offers.
    ball = array("d", [1]) * length
    return converse(throw, throw_back, (ball, warmUp, count), (ball,))


if __name__ == "__main__":
    serve({"flow": flow, "talk": talk, "game": game})
