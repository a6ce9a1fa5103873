"""Lesson 8: the same work in Python and as a native module, on one core and on several.

`just lesson-8` builds the native module `one_change` and runs this script with it.
"""

import argparse
import contextlib
import heapq
import json
import math
import multiprocessing
import os
import signal
import stat
import statistics
import sys
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

# The ten pairs of the source chapter, which the kernel reads from the same file.
TEN_PAIRS = Path(__file__).parents[2] / "crates/kernel/ten-pairs.txt"

Pair = tuple[int, int]


# ANCHOR: gcd
def gcd(a: int, b: int) -> int:
    """The kernel, line for line, in Python."""
    for divisor in range(min(a, b), 0, -1):
        if a % divisor == 0 and b % divisor == 0:
            return divisor
    raise AssertionError("1 divides every number")
# ANCHOR_END: gcd


@dataclass
class Contender:
    """One row of the table: a name, a function to run, and the row that it is compared with."""

    key: str
    name: str
    run: Callable[[], list[int]]
    own_serial: str  # the key of the serial row of the same code
    policy: str | None
    predicted: float | None  # the speed-up to its own serial row; None where no policy predicts it


def contenders(
    pairs: list[Pair], workers: int, threads: Executor, processes: Executor
) -> list[Contender]:
    """The rows, in the order of the table, which is the order of each round."""
    import one_change

    a, b = zip(*pairs)
    queue = total(pairs) / queue_makespan(pairs, workers)
    # Threads that hold the lock take turns, and gain nothing. A free-threaded Python has no lock.
    held = 1.0 if lock_is_on() else queue
    # ANCHOR: contenders
    return [
        Contender("python-serial", "Python, serial",
                  lambda: list(map(gcd, a, b)), "python-serial", None, 1.0),
        Contender("python-threads", "Python, threads",
                  lambda: list(threads.map(gcd, a, b)), "python-serial", "queue", held),
        Contender("python-processes", "Python, processes",
                  lambda: list(processes.map(gcd, a, b)), "python-serial", "queue", queue),
        Contender("native-serial", "native, serial",
                  lambda: list(map(one_change.gcd, a, b)), "native-serial", None, 1.0),
        Contender("native-threads-lock-held", "threads, lock held",
                  lambda: list(threads.map(one_change.gcd_holding_lock, a, b)),
                  "native-serial", "queue", held),
        Contender("native-threads-lock-released", "threads, lock released",
                  lambda: list(threads.map(one_change.gcd, a, b)),
                  "native-serial", "queue", queue),
        Contender("native-gcd-many", "gcd_many",
                  lambda: one_change.gcd_many(pairs, workers), "native-serial", None, None),
    ]
    # ANCHOR_END: contenders


# The prediction from the costs, before anything runs, as in crates/schedule.


def steps(pair: Pair) -> int:
    """How many divisors the countdown tries."""
    return min(pair) - math.gcd(*pair) + 1


def total(pairs: list[Pair]) -> int:
    return sum(map(steps, pairs))


def bound(pairs: list[Pair], workers: int) -> float:
    """The speed-up that no schedule can beat: one worker runs an item from start to end."""
    return min(workers, total(pairs) / max(map(steps, pairs)))


def queue_makespan(pairs: list[Pair], workers: int) -> int:
    """When the last worker is done, in steps, if the next item goes to the worker free first."""
    free = [0] * workers
    for pair in pairs:
        heapq.heappush(free, heapq.heappop(free) + steps(pair))
    return max(free)


# Measuring.


@dataclass
class Row:
    contender: Contender
    times: list[float]  # seconds, one a round

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def middle_half(self) -> tuple[float, float]:
        if len(self.times) == 1:
            return self.times[0], self.times[0]
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return low, high


def measure(rows: list[Row], rounds: int) -> list[int]:
    """Runs every contender once a round, and returns the answers, which are the same from all."""
    expected = None
    for turn in range(rounds + 1):
        for row in rows:
            # Drawn between the runs only: a thread that draws would want the lock that is measured.
            name = row.contender.name
            progress(f"{'warming up' if turn == 0 else f'round {turn} of {rounds}'}: {name}")
            begin = time.perf_counter()
            answers = row.contender.run()
            end = time.perf_counter()
            if turn > 0:  # the first round starts the workers and warms the caches
                row.times.append(end - begin)
            expected = expected or answers
            if answers != expected:
                raise Failure(f"{row.contender.name} gives other answers than the first row", 1)
    progress("")
    return expected


def pace_note(pairs: list[Pair], rounds: int) -> str | None:
    """A note about pairs that will take long in Python, as in crates/report/src/pace.rs."""
    few = 100_000  # so many steps take no second
    if total(pairs) < few:
        return None

    def seconds() -> float:
        begin = time.perf_counter()
        gcd(few, few + 1)
        return time.perf_counter() - begin

    once = total(pairs) / few * min(seconds() for _ in range(5))
    if once * (rounds + 1) <= 5:
        return None
    return (
        f"Note: in Python, one pass over these pairs takes about {duration(once)} or longer\n"
        f"on one worker, and each row of the table makes {rounds + 1:,} passes. "
        "Ctrl-C ends the lesson."
    )


def duration(seconds: float) -> str:
    """A time for which somebody may have to wait, as in crates/report/src/format.rs."""
    units = {"years": 31_557_600, "days": 86_400, "hours": 3_600, "minutes": 60}
    unit = next((unit for unit in units if seconds >= 2 * units[unit]), "seconds")
    return f"{round(seconds / units.get(unit, 1)):,} {unit}"


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


# The output.


def table(rows: list[Row], pairs: list[Pair], options: argparse.Namespace, answers: list[int]):
    million = total(pairs) / 1e6, max(map(steps, pairs)) / 1e6
    queue = total(pairs) / queue_makespan(pairs, options.workers)
    yield (
        f"Run          gcd over {count(len(pairs), 'pair')}, {count(options.workers, 'worker')}, "
        f"{count(options.rounds, 'round')}, interleaved"
    )
    yield f"Machine      {machine_words(options.workers)}"
    yield f"Python       {python_words()}"
    yield (
        f"Prediction   {million[0]:.2f} million steps, longest item {million[1]:.2f}: "
        f"at most {bound(pairs, options.workers):.2f}x on {count(options.workers, 'worker')}"
    )
    yield f"             a queue in this order {queue:.2f}x" + (
        "; Python threads under one lock 1.00x" if lock_is_on() else ""
    )
    yield "Measured                   median  middle half speed-up to serial predicted"
    serial = {row.contender.key: row.median for row in rows}
    for row in rows:
        contender = row.contender
        if contender.key == "native-serial":
            yield "  now the native module, called from Python:"
        low, high = row.middle_half
        unit, per_second = unit_of(row.median)
        middle = f"{figures(low * per_second)} - {figures(high * per_second)}"
        median = f"{figures(row.median * per_second)} {unit}"
        speedup = factor(serial["python-serial"] / row.median)
        to_serial = factor(serial[contender.own_serial] / row.median)
        predicted = "-" if contender.predicted is None else f"{contender.predicted:.2f}x"
        yield (
            f"  {contender.name:22}{median:>9}{middle:>13}"
            f" {speedup:>8}{to_serial:>10}{predicted:>10}"
        )
    yield "             speed-up: against Python, serial; to serial: against the same"
    yield "             code, serial, and this is what is predicted"
    more = f" … {len(answers) - 16} more" if len(answers) > 16 else ""
    yield f"Answers      {' '.join(map(str, answers[:16]))}{more}      the same from every row"


def unit_of(seconds: float) -> tuple[str, float]:
    """The unit that fits, as in crates/report/src/format.rs."""
    for limit, unit, per_second in ((1e-6, "ns", 1e9), (1e-3, "µs", 1e6), (1.0, "ms", 1e3)):
        if seconds < limit:
            return unit, per_second
    return "s", 1.0


def figures(number: float) -> str:
    """The number with three significant figures."""
    return f"{number:.2f}" if number < 9.995 else f"{number:.1f}" if number < 99.95 else f"{number:.0f}"


def factor(number: float) -> str:
    return f"{number:.2f}x" if number < 999.995 else f"{int(number):,}x"


def document(rows: list[Row], pairs: list[Pair], options: argparse.Namespace, answers: list[int]):
    serial = {row.contender.key: row.median for row in rows}
    return {
        "lesson": 8,
        "kernel": "gcd",
        "python": {
            "version": ".".join(map(str, sys.version_info[:3])),
            "implementation": sys.implementation.name,
            "interpreter_lock": lock_is_on(),
        },
        "workers": options.workers,
        "rounds": options.rounds,
        "items": len(pairs),
        "prediction": {
            "steps": total(pairs),
            "longest": max(map(steps, pairs)),
            "bound": bound(pairs, options.workers),
            "makespan": {"queue": queue_makespan(pairs, options.workers)},
        },
        "stages": [
            {
                "name": row.contender.key,
                "policy": row.contender.policy,
                "seconds": row.median,
                "low": row.middle_half[0],
                "high": row.middle_half[1],
                "speedup": serial["python-serial"] / row.median,
                "own_serial": row.contender.own_serial,
                "speedup_to_own_serial": serial[row.contender.own_serial] / row.median,
                "predicted_speedup": row.contender.predicted,
                "spans": [],  # Python does not record which worker ran which item when
            }
            for row in rows
        ],
        "answers": answers,
    }


def count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_words(workers: int) -> str:
    if cores() == 1:
        return "1 core here: expect 1.00×; the rest still teaches"
    if workers > cores():
        return f"{cores()} cores for {workers} workers: expect at most {cores()}.00×"
    return count(cores(), "core")


def lock_is_on() -> bool:
    """Whether this Python has its interpreter lock. Only a free-threaded Python can lack it."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def python_words() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    lock = "one interpreter lock" if lock_is_on() else "free-threaded: there is no interpreter lock"
    return f"{sys.implementation.name.replace('cpython', 'CPython')} {version}, {lock}"


# The command line.


class Failure(Exception):
    """One line for standard error, and an exit status: 2 for bad input, 1 for anything else."""

    def __init__(self, line: str, status: int = 2) -> None:
        super().__init__(line)
        self.status = status


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise Failure(printable(message))


def number_up_to(most: int) -> Callable[[str], int]:
    def read(word: str) -> int:
        digits = word.lstrip("0")
        if digits.isascii() and digits.isdigit() and len(digits) <= 4 and int(digits) <= most:
            return int(digits)
        raise argparse.ArgumentTypeError(f"{quoted(word)} is not a whole number from 1 to {most}")

    return read


def read_options(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog="just lesson-8",
        description="Lesson 8: the same work in Python and as a native module.",
        epilog="just lesson-8 also takes --python PATH: another Python than the PATH's python3.",
        allow_abbrev=False,
    )
    parser.add_argument("--workers", type=number_up_to(1024), default=2, metavar="N",
                        help="threads or processes, 1 to 1024 (default: 2)")
    parser.add_argument("--rounds", type=number_up_to(1000), default=5, metavar="N",
                        help="how often each row is measured, 1 to 1000 (default: 5; "
                        "a round takes some seconds, nearly all of them in pure Python)")
    parser.add_argument("--pairs", metavar="FILE",
                        help="other pairs: two positive integers a line, # begins a comment")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    # For the book's recorder, which needs text and numbers of the same run.
    parser.add_argument("--record", metavar="FILE", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


# The same file format and the same messages as crates/kernel/src/pairs_file.rs.


def read_pairs_file(path: str) -> list[Pair]:
    name = printable(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise Failure(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise Failure(f"{name}: this is a folder, not a file of pairs") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else error
        raise Failure(f"{name}: it cannot be read: {words}") from None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Failure(f"{name}:{line}: this is not UTF-8 text") from None
    pairs = []
    for line, content in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        words = content.split("#")[0].split()
        if not words:
            continue
        try:
            pairs.append(read_pair(words))
        except Failure as failure:
            raise Failure(f"{name}:{line}: {failure}") from None
    if not pairs:
        raise Failure(f"{name}: there is no pair in it: two positive integers a line")
    return pairs


def read_pair(words: list[str]) -> Pair:
    if len(words) != 2:
        here = "one word is" if len(words) == 1 else f"{len(words)} words are"
        raise Failure(f"two positive integers are wanted, {here} here")
    a, b = map(read_number, words)
    if a == 0 or b == 0:
        raise Failure("a pair needs two positive numbers, and one is 0")
    return a, b


def read_number(word: str) -> int:
    digits = word[1:] if word[0] in "+-" else word
    if not (digits.isascii() and digits.isdigit()):
        raise Failure(f"{quoted(word)} is not a whole number")
    if word[0] == "-":
        raise Failure(f"{quoted(word)} is negative; a pair needs positive numbers")
    digits = digits.lstrip("0") or "0"
    if len(digits) > 20 or int(digits) >= 2**64:
        raise Failure(f"{quoted(word)} does not fit in 64 bits")
    return int(digits)


def quoted(word: str) -> str:
    """The word in quotes. A long word is cut, so that a message is one line."""
    return f"'{printable(word)}'" if len(word) <= 32 else f"'{printable(word[:32])}…'"


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
                   for c in text)


def write_record(path: str, text: str) -> None:
    """Writes all of the record, or leaves what was there, as crates/report/src/output_file.rs."""
    there = os.stat(path) if os.path.exists(path) else None
    if there and sys.stdout and os.path.samestat(there, os.fstat(sys.stdout.fileno())):
        # A file that took this name would take the place of what is printed.
        return say(text, goes_on=False)
    try:
        if there and not stat.S_ISREG(there.st_mode):
            with open(path, "w", encoding="utf-8") as file:  # a pipe cannot be replaced
                file.write(text)
        else:
            replace(os.path.realpath(path), text, there)
    except OSError as error:
        raise Failure(f"the record was not written: {error.strerror}", 1) from None


def replace(path: str, text: str, there: os.stat_result | None) -> None:
    """Puts a file with this text in the place of what is there, in one step."""
    folder = os.path.dirname(path)
    part = os.path.join(folder, f".one-change-{os.getpid()}-{time.time_ns()}.part")
    if there:
        open(path, "ab").close()  # a read-only file says that it is not to be replaced
    try:
        with open(part, "x", encoding="utf-8") as file:
            if there:
                os.chmod(part, stat.S_IMODE(there.st_mode))
            file.write(text)
            file.flush()
            # In this order, or the name could outlive a power cut and the text not.
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)
    # The new name is in the folder. Some file systems cannot sync a folder, and the file is there.
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def say(text: str, goes_on: bool) -> None:
    """Prints the text. If nobody reads it, and there is a file to write, the lesson goes on."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The output was closed early. What is left of it must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not goes_on:
            raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Failure(f"standard output cannot be written: {error.strerror}", 1) from None


def main(arguments: list[str]) -> None:
    options = read_options(arguments)
    pairs = read_pairs_file(options.pairs if options.pairs is not None else str(TEN_PAIRS))
    # The lesson's program (lessons/08-escape-hatch/main.rs) writes the head and the foot.
    head, foot = (os.environ.get(f"ONE_CHANGE_{part}") for part in ("HEAD", "FOOT"))
    if head and not options.json:
        say(head, goes_on=options.record is not None)
    if options.pairs is not None and (note := pace_note(pairs, options.rounds)):
        print(note, file=sys.stderr, flush=True)
    # The workers are made once and are warm when the clock starts, as in the Rust lessons. The
    # processes come first, because a child that is forked beside threads may wait for ever.
    # Only this process handles Ctrl-C, and the workers ignore it.
    # Ctrl-C is held back while the workers start: a pool that is interrupted there never ends.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    own = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    with (
        ProcessPoolExecutor(options.workers, **own) as processes,
        ThreadPoolExecutor(options.workers) as threads,
    ):
        list(processes.map(gcd, [1] * options.workers, [1] * options.workers))
        rows = [Row(each, []) for each in contenders(pairs, options.workers, threads, processes)]
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            answers = measure(rows, options.rounds)
        except KeyboardInterrupt:
            # At its end a pool waits for the items that run, and they may take for ever.
            progress("")
            for worker in multiprocessing.active_children():
                worker.kill()
            os._exit(130)
    text = json.dumps(document(rows, pairs, options, answers))
    if options.record is not None:
        write_record(options.record, text)
    lines = [text] if options.json else [*table(rows, pairs, options, answers), foot or ""]
    say("\n".join(lines).rstrip("\n"), goes_on=False)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        sys.exit(failure.status)
    except ModuleNotFoundError as error:
        print(f"error: {error}; just lesson-8 builds it and runs this script", file=sys.stderr)
        sys.exit(1)
    except (BrokenExecutor, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        pass  # nobody reads on, as in `| head -1`: that is the reader's right and no failure
    except KeyboardInterrupt:
        progress("")
        sys.exit(130)
