"""Acceptance, commit 1: messages become turns, on the disk. On the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from memgraph import messages
from memgraph.core import Core, log
from memgraph.errors import InvalidInput
from memgraph.ledger import faults, owners, turns
from memgraph.ledger.turns import Accepted, Entry
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize
from memgraph.records import Added, Draft
from memgraph.scope import Scope, check_id
from memgraph.write_path import beliefs
from memgraph.write_path.applying import LEXICAL_RECIPE
from memgraph.writing.features import features
from memgraph.writing.identity import turn_keys

if TYPE_CHECKING:
    import apsw

DAY_US: Final = 86_400_000_000

_LAST_S: Final = 10.0
"""Seconds that closing waits at most for what nobody else waits for. The writer gives a locked file five."""

_INLINE: Final = 200_000
"""Characters that are read on the loop (about 20 ms); more go to a thread, so that other users' searches don't wait."""


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
        begins: Where no checkpointer keeps the thread: the place of the first message that is not history.
        lenient: Whether to take a message's words where its name or time can't be taken: no run ends for these.
        cause: Thread, checkpoint and task of the graph run.
    """

    __slots__ = (
        "append", "background", "begins", "cause", "idempotency_key", "job", "lenient", "messages", "metadata",
        "said_at", "scope", "thread_id",
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
        begins: int | None = None,
        lenient: bool = False,
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
        self.begins = begins
        self.lenient = lenient
        self.cause = cause
        self.job: int | None = None
        """The job that makes facts of what was accepted."""

    def __repr__(self) -> str:
        return f"Request(thread_id={self.thread_id!r}, background={self.background})"


class Writes:
    """Accepts messages."""

    def __init__(self, core: Core, wake: Callable[[], None]) -> None:
        self._core = core
        self._wake = wake
        self._under_way: set[asyncio.Task[Added]] = set()
        self._unattended: set[asyncio.Task[Added]] = set()

    async def accept(self, request: Request) -> Added:
        """Store what is new: commit 1, on the disk when this returns.

        Who is cancelled waits no longer; what was handed in is stored all the same.

        Raises:
            InvalidInput: A message can't be taken; nothing was written.
            ScopeDenied: The thread belongs to somebody else.
            StoreError: The file could not be written.
        """
        task = self._begun(request)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._leave(task)
            raise

    async def leave(self, request: Request) -> None:
        """Store what is new without waiting for it; why it could not be stored is logged."""
        self._leave(self._begun(request))

    async def settle(self) -> None:
        """Wait for what is being stored by now, whoever else waits for it."""
        if self._under_way:
            await asyncio.wait({*self._under_way})

    async def close(self) -> None:
        """Wait a little for what nobody else waits for: it would be cut short otherwise."""
        if self._unattended:
            await asyncio.wait({*self._unattended}, timeout=_LAST_S)

    def _begun(self, request: Request) -> asyncio.Task[Added]:
        task = asyncio.get_running_loop().create_task(self._accept(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def _leave(self, task: asyncio.Task[Added]) -> None:
        """See to what nobody waits for."""
        self._unattended.add(task)
        task.add_done_callback(self._end_unattended)

    def _end_unattended(self, task: asyncio.Task[Added]) -> None:
        self._unattended.discard(task)
        self._wake()
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            log.warning("what was handed in could not be stored: %s", type(error).__name__)

    async def _accept(self, request: Request) -> Added:
        core, scope, now = self._core, request.scope, self._core.clock()
        drafts, skipped = messages.read(request.messages, metadata=request.metadata, lenient=request.lenient)
        drafts = [_dated(draft, request, now) for draft in drafts]
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
                begins=request.begins,
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
            if not request.background:
                request.job = accepted.facts  # ahead of the commit, by which the background sees it
            if accepted.replaced:
                owner = owners.ensure(connection, key)
                seq = beliefs.let_go(
                    connection, owner, accepted.replaced, now, "its turn was edited", core.ledger.pepper
                )
                return replace(accepted, seq=seq)
            return accepted

        accepted = await core.ledger.write(write, durable=True)
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


def _dated(draft: Draft, request: Request, now: int) -> Draft:
    said = draft.said_at if draft.said_at is not None else request.said_at
    if said is not None and said > now + DAY_US and request.lenient:
        said = None
    if said is not None and said > now + DAY_US:
        raise InvalidInput(f"message {draft.index}: said_at is more than a day ahead; what will be said is no turn")
    return draft if said == draft.said_at else replace(draft, said_at=said)
