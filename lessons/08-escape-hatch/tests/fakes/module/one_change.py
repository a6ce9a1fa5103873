"""Stands in for the native module in tests that need the lesson's text and no compiler."""

import math
import os
import sys
import time


def gcd(a, b):
    return math.gcd(a, b)


def gcd_holding_lock(a, b):
    if "FAKE_NEVER_ENDS" in os.environ:
        print("it begins", file=sys.stderr, flush=True)
        time.sleep(1e6)
    return math.gcd(a, b)


def gcd_many(pairs, workers):
    return [math.gcd(a, b) for a, b in pairs]
