"""Reads told in steps, so that nobody has to wait for the whole of a long one."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")

Steps: TypeAlias = Generator[int, None, T]
"""A read under way: each step gives what it has cost, microseconds, about. They are counted and not measured, so that
the same read of the same data always goes the same way."""

SHORT: Final = 3_000
"""Microseconds up to which a read is done at once, on the connection that all share."""

TURN: Final = 1_000
"""Microseconds for which a longer one goes on before it lets others have the loop."""


def advance(steps: Steps[T], most: int) -> tuple[T] | None:
    """Go on with a read for so many microseconds. Returns its result, alone in a tuple; None where it has not ended."""
    spent = 0
    while spent < most:
        try:
            spent += next(steps)
        except StopIteration as end:
            return (end.value,)
    return None
