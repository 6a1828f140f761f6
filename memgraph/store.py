"""`memory.store`: what carries a Memory into a graph. The whole contract of a store comes with a later release."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from langgraph.store.base import BaseStore, Op, Result

from memgraph.errors import UnsupportedOperation

if TYPE_CHECKING:
    from memgraph.memory import Memory


class MemoryStore(BaseStore):
    """The store to compile a graph with: `builder.compile(store=memory.store)`. Nodes find their memory through it.

    Args:
        memory: The open memory.
    """

    __slots__ = ("memory",)

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Refuse: no store operation exists yet.

        Raises:
            UnsupportedOperation: Always.
        """
        _refuse(ops)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Refuse: no store operation exists yet.

        Raises:
            UnsupportedOperation: Always.
        """
        _refuse(ops)


def _refuse(ops: Iterable[Op]) -> NoReturn:
    names = ", ".join(sorted({type(op).__name__ for op in ops})) or "no operation"
    raise UnsupportedOperation(
        f"memory.store does not offer {names} yet: use memory.add, memory.search, memory.get and memory.list"
    )
