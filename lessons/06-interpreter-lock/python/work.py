"""The work of lesson 6, as Python does it.

A module of its own: a process that is started afresh (spawn, forkserver) imports the functions it
is to run, and must not start measuring by that.
"""

import time


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
    """Waits, and returns how long. time.sleep lets go of the interpreter lock."""
    time.sleep(milliseconds / 1000)
    return milliseconds


# The ten pairs of the source chapter, in its order (kernel::ten_pairs).
TEN_PAIRS = [
    (1963309, 2265973),
    (2030677, 3814172),
    (1551645, 2229620),
    (2039045, 2020802),
    (1823712, 1924928),
    (2293129, 1020491),
    (1281238, 2273782),
    (3823812, 4237281),
    (3812741, 4729139),
    (1292391, 2123811),
]
