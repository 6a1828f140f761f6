"""From turns to facts: a job's three stages. On the host's loop.

Each stage leases the job, works, and stores what it made with the job before the next one begins, so that a kill costs
what one stage did and a replay gives the same state. What a stage asks of a model or of rules is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from pydantic import TypeAdapter

from memgraph.core import Core, log
from memgraph.drafts import Decision, FactDraft, KnownFact, SaidTurn, Step
from memgraph.errors import ModelError, ModelOutputInvalid, ModelUnavailable
from memgraph.ledger import codec, facts, faults, jobs, operations, owners, turns
from memgraph.ledger.jobs import Job
from memgraph.ledger.operations import Origin
from memgraph.records import KINDS, ORIGINS, MemoryOperation
from memgraph.write_path import applying
from memgraph.write_path.applying import Plan
from memgraph.write_path.leases import Leases
from memgraph.writing.consolidation import plan

if TYPE_CHECKING:
    import apsw

Extractor = Callable[[Sequence[SaidTurn], Sequence[SaidTurn]], Awaitable[tuple[list[FactDraft], Origin]]]
"""From turns, and the ones before them as context, to drafts and who made them."""

Decider = Callable[
    [Sequence[FactDraft], Sequence[SaidTurn], Sequence[KnownFact]], Awaitable[tuple[Mapping[int, Decision], Origin]]
]
"""From drafts, their turns and what is known to decisions by draft and who made them."""

_KNOWN: Final = 300
"""Facts about one subject that a draft is compared with, the newest first."""

_CONTEXT: Final = 2
_CONTEXT_CHARACTERS: Final = 400
"""Turns before a batch, and of each so much, that tell what it answers."""

_POLL_S: Final = 0.02

EXPECT_S: Final = 60.0
"""Seconds that a job waits for the node that is to go on with it, before the background does."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """What extraction stores with a job.

    Attributes:
        rows: Rows of the turns by the index by which drafts name them, from 1.
        context_rows: Rows of the turns before them that were shown, too: drafts may hold their words.
    """

    drafts: list[FactDraft]
    rows: list[int]
    agent_id: str | None
    origin: Origin
    context_rows: list[int] = field(default_factory=list[int])


@dataclass(frozen=True, slots=True)
class Decided:
    """What consolidation stores with a job: steps, and (row, version) of the facts known then, by alias."""

    steps: list[Step]
    known: dict[str, tuple[int, int]]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job at a stage.

    Attributes:
        open: Whether there is still something to be done that can be done now.
        drafts: How many were made or decided.
        operations: What was applied.
        index: Number of the job that gives what was applied its vectors, None without one.
        error: Class of the error with which it failed or was put off, "Waiting" behind one that was, None if neither.
        origin: Who made what the stage made.
    """

    open: bool
    drafts: int = 0
    operations: tuple[MemoryOperation, ...] = ()
    index: int | None = None
    error: str | None = None
    origin: Origin = Origin()


@dataclass(slots=True)
class _Batch:
    turns: list[SaidTurn]
    rows: list[int]
    context: list[SaidTurn]
    agent_id: str | None
    carried: list[int] = field(default_factory=list[int])
    context_rows: list[int] = field(default_factory=list[int])


_DRAFTED: Final = TypeAdapter(Drafted)
_DECIDED: Final = TypeAdapter(Decided)


class Caller(Protocol):
    """Who runs a job's stages.

    Attributes:
        job: Number of the job, None as long as there is none.
    """

    job: int | None


class Facts:
    """Runs the stages of the jobs that make facts."""

    def __init__(self, core: Core, wake: Callable[[], None]) -> None:
        self._core = core
        self._wake = wake
        self.leases = Leases(core, "facts", wake)
        self._callers: set[Caller] = set()
        self._expected: dict[int, float] = {}

    @contextmanager
    def attended(self, caller: Caller) -> Generator[None]:
        """Leave a caller's job to it: it runs the stages one after another and tells what each did. In any thread."""
        self._callers.add(caller)
        try:
            yield
        finally:
            self._callers.discard(caller)

    def held(self, *, settling: bool = False) -> frozenset[int]:
        """Return the jobs that the background leaves to callers: those they run now, and those they go on with.

        Args:
            settling: Leave out the latter: somebody waits until everything is done.
        """
        now = asyncio.get_running_loop().time()
        self._expected = {job: until for job, until in self._expected.items() if until > now}
        run = {caller.job for caller in tuple(self._callers) if caller.job is not None}
        return frozenset(run if settling else run | self._expected.keys())

    def expect(self, job: int) -> None:
        """Leave a job for a while to a caller's next node; without one the background goes on with it."""
        self._expected[job] = asyncio.get_running_loop().time() + EXPECT_S

    async def extract(self, job: int, extractor: Extractor, *, strict: bool = False) -> Outcome:
        """Make drafts of a job's turns.

        Raises:
            ModelError: The model failed, where `strict`.
        """

        async def work(leased: Job) -> Outcome:
            batch = await self._core.ledger.read(_batch, leased)
            try:
                drafts, origin = await extractor(batch.turns, batch.context) if batch.turns else ([], Origin())
            except ModelOutputInvalid:
                await self._core.ledger.write(lambda c: jobs.settle_carried(c, batch.carried, done=False))
                raise
            faults.point("facts.extracted")
            made = Drafted(drafts, batch.rows, batch.agent_id, origin, batch.context_rows)
            stored = codec.encode(_DRAFTED.dump_json(made).decode())

            def keep(connection: apsw.Connection) -> None:
                if jobs.is_ours(connection, leased, self._core.clock()):
                    jobs.settle_carried(connection, batch.carried, done=True)
                    if drafts:
                        # With the rows that were taken along: whatever is erased of them is found by these.
                        jobs.store(connection, leased, draft=stored, decision=None, rows=batch.rows)
                    else:
                        jobs.finish(connection, leased)

            await self._core.ledger.write(keep)
            faults.point("facts.drafted")
            return Outcome(bool(drafts), len(drafts), origin=origin)

        return await self._stage(job, "extract", work, strict)

    async def consolidate(self, job: int, decider: Decider | None, *, strict: bool = False) -> Outcome:
        """Decide what becomes of a job's drafts: by a model where one is needed and there is one, else by rules.

        Raises:
            ModelError: The model failed, where `strict`.
        """

        async def work(leased: Job) -> Outcome:
            assert leased.draft is not None
            made = _DRAFTED.validate_json(codec.decode(leased.draft))
            said, known, versions = await self._core.ledger.read(_known, leased, made)
            decisions: Mapping[int, Decision] = {}
            asked = Origin()
            if decider is not None:
                decisions, asked = await decider(made.drafts, said, known)
            decided = Decided(plan(made.drafts, said, known, decisions), versions, _both(made.origin, asked))
            faults.point("facts.planned")
            stored = codec.encode(_DECIDED.dump_json(decided).decode())

            def keep(connection: apsw.Connection) -> None:
                if jobs.is_ours(connection, leased, self._core.clock()):
                    jobs.store(connection, leased, draft=leased.draft, decision=stored)

            await self._core.ledger.write(keep)
            faults.point("facts.decided")
            return Outcome(True, len(decided.steps), origin=asked)

        return await self._stage(job, "consolidate", work, strict)

    async def merge(self, job: int) -> Outcome:
        """Apply what was decided: commit 2. What was decided for other facts than there are now is decided again."""

        async def work(leased: Job) -> Outcome:
            assert leased.draft is not None
            assert leased.decision is not None
            made = _DRAFTED.validate_json(codec.decode(leased.draft))
            decided = _DECIDED.validate_json(codec.decode(leased.decision))
            core = self._core

            def write(connection: apsw.Connection) -> tuple[list[MemoryOperation], int | None] | None:
                now = core.clock()
                if not jobs.is_ours(connection, leased, now):
                    return [], None
                said = {turn.index: turn for turn in _said(connection, leased.owner, made.rows)}
                planned = Plan(
                    leased.job,
                    made.agent_id,
                    made.drafts,
                    decided.steps,
                    said,
                    dict(enumerate(made.rows, 1)),
                    decided.known,
                    decided.origin,
                    [*made.context_rows, *made.rows] if made.origin.model is not None else [],
                )
                if not applying.is_current(connection, leased.owner, planned):
                    jobs.store(connection, leased, draft=leased.draft, decision=None)
                    return None
                owner = owners.numbered(connection, leased.owner)
                applied = applying.apply(connection, owner, planned, pepper=core.ledger.pepper, now=now)
                jobs.finish(connection, leased)
                index = None
                if applied.touched:
                    index = jobs.enqueue(connection, leased.owner, applied.seq, rows=applied.touched, now=now)
                faults.point("facts.applied")
                return operations.numbered(connection, leased.owner, applied.operations), index

            written = await core.ledger.write(write)
            faults.point("facts.committed")
            if written is None:
                return Outcome(True)
            return Outcome(False, operations=tuple(written[0]), index=written[1])

        return await self._stage(job, "merge_graph", work, strict=False)

    async def _stage(self, job: int, stage: str, work: Callable[[Job], Awaitable[Outcome]], strict: bool) -> Outcome:
        """Run one stage of the owner's oldest open job, up to `job`; wait for whoever has it."""
        core = self._core
        while True:
            outlook, leased = await self.leases.take(job)
            if outlook is None:
                return Outcome(False)
            if outlook == "put off":
                error = await core.ledger.read(jobs.hindrance, job)
                if strict:
                    raise ModelUnavailable(f"facts of these turns wait: an earlier try failed ({error})")
                return Outcome(False, error=error)
            if leased is None:
                await asyncio.sleep(_POLL_S)
                continue
            if leased.stage != stage:
                await core.ledger.write(jobs.release_all, [leased])
                return Outcome(True)
            with self.leases.working(leased):
                try:
                    outcome = await work(leased)
                except ModelError as error:
                    await self._fail(leased, error)
                    if strict:
                        raise
                    return Outcome(False, error=type(error).__name__)
            return outcome if leased.job == job else replace(outcome, open=True)

    async def _fail(self, leased: Job, error: ModelError) -> None:
        """Keep with a job that its model failed: tried again later, unless that is of no use."""
        name = type(error).__name__
        log.warning("no facts were made of some turns, which are found all the same: %s", name)
        final = isinstance(error, ModelOutputInvalid)
        await self._core.ledger.write(jobs.fail, leased, self._core.clock(), name, final)
        self._wake()


def _batch(connection: apsw.Connection, job: Job) -> _Batch:
    """Return what a job's extraction reads: its turns, what stood before, and what earlier failures left."""
    said = turns.said(connection, job.owner, job.rows)
    if not said:
        return _Batch([], [], [], None)
    agent = said[0].agent_id
    said = [turn for turn in said if turn.agent_id == agent]  # what one agent was told makes no fact of another's
    carried: list[int] = []
    for failed, rows in jobs.carried(connection, job, ModelOutputInvalid.__name__).items():
        left = turns.said(connection, job.owner, rows)
        if all(turn.agent_id == agent for turn in left):
            carried.append(failed)
            said = [*left, *said]
    before = turns.said_before(connection, job.owner, said[0].row, _CONTEXT)
    context = [_shown(0, turn, _CONTEXT_CHARACTERS) for turn in before]
    beside = [turn.row for turn in before]
    return _Batch([_shown(i, t) for i, t in enumerate(said, 1)], [t.row for t in said], context, agent, carried, beside)


def _said(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> list[SaidTurn]:
    index = {row: place for place, row in enumerate(rows, 1)}
    return [_shown(index[turn.row], turn) for turn in turns.said(connection, owner, rows)]


def _shown(index: int, turn: turns.Said, most: int | None = None) -> SaidTurn:
    text = codec.decode(turn.text)[:most]
    return SaidTurn(index, turn.speaker, turn.role, ORIGINS[turn.origin], text, turn.said_at)


def _known(
    connection: apsw.Connection, job: Job, made: Drafted
) -> tuple[list[SaidTurn], list[KnownFact], dict[str, tuple[int, int]]]:
    """Return the turns of a job's drafts, and the believed facts about their subjects by alias with their versions."""
    owner = owners.numbered(connection, job.owner)
    subjects = {applying.subject_key(owner.secret, draft.subject) for draft in made.drafts}
    heads = facts.about(connection, job.owner, made.agent_id, sorted(subjects), _KNOWN)
    heads.sort(key=lambda head: head.row)
    known = [_as_known(f"f{place}", head) for place, head in enumerate(heads, 1)]
    versions = {fact.alias: (head.row, head.version) for fact, head in zip(known, heads, strict=True)}
    return _said(connection, job.owner, made.rows), known, versions


def _as_known(alias: str, head: facts.Head) -> KnownFact:
    return KnownFact(
        alias,
        head.subject,
        head.attribute,
        head.object,
        codec.decode(head.text),
        KINDS[head.kind],
        head.valid_from,
        head.valid_to,
        untrusted=ORIGINS[head.origin] in ("tool", "document"),
    )


def _both(one: Origin, other: Origin) -> Origin:
    """Return who made a batch of operations: who extracted and who decided, their tokens together."""
    if other.model is None:
        return one
    if one.model is None:
        return other
    return Origin(
        one.model if one.model == other.model else f"{one.model}+{other.model}",
        f"{one.prompt}+{other.prompt}",
        (one.prompt_tokens or 0) + (other.prompt_tokens or 0),
        (one.answer_tokens or 0) + (other.answer_tokens or 0),
    )
