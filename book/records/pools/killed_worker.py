"""What does a pool do when a worker is killed (SIGKILL)?

Two moments: in the call, and half way through the answer, when the worker has written the answer's
length to its pipe and not yet the answer. The caller waits for the killed task, then gives the pool
one more. Prints one JSON object:

    {"pool", "version", "python", "start_method", "moment", "limit", "outcome", "seconds", "next_task"}

Usage: killed_worker.py POOL START_METHOD MOMENT [LIMIT]
    POOL          executor (concurrent.futures), pool (multiprocessing.Pool), loky, pebble
    START_METHOD  fork, spawn, forkserver (loky has its own: give loky)
    MOMENT        call, answer
    LIMIT         seconds after which "waits for ever" is said, 10 by default
"""

import contextlib
import json
import multiprocessing
import os
import platform
import signal
import struct
import sys
import threading
import time


def die_in_the_call():
    os.kill(os.getpid(), signal.SIGKILL)


def die_half_way_through_the_answer():
    """Runs in the worker: from now on, an answer ends after its header, and so does the worker."""
    import multiprocessing.connection as connection

    def header_then_death(self, buf):
        os.write(self._handle, struct.pack("!i", len(buf)))
        os.kill(os.getpid(), signal.SIGKILL)

    connection.Connection._send_bytes = header_then_death
    return "an answer that nobody reads to its end"


def next_task():
    return "well"


def attempt(call, limit):
    """Calls on a thread, because some of these calls never come back."""
    outcome = {}

    def run():
        try:
            outcome["said"] = f"answer: {call()}"
        except BaseException as error:
            outcome["said"] = f"error: {type(error).__name__}"

    start = time.monotonic()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit)
    seconds = time.monotonic() - start
    return outcome.get("said", "waits for ever"), round(seconds, 4)


def make(pool, method):
    """Two functions: start a task (gives a function that waits for it), and the pool's version."""
    context = None if pool == "loky" else multiprocessing.get_context(method)
    if pool == "executor":
        from concurrent.futures import ProcessPoolExecutor

        executor = ProcessPoolExecutor(max_workers=2, mp_context=context)
        return (lambda task: executor.submit(task).result), "concurrent.futures"
    if pool == "pool":
        workers = context.Pool(2)
        return (lambda task: workers.apply_async(task).get), "multiprocessing"
    if pool == "loky":
        import loky

        executor = loky.get_reusable_executor(max_workers=2)
        return (lambda task: executor.submit(task).result), f"loky {loky.__version__}"
    if pool == "pebble":
        from importlib.metadata import version

        from pebble import ProcessPool

        workers = ProcessPool(max_workers=2, context=context)
        return (lambda task: workers.schedule(task).result), f"Pebble {version('pebble')}"
    sys.exit(f"error: unknown pool {pool!r}")


def main():
    pool, method, moment = sys.argv[1:4]
    limit = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
    fault = {"call": die_in_the_call, "answer": die_half_way_through_the_answer}[moment]
    start, version = make(pool, method)
    warm, _ = attempt(start(next_task), limit)
    if warm != "answer: well":
        sys.exit(f"error: {pool} under {method} does not even work: {warm}")
    outcome, seconds = attempt(start(fault), limit)
    # Giving the pool another task may block as well, so that happens on the thread too.
    following, _ = attempt(lambda: start(next_task)(), limit)
    record = {
        "pool": pool,
        "version": version,
        "python": platform.python_version(),
        "start_method": method,
        "moment": moment,
        "limit": limit,
        "outcome": outcome,
        "seconds": seconds,
        "next_task": following,
    }
    print(json.dumps(record), flush=True)
    # A pool that hangs would hang the interpreter's exit too.
    for child in multiprocessing.active_children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
