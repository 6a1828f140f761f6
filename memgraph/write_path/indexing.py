"""The index jobs: turns and facts get their vectors. On the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from memgraph.core import Core, log
from memgraph.embedding import Floats
from memgraph.errors import EmbedderUnavailable, StoreClosed, StoreError
from memgraph.ledger import commits, facts, faults, indexes, jobs, turns
from memgraph.records import Added
from memgraph.write_path.leases import Leases
from memgraph.writing.parts import pair_text, passages

if TYPE_CHECKING:
    import apsw

_BATCH: Final = 64
"""Turns embedded between two commits: what a kill costs at most, and how long an erasure waits."""

_POLL_S: Final = 0.02

_CALL_TEXTS: Final = 64
_CALL_CHARACTERS: Final = 16_000
"""Texts, and characters in all, handed to the embedder in one call (about a second of a small encoder on one core)."""

_GLANCE_S: Final = 0.05

_PATIENCE_S: Final = 5.0
"""Seconds without progress after which a caller waits no longer: the turns are on the disk, the job goes on without."""


class Indexing:
    """Runs index jobs."""

    def __init__(self, core: Core, wake: Callable[[], None]) -> None:
        self._core = core
        self._wake = wake
        self.leases = Leases(core, "index", wake)
        self._running: set[asyncio.Task[Added]] = set()
        self._progress = 0
        self._stalled: int | None = None

    async def finish(self, added: Added) -> Added:
        """Run the owner's jobs up to the one of `added`, or wait for who does. Returns it with what still waits.

        An embedder that blocks holds up no caller for ever: without progress the job goes on in the background.
        """
        task = asyncio.get_running_loop().create_task(self._finish(added))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        while True:
            before = self._progress
            # Who has waited in vain once does not wait again until the embedder gave something.
            patience = _PATIENCE_S if self._stalled != before else _GLANCE_S
            done, _ = await asyncio.wait({task}, timeout=patience)
            if task.cancelled():
                raise StoreClosed(
                    "this memory was closed; the turns are on the disk, their job goes on at the next open"
                )
            if done:
                return task.result()
            if self._progress == before:
                self._stalled = before
                log.warning("indexing goes on in the background, words are found all the same: no progress")
                return added

    async def finish_job(self, job: int) -> None:
        """Run an owner's index jobs up to `job`, as `finish` does."""
        await self.finish(Added((), (), "", 0, job))

    async def stop(self) -> None:
        """Stop the jobs that run: the memory closes."""
        running = [task for task in self._running if task.cancel()]
        if running:
            await asyncio.wait(running)
        self.leases.stop()

    async def _finish(self, added: Added) -> Added:
        core = self._core
        try:
            while added.job is not None and not core.lacks_embedder:
                outlook, job = await self.leases.take(added.job)
                if outlook == "put off":
                    return added
                if outlook is None or (job is not None and await self.run(job) and job.job == added.job):
                    return replace(added, job=None, pending=0)
                if job is None:
                    await asyncio.sleep(_POLL_S)
        except StoreClosed:
            raise
        except StoreError as error:
            # The turns are on the disk: an error would say that they are not, and invite to add them again.
            log.warning("indexing was put off, words are found all the same: %s", type(error).__name__)
            self._wake()
        return added

    async def run_next(self) -> bool:
        """Run the next job that is due, if nobody is faster. Returns whether there was one."""
        _, job = await self.leases.take()
        if job is None:
            return False
        await self.run(job)
        return True

    async def run(self, job: jobs.Job) -> bool:
        """Run a leased job: give its turns their vectors. Returns whether it is done.

        A failure is kept with it; words are found all the same.
        """
        faults.point("job.leased")
        with self.leases.working(job):
            return await self._run(job)

    async def _run(self, job: jobs.Job) -> bool:
        core = self._core
        indexed = core.embedder is not None and core.recipe is not None
        batches = [job.rows[start : start + _BATCH] for start in range(0, len(job.rows) if indexed else 0, _BATCH)]
        try:
            for batch in batches:
                if not await self.embed(job.owner, batch, job, finishes=batch is batches[-1]):
                    return False  # another holder has it now
        except EmbedderUnavailable as error:
            reason = str(error)
            log.warning("indexing was put off, words are found all the same: embedder %s", reason)
            await core.ledger.write(jobs.fail, job, core.clock(), f"EmbedderUnavailable: {reason}")
            self._wake()
            return False
        if not batches:
            await core.ledger.write(jobs.finish, job)
        faults.point("job.committed")
        return True

    async def embed(
        self, owner: int, rows: Sequence[int], job: jobs.Job | None = None, *, finishes: bool = False
    ) -> bool:
        """Embed turns and commit their vectors. Returns False, nothing written, if the job is no longer ours.

        Args:
            owner: The owner.
            rows: Turns and facts.
            job: What they are embedded for, None for nothing leased.
            finishes: Whether the job is done with these.
        """
        core = self._core
        embedder, recipe = core.embedder, core.recipe
        assert embedder is not None
        assert recipe is not None
        await core.ledger.read(core.learn_dims)
        parts = await core.ledger.read(_parts, owner, rows)
        vectors: list[Floats] = []
        for call in _calls([text for part in parts for text in part.texts]):
            vectors += await embedder.documents(call)
            self._progress += 1
        faults.point("job.embedded")

        def write(connection: apsw.Connection) -> bool:
            if job is not None and not jobs.is_ours(connection, job, core.clock()):
                return False
            if vectors:
                indexes.set_dims(connection, recipe, len(vectors[0]))
            made = iter(vectors)
            own: dict[int, list[tuple[int | None, Floats]]] = {
                part.row: [(None if place else part.before, next(made)) for place in range(len(part.texts))]
                for part in parts
            }
            stored = {row: own[row] for row in _current(connection, owner, parts)}
            if stored:
                indexes.put_vectors(connection, owner, recipe, stored)
                commits.record(connection, owner, at=core.clock(), kind="index", touched=stored)
            if job is not None and finishes:
                jobs.finish(connection, job)
            return True

        written = await core.ledger.write(write)
        if vectors and embedder.dims is None:
            embedder.dims = len(vectors[0])
        return written


class _Part(NamedTuple):
    """What is embedded of a turn or a fact."""

    row: int
    before: int | None
    """The turn before, where its text is in the first of `texts`."""
    texts: list[str]
    is_fact: bool


def _current(connection: apsw.Connection, owner: int, parts: Sequence[_Part]) -> list[int]:
    """Return the rows still to be indexed: neither what was erased or replaced nor a pair with it may come back."""
    said = facts.texts(connection, owner, [part.row for part in parts if part.is_fact])
    needed = {row for part in parts for row in (part.row, part.before) if row is not None}
    believed = {None, *turns.believed(connection, owner, needed)}
    return [
        part.row
        for part in parts
        if (said.get(part.row) == part.texts[0] if part.is_fact else {part.row, part.before} <= believed)
    ]


def _parts(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> list[_Part]:
    """Return what is to be embedded of some turns and facts."""
    wanted = indexes.to_embed(connection, owner, rows)
    needed = {row for row, _, _ in wanted} | {before for _, before, _ in wanted if before is not None}
    texts = turns.texts(connection, owner, sorted(needed))
    parts: list[_Part] = []
    for row, before, _ in wanted:
        if not texts.get(row, "").strip():
            continue
        context = texts.get(before) if before is not None else None
        if context is None:
            parts.append(_Part(row, None, passages(texts[row]), False))
        else:
            parts.append(_Part(row, before, [pair_text(context, texts[row])], False))
    return parts + [_Part(row, None, [text], True) for row, text in facts.texts(connection, owner, rows).items()]


def _calls(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into calls of the embedder."""
    call: list[str] = []
    size = 0
    for text in texts:
        if call and (len(call) >= _CALL_TEXTS or size + len(text) > _CALL_CHARACTERS):
            yield call
            call, size = [], 0
        call.append(text)
        size += len(text)
    if call:
        yield call
