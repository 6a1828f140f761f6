"""What is worked out of a text is remembered for as long as it is worked on, and no longer.

A turn is looked at once for every fact that it could end, and a known fact with every batch. Both memories are
bounded; that of turns is emptied with each plan, that of facts and names by `forget`, as when a text is erased.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_TURNS: Final[list[Callable[[], None]]] = []
_FACTS: Final[list[Callable[[], None]]] = []


def of_turns(function: Callable[P, T]) -> Callable[P, T]:
    """Remember what a function returns until the plan that asked is made."""
    cached = lru_cache(maxsize=2_048)(function)
    _TURNS.append(cached.cache_clear)
    return cast("Callable[P, T]", cached)


def of_facts(function: Callable[P, T]) -> Callable[P, T]:
    """Remember what a function returns of known facts and names: they are read again with every batch."""
    cached = lru_cache(maxsize=8_192)(function)
    _FACTS.append(cached.cache_clear)
    return cast("Callable[P, T]", cached)


def forget_turns() -> None:
    """Forget what was worked out of turns."""
    for clear in _TURNS:
        clear()


def forget() -> None:
    """Forget everything that was worked out of any text."""
    forget_turns()
    for clear in _FACTS:
        clear()
