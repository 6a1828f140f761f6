"""What is kept in memory below one byte limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Protocol


class Measured(Protocol):
    """What says how large it is."""

    @property
    def nbytes(self) -> int:
        """Bytes held, near enough."""
        ...


class Held:
    """Indexes of any kind by their keys; the least recently used ones are dropped beyond a byte limit.

    Args:
        limit: Bytes. What was kept last stays, whatever its size.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, Measured] = OrderedDict()
        self._bytes: dict[Hashable, int] = {}

    @property
    def nbytes(self) -> int:
        """Bytes held by all."""
        return sum(self._bytes.values())

    def get(self, key: Hashable) -> Measured | None:
        """Return what is kept under a key."""
        return self._kept.get(key)

    def use(self, key: Hashable) -> None:
        """Note that what is kept under a key was used again, as large as it was."""
        self._kept.move_to_end(key)

    def keep(self, key: Hashable, index: Measured) -> None:
        """Keep an index, new or grown."""
        self._kept[key] = index
        self._kept.move_to_end(key)
        size = index.nbytes
        if self._bytes.get(key) != size:
            self._bytes[key] = size
            self._shrink(key)

    def drop(self, key: Hashable) -> None:
        """Drop one."""
        self._kept.pop(key, None)
        self._bytes.pop(key, None)

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._bytes.clear()

    def _shrink(self, keep: Hashable) -> None:
        total = self.nbytes
        for key in list(self._kept):
            if total <= self.limit:
                return
            if key != keep:
                total -= self._bytes[key]
                self.drop(key)
