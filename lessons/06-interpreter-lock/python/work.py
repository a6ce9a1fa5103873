"""The work of lesson 6 in Python.

The functions are in a module of their own: a process that is started afresh (spawn, forkserver)
imports the functions that it is to run, and this import must not start a measurement.
"""

import time
from pathlib import Path


def gcd(pair):
    """The greatest common divisor, found by counting down from the smaller number.

    kernel::gcd and gcd.tiny, candidate for candidate.
    """
    a, b = pair
    low = min(a, b)
    for divisor in range(low, 0, -1):
        if a % divisor == 0 and b % divisor == 0:
            return divisor
    raise ValueError("a pair needs two positive numbers")


def wait(milliseconds):
    """Waits, and returns for how long. time.sleep lets go of the interpreter lock."""
    time.sleep(milliseconds / 1000)
    return milliseconds


def read_pairs(path):
    """The pairs of a file that holds two positive numbers a line; # begins a comment."""
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return [(int(words[0]), int(words[1])) for words in lines if words]


TEN_PAIRS = read_pairs(Path(__file__).parents[3] / "crates/kernel/ten-pairs.txt")
