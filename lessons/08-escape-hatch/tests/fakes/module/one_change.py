"""Stands in for the native module in tests that need the lesson's text and no compiler."""

import math


def gcd(a, b):
    return math.gcd(a, b)


gcd_holding_lock = gcd


def gcd_many(pairs, workers):
    return [math.gcd(a, b) for a, b in pairs]
