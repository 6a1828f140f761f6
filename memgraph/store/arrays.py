"""The items under a prefix as arrays: loaded once, in steps, then brought up to date within each search's snapshot."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from memgraph.core import Core
from memgraph.ledger import items
from memgraph.ledger.engine import snapshot
from memgraph.projections.items import ItemArrays
from memgraph.store.operations import Namespace

if TYPE_CHECKING:
    import apsw

Model = tuple[str, int]
"""Name and dimension of what made vectors."""

_Key = tuple[Namespace, Model | None]

_STEP: Final = 2_000
"""Items of a step of loading: about 30 ms, in which the loop serves nobody else."""


class PrefixArrays:
    """The arrays of one store's prefixes; they share the memory's byte limit with the owners' indexes."""

    def __init__(self) -> None:
        self._loading: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()
        self._pid = os.getpid()

    async def loaded(self, core: Core, prefix: Namespace, model: Model | None) -> ItemArrays:
        """Return the arrays of a prefix, as of some moment not long ago. `catch_up` makes them those of a snapshot.

        Args:
            core: The file's parts.
            prefix: Labels.
            model: Whose vectors are wanted, None for none.
        """
        if self._pid != os.getpid():  # a parent's, inherited by fork: who held a lock there does not live here
            self._loading, self._pid = WeakValueDictionary(), os.getpid()
        key = (prefix, model)
        lock = self._loading.get(key)
        if lock is None:
            lock = self._loading[key] = asyncio.Lock()
        async with lock:  # who comes while they are loaded waits for them, and does not load them as well
            held = core.cache.held.get(key)
            if isinstance(held, ItemArrays):
                return held
            arrays = ItemArrays(None if model is None else model[1])

            def begin(connection: apsw.Connection) -> list[int]:
                with snapshot(connection):
                    _, arrays.changed = items.state(connection, prefix)
                    return items.numbers(connection, prefix)

            everyone = await core.ledger.read(begin)
            for first in range(0, len(everyone), _STEP):
                await core.ledger.read(_take, arrays, everyone[first : first + _STEP], model)
                await asyncio.sleep(0)
            core.cache.held.keep(key, arrays)
            return arrays


def catch_up(
    connection: apsw.Connection, core: Core, arrays: ItemArrays, prefix: Namespace, model: Model | None
) -> None:
    """Bring arrays to what a reader's snapshot shows."""
    count, changed = items.state(connection, prefix)
    if changed > arrays.changed:
        _take(connection, arrays, items.numbers(connection, prefix, arrays.changed), model)
        arrays.changed = changed
    if len(arrays) != count:  # some are gone
        arrays.keep(items.numbers(connection, prefix))
    core.cache.held.keep((prefix, model), arrays)


def _take(connection: apsw.Connection, arrays: ItemArrays, numbers: list[int], model: Model | None) -> None:
    made_by = None if model is None else items.model_number(connection, *model)
    vectors = [] if made_by is None else items.vectors(connection, made_by, numbers)
    arrays.put(items.indexed(connection, numbers), vectors)
