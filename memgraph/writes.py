"""The write path's I/O: acceptance (commit 1), and the job that goes on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from memgraph import beliefs, messages
from memgraph.applying import LEXICAL_RECIPE
from memgraph.core import Core, log
from memgraph.embedding import Floats
from memgraph.errors import EmbedderUnavailable, InvalidInput, StoreClosed, StoreError
from memgraph.facts import Facts
from memgraph.ledger import commits, facts, faults, indexes, jobs, owners, turns
from memgraph.ledger.turns import Accepted, Entry
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize
from memgraph.records import Added, Draft
from memgraph.scope import Scope, check_id
from memgraph.writing.features import features
from memgraph.writing.identity import turn_keys
from memgraph.writing.parts import pair_text, passages

if TYPE_CHECKING:
    import apsw

DAY_US: Final = 86_400_000_000

_INLINE: Final = 200_000
"""Characters that are read on the loop (about 20 ms); more go to a thread, so that other users' searches don't wait."""

_BATCH: Final = 64
"""Turns embedded between two commits: what a kill costs at most, and how long an erasure waits."""

_AFTER_S: Final = 0.005
"""Background work begins this much later: who added something has the answer by then (a third less time to wait)."""

_POLL_S: Final = 0.02

_CALL_TEXTS: Final = 64
_CALL_CHARACTERS: Final = 16_000
"""Texts, and characters in all, handed to the embedder in one call (about a second of a small encoder on one core)."""

_GLANCE_S: Final = 0.05

_PATIENCE_S: Final = 5.0
"""Seconds without progress after which a caller waits no longer: the turns are on the disk, the job goes on without."""


class Request:
    """Messages handed in, and where they come from.

    A plain class with a short repr: tracers that show a graph's state then show no message through it.

    Args:
        messages: What was handed in.
        scope: Whose.
        thread_id: The thread they come from.
        said_at: When they were said where they don't say so themselves, microseconds UTC; None for now.
        metadata: JSON values for each turn.
        idempotency_key: The caller's name for this call.
        append: Whether a message without id and thread is always a new turn.
        background: Whether to return after commit 1.
        cause: Thread, checkpoint and task of the graph run.
    """

    __slots__ = (
        "append", "background", "cause", "idempotency_key", "messages", "metadata", "said_at", "scope", "thread_id",
    )  # fmt: skip

    def __init__(
        self,
        messages: object,
        scope: Scope,
        *,
        thread_id: str | None = None,
        said_at: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        append: bool = False,
        background: bool = False,
        cause: Mapping[str, str] | None = None,
    ) -> None:
        self.messages = messages
        self.scope = scope
        self.thread_id = None if thread_id is None else check_id("thread_id", thread_id)
        self.said_at = said_at
        self.metadata = metadata
        self.idempotency_key = None if idempotency_key is None else check_id("idempotency_key", idempotency_key)
        self.append = append
        self.background = background
        self.cause = cause

    def __repr__(self) -> str:
        return f"Request(thread_id={self.thread_id!r}, background={self.background})"


class Writes:
    """Accepts messages and runs jobs, on the host's loop."""

    def __init__(self, core: Core, drain: Callable[[], None]) -> None:
        self._core = core
        self._wake = drain
        self._adrift: list[jobs.Job] = []
        self._running: set[asyncio.Task[Added]] = set()
        self._progress = 0
        self._stalled: int | None = None

    async def accept(self, request: Request) -> Added:
        """Store what is new: commit 1, on the disk when this returns.

        Raises:
            InvalidInput: A message can't be taken; nothing was written.
            ScopeDenied: The thread belongs to somebody else.
            StoreError: The file could not be written.
        """
        core, scope, now = self._core, request.scope, self._core.clock()
        drafts, skipped = messages.read(request.messages, metadata=request.metadata)
        drafts = [_dated(draft, request.said_at, now) for draft in drafts]
        key, label = core.owner_key(scope), core.owner_label(scope)
        if not drafts:
            head = await core.ledger.read(owners.head, key)
            return Added((), tuple(skipped), label, 0 if head is None else head[1])
        entries = await self._entries(drafts)

        def keys(secret: bytes) -> list[turns.Keys]:
            return turn_keys(
                secret,
                drafts,
                thread_id=request.thread_id,
                idempotency_key=request.idempotency_key,
                append=request.append,
            )

        def write(connection: apsw.Connection) -> Accepted:
            accepted = turns.accept(
                connection,
                key,
                entries,
                keys,
                place=(request.thread_id, scope.session_id, scope.agent_id),
                # A team's memory may be written from anybody's thread.
                claim=None if scope.is_shared else core.thread_key(request.thread_id),
                now=now,
                recipe=LEXICAL_RECIPE,
                cause=request.cause,
                facts=core.makes_facts,
            )
            if accepted.replaced:
                owner = owners.ensure(connection, key)
                seq = beliefs.let_go(connection, owner, accepted.replaced, now, "its turn was edited")
                return replace(accepted, seq=seq)
            return accepted

        try:
            accepted = await core.ledger.write(write, durable=True)
        except asyncio.CancelledError:
            self._wake()  # what was queued is stored all the same, and nobody waits for its job
            raise
        faults.point("accept.committed")
        order = sorted([*skipped, *accepted.skipped], key=lambda skip: skip.index)
        return Added(accepted.ids, tuple(order), label, accepted.seq, accepted.job, len(accepted.ids), accepted.facts)

    async def _entries(self, drafts: Sequence[Draft]) -> list[Entry]:
        pepper = self._core.ledger.pepper

        def work() -> list[Entry]:
            made: list[Entry] = []
            for draft in drafts:
                read = features(draft.text, draft.role if draft.origin != "tool" else "tool")
                made.append(Entry(draft, pack_terms(pepper, tokenize(draft.text)), read.words, read.flags))
            return made

        if sum(len(draft.text) for draft in drafts) <= _INLINE:
            return work()
        return await asyncio.to_thread(work)

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

    async def give_back(self) -> None:
        """Hand back the jobs that a failing file left in our name: nobody runs them."""
        if adrift := tuple(self._adrift):
            await self._core.ledger.write(jobs.release_all, adrift)
            self._adrift = [job for job in self._adrift if job not in adrift]

    async def stop(self) -> None:
        """Stop the jobs that run, and hand back those that a failing file left in our name: the memory closes."""
        running = [task for task in self._running if task.cancel()]
        if running:
            await asyncio.wait(running)
        if self._adrift:
            self._core.ledger.submit(jobs.release_all, self._adrift)

    async def _finish(self, added: Added) -> Added:
        core = self._core
        try:
            while added.job is not None and not core.lacks_embedder:
                found = await core.ledger.read(jobs.outlook, added.job, core.clock())
                if found is None:
                    return replace(added, job=None, pending=0)
                owner, outlook = found
                if outlook == "put off":
                    return added
                job = await self._lease(owner)
                if job is None:
                    await asyncio.sleep(_POLL_S)
                else:
                    await self.run(job)
        except StoreClosed:
            raise
        except StoreError as error:
            # The turns are on the disk: an error would say that they are not, and invite to add them again.
            log.warning("indexing was put off, words are found all the same: %s", type(error).__name__)
            self._wake()
        return added

    async def run_next(self) -> bool:
        """Run the next job that is due, if nobody is faster. Returns whether there was one."""
        job = await self._lease(None)
        if job is None:
            return False
        await self.run(job)
        return True

    async def _lease(self, owner: int | None) -> jobs.Job | None:
        core, adrift = self._core, tuple(self._adrift)
        taken: list[jobs.Job] = []

        def take(connection: apsw.Connection) -> jobs.Job | None:
            jobs.release_all(connection, adrift)
            leased = jobs.lease(connection, core.clock(), owner, ("index",))
            taken.extend([leased] if leased else [])
            return leased

        try:
            leased = await core.ledger.write(take)
        except asyncio.CancelledError:
            # What was queued is leased all the same: right behind it, it is given back.
            core.ledger.submit(jobs.release_all, taken)
            self._wake()
            raise
        self._adrift = [job for job in self._adrift if job not in adrift]
        return leased

    async def run(self, job: jobs.Job) -> None:
        """Run a leased job: give its turns their vectors. A failure is kept with it; words are found all the same."""
        faults.point("job.leased")
        try:
            await self._run(job)
        except asyncio.CancelledError:
            self._core.ledger.submit(jobs.release_all, [job])
            self._wake()
            raise
        except Exception:
            # Nobody runs it now, though the file says that we do: it is given back before the next lease.
            self._adrift.append(job)
            raise

    async def _run(self, job: jobs.Job) -> None:
        core = self._core
        try:
            if core.embedder is not None and core.recipe is not None:
                for start in range(0, len(job.rows), _BATCH):
                    if not await self.embed(job.owner, job.rows[start : start + _BATCH], job):
                        return  # another holder has it now
        except EmbedderUnavailable as error:
            reason = str(error)
            log.warning("indexing was put off, words are found all the same: embedder %s", reason)
            await core.ledger.write(jobs.fail, job, core.clock(), f"EmbedderUnavailable: {reason}")
            self._wake()
            return
        await core.ledger.write(jobs.finish, job)
        faults.point("job.committed")

    async def embed(self, owner: int, rows: Sequence[int], job: jobs.Job | None = None) -> bool:
        """Embed turns and commit their vectors. Returns False, nothing written, if the job is no longer ours."""
        core = self._core
        embedder, recipe = core.embedder, core.recipe
        assert embedder is not None
        assert recipe is not None
        await core.ledger.read(core.learn_dims)
        wanted = await core.ledger.read(indexes.to_embed, owner, rows)
        sentences = await core.ledger.read(facts.texts, owner, rows)
        needed = {row for row, _, _ in wanted} | {before for _, before, _ in wanted if before is not None}
        texts = await core.ledger.read(turns.texts, owner, sorted(needed))
        parts: list[tuple[int, int | None, list[str]]] = []
        for row, before, _ in wanted:
            if row not in texts or not texts[row].strip():
                continue
            context = texts.get(before) if before is not None else None
            cut = passages(texts[row]) if context is None else [pair_text(context, texts[row])]
            parts.append((row, before if context is not None else None, cut))
        parts += [(row, None, [text]) for row, text in sentences.items()]
        vectors: list[Floats] = []
        for call in _calls([text for _, _, cut in parts for text in cut]):
            vectors += await embedder.documents(call)
            self._progress += 1
        faults.point("job.embedded")

        def write(connection: apsw.Connection) -> bool:
            if job is not None and not jobs.is_ours(connection, job, core.clock()):
                return False
            made = iter(vectors)
            stored: list[int] = []
            if vectors:
                indexes.set_dims(connection, recipe, len(vectors[0]))
            for row, before, cut in parts:
                own: list[tuple[int | None, Floats]] = [
                    (before if i == 0 else None, next(made)) for i in range(len(cut))
                ]
                # Erased or replaced meanwhile: neither it nor a pair with it may come back.
                if before is None or turns.is_believed(connection, owner, before):
                    said = sentences.get(row)
                    alive = (
                        turns.is_believed(connection, owner, row)
                        if said is None
                        else facts.texts(connection, owner, [row]).get(row) == said
                    )
                    if alive:
                        indexes.put_vectors(connection, owner, recipe, row, own)
                        stored.append(row)
            if stored:
                commits.record(connection, owner, at=core.clock(), kind="index", touched=stored)
            return True

        written = await core.ledger.write(write)
        if vectors and embedder.dims is None:
            embedder.dims = len(vectors[0])
        return written


class Drain:
    """Runs what waits in the outbox, in the background, one job after another."""

    def __init__(self, core: Core, make_facts: Callable[[int], Awaitable[None]]) -> None:
        self._core = core
        self.writes = Writes(core, self.wake)
        self.facts = Facts(core, self.wake)
        self._make_facts = make_facts
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def _kinds(self) -> tuple[jobs.Kind, ...]:
        """The jobs that this memory can do: vectors only by the embedder that made the others."""
        return ("facts",) if self._core.lacks_embedder else jobs.EVERY

    def wake(self) -> None:
        """See that somebody looks at the outbox."""
        self._again = True
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run_next(self) -> bool:
        """Run the next job that is due. Returns whether there was one."""
        await self.writes.give_back()
        await self.facts.give_back()
        found = await self._core.ledger.read(jobs.due, self._core.clock(), self._kinds)
        if found is None:
            return False
        job, kind = found
        if kind == "index":
            return await self.writes.run_next()
        await self._make_facts(job)
        return True

    async def _run(self) -> None:
        await asyncio.sleep(_AFTER_S)
        try:
            while self._again:
                self._again = False
                while await self._run_next():
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
                if not await self._run_next():
                    await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        """Stop; an unfinished job goes back to the outbox."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.writes.stop()
        self.facts.stop()


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


def _dated(draft: Draft, said_at: int | None, now: int) -> Draft:
    said = draft.said_at if draft.said_at is not None else said_at
    if said is not None and said > now + DAY_US:
        raise InvalidInput(f"message {draft.index}: said_at is more than a day ahead; what will be said is no turn")
    return draft if said == draft.said_at else replace(draft, said_at=said)
