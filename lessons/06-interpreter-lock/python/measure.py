"""Lesson 6 in the real CPython: the same work serially, on threads, on processes.

Prints one JSON object. Needs Python 3.9 or later and nothing else:

    python3 measure.py [--workers N] [--rounds N] [--pairs FILE] [--wait-ms N]
"""

import argparse
import json
import multiprocessing
import platform
import statistics
import sys
import sysconfig
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import work


def main():
    options = read_options()
    pairs = options.pairs or work.TEN_PAIRS
    # Ten at most: many pairs must not make the measurement wait for minutes.
    waits = [options.wait_ms] * min(len(pairs), 10)

    # Start the processes first, while there is one thread: a child forked beside threads may wait
    # for ever on a lock that no thread releases. The thread pool starts its threads at the first task.
    with ProcessPoolExecutor(options.workers) as processes:
        start_every_worker(processes, options.workers)
        with ThreadPoolExecutor(options.workers) as threads:
            start_every_worker(threads, options.workers)
            contenders = {
                "serial": lambda: list(map(work.gcd, pairs)),
                "threads": lambda: list(threads.map(work.gcd, pairs)),
                "processes": lambda: list(processes.map(work.gcd, pairs)),
                "waits, serial": lambda: list(map(work.wait, waits)),
                "waits, threads": lambda: list(threads.map(work.wait, waits)),
            }
            seconds, answers = measure(contenders, options.rounds)

    for name, found in answers.items():
        expected = waits if name.startswith("waits") else answers["serial"]
        if found != expected:
            fail(f"{name} gives {found}, not {expected}")

    print(json.dumps({
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "free_threaded": is_free_threaded(),
        "free_threaded_build": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "switch_interval": sys.getswitchinterval(),
        "start_method": multiprocessing.get_start_method(),
        "workers": options.workers,
        "rounds": options.rounds,
        "wait_ms": options.wait_ms,
        "stages": [summary(name, times) for name, times in seconds.items()],
        "answers": answers["serial"],
    }))


def is_free_threaded():
    """Whether this Python runs without the interpreter lock now.

    A free-threaded build can switch the lock on again (PYTHON_GIL=1, or an extension module that
    asks for it), so the build alone does not decide.
    """
    is_enabled = getattr(sys, "_is_gil_enabled", None)  # from 3.13 on
    return is_enabled is not None and not is_enabled()


def start_every_worker(pool, workers):
    """Executors start a worker when a task finds no idle worker, so keep all workers busy once."""
    list(pool.map(work.wait, [50] * workers))


def measure(contenders, rounds):
    """The times of each contender, one a round, and its answers. All contenders run in every
    round, so that a machine that is slow for a while is slow for all of them."""
    seconds = {name: [] for name in contenders}
    answers = {}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            answers[name] = run()
            seconds[name].append(time.perf_counter() - start)
    return seconds, answers


def summary(name, times):
    """The median and the middle half, in seconds."""
    low, median, high = (
        statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else times * 3
    )
    return {"name": name, "seconds": median, "low": low, "high": high}


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.error = fail  # one line, as in the lessons
    parser.add_argument("--workers", type=counted(1024), default=2, metavar="N")
    parser.add_argument("--rounds", type=counted(1000), default=5, metavar="N")
    parser.add_argument("--pairs", type=read_pairs, metavar="FILE")
    parser.add_argument("--wait-ms", type=counted(60_000), default=20, metavar="N")
    return parser.parse_args()


def counted(most):
    def count(word):
        is_short = word.isascii() and word.isdigit() and len(word) <= 9
        if not (is_short and 1 <= int(word) <= most):
            wanted = f"a whole number from 1 to {most}"
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, not {word!r}")
        return int(word)

    return count


def read_pairs(path):
    """Two positive integers a line, '#' comments: the file format of the lessons."""
    pairs = []
    try:
        with open(path, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                words = line.split("#")[0].split()
                if not words:
                    continue
                if len(words) != 2 or not all(is_positive(word) for word in words):
                    fail(f"{path}:{number}: two positive integers of 64 bits are wanted")
                pairs.append((int(words[0]), int(words[1])))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: it cannot be read: {error}")
    if not pairs:
        fail(f"{path}: there is no pair in it")
    return pairs


def is_positive(word):
    digits = word[1:] if word.startswith("+") else word
    # 64 bits, as in the lessons: no more than 20 digits, which also keeps int() from refusing.
    digits = digits.lstrip("0")
    return digits.isascii() and digits.isdigit() and len(digits) <= 20 and int(digits) < 2**64


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    if sys.version_info < (3, 9):
        fail(f"Python 3.9 or later is needed, and this is {platform.python_version()}")
    main()
