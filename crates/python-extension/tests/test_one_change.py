"""The promises of the native module, and the input that it refuses."""

import ast
import inspect
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import one_change
import pytest

_LINES = (Path(__file__).parents[2] / "kernel/ten-pairs.txt").read_text().splitlines()
TEN_PAIRS = [tuple(map(int, line.split())) for line in _LINES if not line.startswith("#")]
TEN_ANSWERS = [1, 1, 5, 1, 32, 1, 14, 9, 1, 9]
MOST = 2**64 - 1
# A countdown of centuries: a test that waits for its end does not pass.
ENDLESS = (MOST, MOST - 1)
# The time limit for an event that must happen, in seconds: long enough for a busy machine.
PATIENCE = 60.0

# Python refuses to print a number this long, so an error that quoted the number would fail itself.
HUGE = pytest.param(10**5000, id="huge")
HUGE_NEGATIVE = pytest.param(-(10**5000), id="huge-negative")

BOTH = [one_change.gcd, one_change.gcd_holding_lock]
both = pytest.mark.parametrize("gcd", BOTH, ids=lambda gcd: gcd.__name__)

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()


class Index:
    """An object that is a whole number by its `__index__`, as NumPy's integers are."""

    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


# The answers.


@both
def test_the_ten_pairs(gcd):
    assert [gcd(a, b) for a, b in TEN_PAIRS] == TEN_ANSWERS == [math.gcd(*p) for p in TEN_PAIRS]


@both
def test_random_pairs_agree_with_math_gcd(gcd):
    seed = random.randrange(2**32)
    numbers = random.Random(seed)
    for _ in range(300):
        factor = numbers.randint(1, 50)
        a, b = factor * numbers.randint(1, 2_000), factor * numbers.randint(1, 2_000)
        assert gcd(a, b) == gcd(b, a) == math.gcd(a, b), f"seed {seed}: {a}, {b}"


@both
def test_the_largest_numbers(gcd):
    assert gcd(MOST, MOST) == MOST
    assert gcd(MOST, 1) == 1
    assert gcd(MOST, 15) == 15


@both
def test_index_is_enough(gcd):
    class Whole(int):
        pass

    assert gcd(Index(12), Index(18)) == 6
    assert gcd(Whole(12), 18) == 6
    assert type(gcd(Whole(12), Whole(12))) is int


def raises(error, words):
    # The words are compared with the message and its notes, because gcd_many adds a note.
    return pytest.raises(error, match=rf"^{words}(\nin pairs\[0\])?$")


# The errors. `call` is each way to pass a pair.

CALLS = [*BOTH, lambda a, b: one_change.gcd_many([(a, b)], 2)]
calls = pytest.mark.parametrize("call", CALLS, ids=["gcd", "gcd_holding_lock", "gcd_many"])


@calls
@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 0)])
def test_zero_is_a_value_error(call, pair):
    with raises(ValueError, "a pair needs two positive numbers, and one is 0"):
        call(*pair)


@calls
@pytest.mark.parametrize("negative", [-1, -(2**63), -(2**64), HUGE_NEGATIVE, Index(-3)])
def test_negative_numbers_are_value_errors(call, negative):
    with raises(ValueError, "a is negative; a pair needs positive numbers"):
        call(negative, 1)
    with raises(ValueError, "b is negative; a pair needs positive numbers"):
        call(1, negative)


@calls
@pytest.mark.parametrize("large", [2**64, HUGE, Index(2**64)])
def test_past_64_bits_is_an_overflow_error(call, large):
    with raises(OverflowError, "a does not fit in 64 bits"):
        call(large, 1)
    with raises(OverflowError, "b does not fit in 64 bits"):
        call(1, large)


@calls
@pytest.mark.parametrize("wrong", [True, False, 12.0, "12", b"12", None, (12,), 12j])
def test_other_types_are_type_errors(call, wrong):
    with pytest.raises(TypeError, match="whole number, not a bool|interpreted as an integer"):
        call(wrong, 12)
    with pytest.raises(TypeError):
        call(12, wrong)


@calls
def test_what_index_raises_comes_through(call):
    class Broken:
        def __index__(self):
            raise LookupError("no number today")

    class Liar:
        def __index__(self):
            return "12"

    with raises(LookupError, "no number today"):
        call(Broken(), 1)
    with pytest.raises(TypeError, match="__index__ returned non-int"):
        call(Liar(), 1)


@both
def test_two_arguments_by_position(gcd):
    for wrong in [lambda: gcd(12), lambda: gcd(12, 18, 24), lambda: gcd(a=12, b=18)]:
        with pytest.raises(TypeError):
            wrong()


# gcd_many.


@pytest.mark.parametrize("workers", [1, 2, 3, 16, Index(2)])
def test_answers_come_in_the_order_of_the_pairs(workers):
    assert one_change.gcd_many(TEN_PAIRS, workers) == TEN_ANSWERS
    # Costs that fall steeply: the first pair is done last.
    pairs = [(1_000_000 // n, 1_000_000 // n) for n in range(1, 200)] + [(999_999, 1_000_000)]
    pairs.reverse()
    assert one_change.gcd_many(pairs, workers) == [math.gcd(a, b) for a, b in pairs]


def test_no_pairs_no_answers():
    assert one_change.gcd_many([], 2) == []
    assert one_change.gcd_many(iter(()), workers=1024) == []


def test_any_iterable_of_any_pairs():
    def pairs():
        yield 12, 18
        yield [7, 21]
        yield iter((Index(5), 15))

    assert one_change.gcd_many(pairs(), 2) == [6, 7, 5]
    assert one_change.gcd_many({12: 18}.items(), workers=2) == [6]
    assert one_change.gcd_many(pairs=zip([12], [18]), workers=2) == [6]


@pytest.mark.parametrize(
    ("pair", "error", "words"),
    [
        ((), ValueError, "not enough numbers for a pair (expected 2, got 0)"),
        ((1,), ValueError, "not enough numbers for a pair (expected 2, got 1)"),
        ((1, 2, 3), ValueError, "too many numbers for a pair (expected 2)"),
        (iter(int, 1), ValueError, "too many numbers for a pair (expected 2)"),  # zeros for ever
        (12, TypeError, "'int' object is not iterable"),
        ("ab", TypeError, "'str' object cannot be interpreted as an integer"),
        ((1, 0), ValueError, "a pair needs two positive numbers, and one is 0"),
        ((1, -1), ValueError, "b is negative; a pair needs positive numbers"),
        ((2**64, 1), OverflowError, "a does not fit in 64 bits"),
        ((1, 2.0), TypeError, "'float' object cannot be interpreted as an integer"),
        ((1, True), TypeError, "b must be a whole number, not a bool"),
    ],
)
def test_a_bad_pair_is_named(pair, error, words):
    # If gcd_many computed the good pairs first, the endless pair would never end.
    with pytest.raises(error) as caught:
        one_change.gcd_many([ENDLESS, (1, 1), (1, 1), pair], 2)
    assert str(caught.value) == words
    assert caught.value.__notes__ == ["in pairs[3]"]


def test_what_a_generator_raises_is_its_own():
    def pairs():
        yield 12, 18
        raise LookupError("no more")

    with pytest.raises(LookupError, match="^no more$") as caught:
        one_change.gcd_many(pairs(), 2)
    assert not hasattr(caught.value, "__notes__")


def test_pairs_must_be_iterable():
    with pytest.raises(TypeError, match="^'int' object is not iterable$"):
        one_change.gcd_many(12, 2)


@pytest.mark.parametrize("workers", [0, -1, 1025, 2**64, HUGE_NEGATIVE, Index(0)])
def test_workers_out_of_range(workers):
    untouched = iter(TEN_PAIRS)
    with pytest.raises(ValueError, match="^workers must be from 1 to 1024$"):
        one_change.gcd_many(untouched, workers)
    assert next(untouched) == TEN_PAIRS[0]


@pytest.mark.parametrize("workers", [True, 2.0, "2", None])
def test_workers_of_another_type(workers):
    with pytest.raises(TypeError):
        one_change.gcd_many(TEN_PAIRS, workers)


def test_workers_must_be_given():
    with pytest.raises(TypeError, match="workers"):
        one_change.gcd_many(TEN_PAIRS)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_threads_that_the_system_refuses_are_a_runtime_error():
    done = python(
        """
        import resource
        # Address space for four stacks of a gibibyte, and not for a fifth. The rest of the space is
        # for the other memory of those four threads: a thread that lacks it aborts the process.
        os.environ["RUST_MIN_STACK"] = str(2**30)
        now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limit = now + 4 * 2**30 + 3 * 2**28
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            one_change.gcd_many([(12, 18)], 1024)
        except RuntimeError as error:
            assert str(error).startswith("can't start 1024 threads: "), error
            assert one_change.gcd_many([(12, 18)], 1) == [6]
            print("refused")
        """
    )
    assert done.stdout == "refused\n", done


# The lock. The tests here read a clock only to give up.


class Counter:
    """Another Python thread, which counts whenever it gets the interpreter lock."""

    def __enter__(self):
        # With this switch interval, no thread takes the lock from another that runs Python code: the
        # lock changes hands only when a thread lets go of it. So a count between two lines of one
        # thread was made because a call between these lines let go.
        self.interval = sys.getswitchinterval()
        sys.setswitchinterval(1000.0)
        self.count = 0
        self.stop = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.stop:
            self.count += 1
            time.sleep(0.0005)  # lets go of the lock, so that the other thread gets the lock back

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        sys.setswitchinterval(self.interval)

    def during(self, call):
        before = self.count
        call()
        return self.count - before


RELEASING = {
    "gcd": lambda: one_change.gcd(3812741, 4729139),
    "gcd_many": lambda: one_change.gcd_many(TEN_PAIRS, 2),
}


@pytest.mark.parametrize("call", RELEASING.values(), ids=RELEASING)
def test_other_threads_run_meanwhile(call):
    with Counter() as counter:
        give_up = time.monotonic() + PATIENCE
        while counter.during(call) == 0:
            assert time.monotonic() < give_up, "no other thread ran during any call"


@pytest.mark.skipif(not GIL, reason="this Python has no interpreter lock to hold")
def test_no_other_thread_runs_while_the_lock_is_held():
    with Counter() as counter:
        for a, b in TEN_PAIRS:
            assert counter.during(lambda: one_change.gcd_holding_lock(a, b)) == 0
            time.sleep(0.001)  # the counter's turn
        # The counter waits all the time, and counts as soon as this thread lets go.
        give_up = time.monotonic() + PATIENCE
        while counter.during(lambda: time.sleep(0.01)) == 0:
            assert time.monotonic() < give_up, "the counter does not count at all"


def test_two_calls_are_in_progress_at_once():
    # A thread that never ends its call does not keep this thread from its own call.
    done = python(
        f"""
        import threading
        threading.Thread(target=one_change.gcd, args={ENDLESS}, daemon=True).start()
        threading.Thread(target=one_change.gcd_many, args=([{ENDLESS}], 2), daemon=True).start()
        print(one_change.gcd_many([(12, 18)], 2), one_change.gcd(12, 18), flush=True)
        os._exit(0)  # the endless threads have no other end
        """
    )
    assert done.stdout == "[6] 6\n", done


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal as Unix does")
def test_an_endless_call_can_be_stopped():
    # A job in the background of a script has SIGINT ignored, and so has a Python that it starts.
    program = f"""
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)

        def pairs():
            yield from [{ENDLESS}] * 100
            print("begun", flush=True)  # the last line before the countdown

        try:
            one_change.gcd_many(pairs(), 2)
        except KeyboardInterrupt:
            # The interpreter goes on, with threads of its own and a new pool.
            print("stopped", one_change.gcd_many([(12, 18)], 2), flush=True)
        """
    with subprocess.Popen(arguments(program), stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "begun\n"
            child.send_signal(signal.SIGINT)
            rest, _ = child.communicate(timeout=PATIENCE)
        finally:
            child.kill()
    assert (rest, child.returncode) == ("stopped [6]\n", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="an alarm, as Unix has it")
def test_a_signal_that_raises_nothing_stops_nothing():
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        give_up = time.monotonic() + PATIENCE
        while not seen:
            assert one_change.gcd_many(TEN_PAIRS * 5, 2) == TEN_ANSWERS * 5
            assert time.monotonic() < give_up
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Other processes.


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_it_works_under_every_start_method(method):
    # In an interpreter of its own: fork needs a process without threads, and pytest's has had some.
    done = python(
        f"""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            a, b = zip(*{TEN_PAIRS})
            with ProcessPoolExecutor(2, context) as pool:
                print(list(pool.map(one_change.gcd, a, b)))
                print(pool.submit(one_change.gcd_many, {TEN_PAIRS}, 2).result())
                try:
                    pool.submit(one_change.gcd_many, [(0, 1)], 2).result()
                except ValueError as error:
                    print(error.__notes__)
        """
    )
    assert done.stdout == f"{TEN_ANSWERS}\n{TEN_ANSWERS}\n['in pairs[0]']\n", done


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux lists them")
def test_no_thread_is_left_behind():
    # In an interpreter of its own: other tests have left countdowns running.
    done = python(
        f"""
        import time
        give_up = time.monotonic() + {PATIENCE}
        for call in range(20):
            one_change.gcd_many([(12, 18)] * 50, 8)
            # A thread that was joined is still listed for a moment.
            while len(os.listdir("/proc/self/task")) > 1:
                assert time.monotonic() < give_up, "threads are left"
        print("none")
        """
    )
    assert done.stdout == "none\n", done


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_forked_after_a_call_has_its_own_threads():
    # If the pool were kept, the child would have no threads in it and wait for ever.
    done = python(
        """
        one_change.gcd_many([(12, 18)], 2)
        if os.fork() == 0:
            print(one_change.gcd_many([(12, 18)], 2), flush=True)
            os._exit(0)
        print(os.wait()[1])
        """
    )
    assert done.stdout == "[6]\n0\n", done


# The module's stub and documentation.


def test_the_stub_agrees_with_the_module():
    package = Path(one_change.__file__).parent
    assert (package / "py.typed").exists()
    source = (Path(__file__).parent.parent / "one_change.pyi").read_text()
    assert (package / "__init__.pyi").read_text() == source, "the wheel has the stub of this source"
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert sorted(functions) == sorted(one_change.__all__) == ["gcd", "gcd_holding_lock", "gcd_many"]
    for name, node in functions.items():
        arguments = node.args
        assert not (arguments.kwonlyargs or arguments.vararg or arguments.kwarg or arguments.defaults)
        kinds = [(a.arg, inspect.Parameter.POSITIONAL_ONLY) for a in arguments.posonlyargs]
        kinds += [(a.arg, inspect.Parameter.POSITIONAL_OR_KEYWORD) for a in arguments.args]
        there = inspect.signature(getattr(one_change, name)).parameters.values()
        assert [(p.name, p.kind) for p in there] == kinds, name
        assert all(p.default is inspect.Parameter.empty for p in there), name


def test_everything_is_documented():
    assert "interpreter lock" in one_change.__doc__
    for name in one_change.__all__:
        assert len(getattr(one_change, name).__doc__.splitlines()) > 2, name


# Programs in an interpreter of their own.


def arguments(program):
    return [sys.executable, "-c", "import os, one_change\n" + textwrap.dedent(program)]


def python(program):
    """Runs a program as a file, as `spawn` needs it, and gives up if the program does not end."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "program.py")
        file.write_text(arguments(program)[2])
        done = subprocess.run(
            [sys.executable, file], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 0, done
    return done
