"""The Python side of `just bench-pool`: times ProcessPoolExecutor, one request at a time.

Reads one request a line on standard input, answers each with one line of JSON on standard output,
and ends at end of file. The Rust side sends its own measurement's turn in between, so that both
sides run interleaved on one machine.

    hello                {"python": "3.11.7", "start_method": "fork"}
    round_trip N         seconds for one submit().result() of a small task: the median of N
    each N               seconds per task for N tiny tasks by map, chunksize 1
    chunked N            seconds per task for N tiny tasks by map, chunksize 1000
    bytes N              seconds for N bytes there and back
    start                seconds for a pool of two workers: start, first answer, shutdown
"""

import concurrent.futures
import json
import multiprocessing
import platform
import statistics
import sys
import time


def small(pair):
    a, b = pair
    return a + b


def tiny(number):
    return number + 1


def echo(data):
    return data


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def start_to_shutdown():
    with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
        assert pool.submit(tiny, 1).result() == 2


def measure(pool, name, argument):
    if name == "hello":
        return {
            "python": platform.python_version(),
            "start_method": multiprocessing.get_start_method(),
        }
    if name == "round_trip":
        pair = (1963309, 2265973)
        times = [timed(lambda: pool.submit(small, pair).result()) for _ in range(argument)]
        return statistics.median(times)
    if name == "each":
        return timed(lambda: sum(pool.map(tiny, range(argument)))) / argument
    if name == "chunked":
        return timed(lambda: sum(pool.map(tiny, range(argument), chunksize=1000))) / argument
    if name == "bytes":
        data = bytes(argument)
        return timed(lambda: pool.submit(echo, data).result())
    if name == "start":
        return timed(start_to_shutdown)
    sys.exit(f"error: unknown request {name!r}")


def main():
    with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
        # Both workers are there before anything is timed.
        list(pool.map(tiny, range(100)))
        for line in sys.stdin:
            name, *argument = line.split()
            answer = measure(pool, name, int(argument[0]) if argument else None)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
