"""Background work: runs what waits in the outbox, one job after another. On the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from memgraph.core import Core, log
from memgraph.errors import StoreClosed, StoreError
from memgraph.facts import Facts
from memgraph.indexing import Indexing
from memgraph.ledger import jobs

_AFTER_S: Final = 0.005
"""Background work begins this much later: who added something has the answer by then (a third less time to wait)."""

_POLL_S: Final = 0.02


class Drain:
    """Runs what waits in the outbox, in the background, one job after another."""

    def __init__(self, core: Core, make_facts: Callable[[int], Awaitable[None]]) -> None:
        self._core = core
        self.indexing = Indexing(core, self.wake)
        self.facts = Facts(core, self.wake)
        self._make_facts = make_facts
        self._task: asyncio.Task[None] | None = None
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
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def run_next(self) -> bool:
        """Run the next job that is due. Returns whether there was one."""
        await self.indexing.leases.give_back()
        await self.facts.leases.give_back()
        found = await self._core.ledger.read(jobs.due, self._core.clock(), self._kinds, self.facts.held())
        if found is None:
            return False
        job, kind = found
        if kind == "index":
            return await self.indexing.run_next()
        await self._make_facts(job)
        return True

    async def _run(self) -> None:
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
            delay = max(0.05, (due - self._core.clock()) / 1e6)
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(delay, self.wake)

    async def settle(self, timeout: float | None) -> None:
        """Wait until no job is open that this memory can run.

        Raises:
            TimeoutError: It took longer than `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while await self._core.ledger.read(jobs.next_due, self._kinds) is not None:
                if self._closed:
                    raise StoreClosed("this memory was closed while it settled")
                if not await self.run_next():
                    await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        """Stop; an unfinished job goes back to the outbox."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.indexing.stop()
        self.facts.leases.stop()
