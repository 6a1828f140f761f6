"""Background work: runs what waits in the outbox, an owner's jobs in order, owners side by side. On the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from memgraph.core import Core, log
from memgraph.errors import StoreClosed, StoreError
from memgraph.ledger import jobs
from memgraph.write_path.facts import Facts
from memgraph.write_path.indexing import Indexing

_AFTER_S: Final = 0.005
"""Background work begins this much later: who added something has the answer by then (a third less time to wait)."""

_POLL_S: Final = 0.02

_AT_ONCE: Final = 4
"""Jobs run side by side: what a model keeps one owner waiting for keeps nobody else."""

_HELD_S: Final = 0.25
"""Seconds until jobs that were left to a caller are looked at again."""


class Drain:
    """Runs what waits in the outbox, in the background."""

    def __init__(self, core: Core, make_facts: Callable[[int], Awaitable[None]]) -> None:
        self._core = core
        self.indexing = Indexing(core, self.wake)
        self.facts = Facts(core, self.wake)
        self._make_facts = make_facts
        self._workers: set[asyncio.Task[None]] = set()
        self._making: set[int] = set()
        self._again = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def _kinds(self) -> tuple[jobs.Kind, ...]:
        """The jobs that this memory can do: vectors only by the embedder that made the others, facts if any."""
        cannot = {"index": self._core.lacks_embedder, "facts": not self._core.makes_facts}
        return tuple(kind for kind in jobs.EVERY if not cannot[kind])

    def wake(self) -> None:
        """See that somebody looks at the outbox."""
        self._again = True
        if not self._closed and len(self._workers) < _AT_ONCE:
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def run_next(self, *, settling: bool = False) -> bool:
        """Run the next job that is due. Returns whether there was one.

        Args:
            settling: Whether to run also what was left to a caller's next node.
        """
        await self.indexing.leases.give_back()
        await self.facts.leases.give_back()
        others = self.facts.held(settling=settling) | self._making
        found = await self._core.ledger.read(jobs.due, self._core.clock(), self._kinds, others)
        if found is None:
            return False
        self.wake()  # another looks for more meanwhile
        job, kind = found
        if kind == "index":
            return await self.indexing.run_next()
        if job in self._making:  # since it was looked for
            return True
        self._making.add(job)
        try:
            await self._make_facts(job)
        finally:
            self._making.discard(job)
        return True

    async def _work(self) -> None:
        await asyncio.sleep(_AFTER_S)
        try:
            while self._again:
                self._again = False
                while await self.run_next():
                    pass
            due = await self._core.ledger.read(jobs.next_due, self._kinds)
        except StoreError as error:
            # The jobs are in the file and stay there: look again in a second.
            log.warning("background work waits: %s", type(error).__name__)
            due = self._core.clock() + 1_000_000
        if due is not None and not self._closed:
            least = _HELD_S if self.facts.held() or self._making else 0.05
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(max(least, (due - self._core.clock()) / 1e6), self.wake)

    async def settle(self) -> None:
        """Wait until no job is open that this memory can run."""
        self.wake()
        while await self._core.ledger.read(jobs.next_due, self._kinds) is not None:
            if self._closed:
                raise StoreClosed("this memory was closed while it settled")
            if not await self.run_next(settling=True):
                await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        """Stop; an unfinished job goes back to the outbox."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if working := [worker for worker in self._workers if worker.cancel()]:
            await asyncio.wait(working)
        await self.indexing.stop()
        self.facts.leases.stop()
