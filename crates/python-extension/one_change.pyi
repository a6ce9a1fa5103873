"""The types of the native module, for editors and type checkers."""

from collections.abc import Iterable
from typing import SupportsIndex

# A bool is refused (TypeError), although a type checker accepts a bool as an int.

def gcd(a: SupportsIndex, b: SupportsIndex, /) -> int: ...
def gcd_holding_lock(a: SupportsIndex, b: SupportsIndex, /) -> int: ...
def gcd_many(pairs: Iterable[Iterable[SupportsIndex]], workers: SupportsIndex) -> list[int]: ...
