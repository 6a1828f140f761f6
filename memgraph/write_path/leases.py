"""Leasing jobs, and giving them back whatever happens. On the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memgraph.core import Core
from memgraph.ledger import jobs

if TYPE_CHECKING:
    import apsw


class Leases:
    """Leases of jobs of one kind.

    Args:
        core: Whose file.
        kind: Of the jobs.
        wake: Sees that somebody looks at the outbox.
    """

    def __init__(self, core: Core, kind: jobs.Kind, wake: Callable[[], None]) -> None:
        self._core = core
        self._kind: jobs.Kind = kind
        self._wake = wake
        self._adrift: list[jobs.Job] = []
        """Nobody runs them now, though the file says that we do: it failed when they were to be given back."""

    async def take(self, up_to: int | None = None) -> tuple[str | None, jobs.Job | None]:
        """Lease the oldest job that is due: of all, or of the owner of a job, on the way to that one.

        Args:
            up_to: Number of that job.

        Returns:
            Its outlook, as `jobs.outlook` tells it, None once it is done. And what was leased: None where it is done or
            put off, or the oldest one is somebody else's.
        """
        core, adrift = self._core, tuple(self._adrift)
        taken: list[jobs.Job] = []

        def take(connection: apsw.Connection) -> tuple[str | None, jobs.Job | None]:
            jobs.release_all(connection, adrift)
            now = core.clock()
            whose = (None, "goes on") if up_to is None else jobs.outlook(connection, up_to, now)
            owner, outlook = whose or (None, None)
            leased = jobs.lease(connection, now, owner, (self._kind,)) if outlook == "goes on" else None
            taken.extend([leased] if leased else [])
            return outlook, leased

        try:
            found = await core.ledger.write(take)
        except asyncio.CancelledError:
            # What was queued is leased all the same: right behind it, it is given back.
            self._release(taken)
            raise
        self._forget(adrift)
        return found

    @contextmanager
    def working(self, job: jobs.Job) -> Generator[None]:
        """Work on a leased job: given back untried if the work is cancelled, and before the next lease if it fails."""
        try:
            yield
        except asyncio.CancelledError:
            self._release([job])
            raise
        except Exception:
            self._adrift.append(job)
            raise

    async def give_back(self) -> None:
        """Hand back the jobs that a failing file left in our name."""
        if adrift := tuple(self._adrift):
            await self._core.ledger.write(jobs.release_all, adrift)
            self._forget(adrift)

    def stop(self) -> None:
        """Hand them back without waiting: the memory closes."""
        if self._adrift:
            self._core.ledger.submit(jobs.release_all, self._adrift)

    def _release(self, taken: Collection[jobs.Job]) -> None:
        self._core.ledger.submit(jobs.release_all, taken)
        self._wake()

    def _forget(self, adrift: Collection[jobs.Job]) -> None:
        self._adrift = [job for job in self._adrift if job not in adrift]
