"""Commit 2: a plan's steps written into the ledger, in one transaction, each as an operation that can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from memgraph.drafts import FactDraft, SaidTurn, Step
from memgraph.ledger import commits, facts, indexes, operations, owners, turns
from memgraph.ledger.facts import Content, Keys
from memgraph.ledger.operations import Effects, Entry, Origin
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import RECIPE as TOKENIZER_RECIPE
from memgraph.projections.tokenizer import tokenize
from memgraph.records import OPEN, ORIGINS
from memgraph.write_path import linking
from memgraph.write_path.linking import Stated
from memgraph.writing.clauses import key as name_key
from memgraph.writing.features import RECIPE as FEATURES_RECIPE
from memgraph.writing.features import features
from memgraph.writing.identity import digest
from memgraph.writing.planning import fact_hash

if TYPE_CHECKING:
    import apsw

LEXICAL_RECIPE: Final = TOKENIZER_RECIPE * 1_000 + FEATURES_RECIPE
"""Version of postings and flags; `reindex` makes those of another one again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be applied.

    Attributes:
        job: The job it comes from: facts and entities get ids that a replay would give again.
        turns: What was shown, by index. `rows`: rows of these turns by index.
        known: By alias: (row, version) of the facts that the plan was made for.
        origin: Who extracted and decided.
        shown: Rows of the turns that a model saw, `rows` and those before them: drafts may hold words of any.
    """

    job: int
    agent_id: str | None
    drafts: Sequence[FactDraft]
    steps: Sequence[Step]
    turns: Mapping[int, SaidTurn]
    rows: Mapping[int, int]
    known: Mapping[str, tuple[int, int]]
    origin: Origin
    shown: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What a commit of facts did.

    Attributes:
        seq: The owner's commit; unchanged if nothing was written.
        operations: Their numbers, merges of entities last.
        touched: Rows of facts that were added or changed.
    """

    seq: int
    operations: tuple[int, ...]
    touched: tuple[int, ...]


def subject_key(secret: bytes, subject: str) -> bytes:
    """Return the keyed digest by which the facts about somebody are found."""
    return digest(secret, "subject", name_key(subject))


def keys_of(secret: bytes, said: Content | FactDraft) -> Keys:
    """Return the keyed digests by which what is said is found again.

    Args:
        secret: The owner's own secret.
        said: A version's content, or a draft.
    """
    statement = FactDraft(said.subject, said.attribute, said.object, said.text)
    return Keys(subject_key(secret, said.subject), digest(secret, "statement", fact_hash(statement)))


def is_current(connection: apsw.Connection, owner: int, plan: Plan) -> bool:
    """Whether every fact that the plan was made for still is as it was then."""
    return all(
        facts.believed_version(connection, owner, row) == version
        for row, version in (plan.known[alias] for alias in _aliases(plan.steps) if alias in plan.known)
    )


def index_words(connection: apsw.Connection, owner: int, pepper: bytes, row: int, text: str, version: int) -> None:
    """Write a fact's postings, and drop the vector of what it said before."""
    read = features(text, "user")
    indexes.put_fact(
        connection, owner, row, version, recipe=LEXICAL_RECIPE, words=read.words, flags=read.flags,
        terms=pack_terms(pepper, tokenize(text)),
    )  # fmt: skip


def _aliases(steps: Iterable[Step]) -> set[str]:
    return {alias for step in steps for alias in (step.target, *step.conflicts) if alias is not None}


def apply(connection: apsw.Connection, owner: owners.Owner, plan: Plan, *, pepper: bytes, now: int) -> Applied:
    """Write a plan's steps. Steps whose turn is gone meanwhile (erased, replaced) are left out.

    Args:
        connection: The writer's, inside its transaction.
        owner: The owner, as it is in this transaction.
        plan: What is to be applied.
        pepper: The file's secret, by which index terms are hashed.
        now: Microseconds UTC.
    """
    work = _Work(connection, owner, plan, pepper, now)
    for step in plan.steps:
        work.take(step)
    return work.finish()


class _Work:
    """One application: draws rows and operation numbers, and keeps what later steps refer to."""

    def __init__(self, connection: apsw.Connection, owner: owners.Owner, plan: Plan, pepper: bytes, now: int) -> None:
        self._pepper = pepper
        self._connection = connection
        self._owner = owner
        self._plan = plan
        self._now = now
        self._seq = owner.seq + 1
        self._last_row = owner.last_row
        self._rows = {alias: row for alias, (row, _) in plan.known.items()}
        self._numbers: list[int] = []
        self._touched: list[int] = []
        self._stated: list[Stated] = []
        believed = turns.believed(connection, owner.owner, set(plan.rows.values()))
        self._turns = {index: row for index, row in plan.rows.items() if row in believed}

    def take(self, step: Step) -> None:
        """Write one step."""
        draft = self._plan.drafts[step.draft]
        cited = [index for index in draft.evidence if index in self._turns]
        target = None if step.target is None else self._rows.get(step.target)
        if not cited or (step.target is not None and target is None):
            return
        if not step.adds and target is None:
            return  # a draft that the turn does not bear out: there is nothing to keep
        number = operations.next_number(self._connection, self._owner.owner)
        effects = Effects()
        if target is not None:
            self._change(step, draft, target, cited, number, effects)
        fact = target if step.operation in ("NOOP", "UPDATE") and not step.adds else None
        if step.adds:
            fact = self._add(step, draft, cited, number, effects, target)
        operations.record(
            self._connection,
            self._owner.owner,
            Entry(
                number,
                step.operation,
                step.mode,
                fact,
                target,
                step.gate,
                [self._turns[index] for index in cited],
                step.reason or None,
                step.quote,
                origin=self._plan.origin,
            ),
            effects,
            seq=self._seq,
            now=self._now,
        )
        self._numbers.append(number)

    def _change(
        self, step: Step, draft: FactDraft, target: int, cited: Sequence[int], number: int, effects: Effects
    ) -> None:
        connection, owner = self._connection, self._owner.owner
        head = facts.heads(connection, owner, [target]).get(target)
        if head is None:
            return
        if step.operation == "NOOP" or step.mode == "refine":
            new = set(facts.cites(connection, owner, target))
            for index in cited:
                if self._turns[index] not in new:
                    facts.cite(connection, owner, target, self._turns[index], number, self._now, draft.quote)
                    effects.cited.append((target, self._turns[index]))
        content = head.content()
        if step.mode == "refine":
            origin = self._origin(cited, content.origin)
            content = replace(
                content, object=draft.object, text=draft.text, origin=origin,
                confidence=max(content.confidence, draft.confidence),
            )  # fmt: skip
            self._revise(head, content, number, effects, keys=keys_of(self._owner.secret, draft))
            effects.read += self._read(target, draft, cited)
            self._state(target, number, draft, cited)
        elif step.mode == "retracted":
            facts.withdraw(connection, owner, target, seq=self._seq, now=self._now)
            effects.facts.append((target, head.version, 0))
            self._touched.append(target)
        elif step.close_at is not None:
            self._revise(head, replace(content, valid_to=step.close_at), number, effects)

    def _revise(
        self, head: facts.Head, content: Content, number: int, effects: Effects, *, keys: Keys | None = None
    ) -> None:
        version = facts.revise(
            self._connection, self._owner.owner, head.row, content, keys,
            operation=number, seq=self._seq, now=self._now,
        )  # fmt: skip
        effects.facts.append((head.row, head.version, version))
        index_words(self._connection, self._owner.owner, self._pepper, head.row, content.text, version)
        self._touched.append(head.row)

    def _add(
        self, step: Step, draft: FactDraft, cited: Sequence[int], number: int, effects: Effects, target: int | None
    ) -> int:
        connection, owner = self._connection, self._owner.owner
        row = self._draw()
        first = self._plan.turns[cited[0]]
        begins = first.said_at if draft.valid_from is None else draft.valid_from
        ends = OPEN if step.valid_to is None else step.valid_to
        content = Content(
            draft.subject, draft.attribute, draft.object, draft.text, draft.kind, self._origin(cited), draft.confidence,
            draft.importance, begins, max(ends, begins),
        )  # fmt: skip
        # A version 5 UUID: the same job applied again gives the same id.
        made = digest(self._owner.secret, "fact", str(self._plan.job), str(step.draft))
        identity = UUID(bytes=made, version=5).bytes
        facts.add(
            connection, owner, row, content, keys_of(self._owner.secret, draft), identity=identity,
            agent_id=self._plan.agent_id, operation=number, seq=self._seq, now=self._now,
        )  # fmt: skip
        for index in cited:
            facts.cite(connection, owner, row, self._turns[index], number, self._now, draft.quote)
        index_words(connection, owner, self._pepper, row, content.text, 1)
        for alias in step.conflicts:
            if (other := self._rows.get(alias)) is not None:
                facts.link(connection, owner, row, facts.CONFLICT, other, number, self._now)
                self._touched.append(other)
        if target is not None:
            facts.link(connection, owner, row, facts.DERIVED, target, number, self._now)
        self._rows[f"n{step.draft}"] = row
        effects.facts.append((row, 0, 1))
        effects.read += self._read(row, draft, cited)
        self._touched.append(row)
        self._state(row, number, draft, cited)
        return row

    def _read(self, fact: int, draft: FactDraft, cited: Sequence[int]) -> list[tuple[int, int]]:
        """Return the turns of which a fact may hold words, though they are no evidence of it."""
        texts = {row: self._plan.turns[index].text for index, row in self._turns.items()}
        evidence = {self._turns[index] for index in cited}
        named = [mention.name for mention in draft.entities]
        speakers = [turn.speaker for turn in self._plan.turns.values()]
        words = set(tokenize(" ".join((draft.subject, draft.object, draft.text, *named))))
        words.difference_update(tokenize(" ".join((*speakers, *(texts[row] for row in evidence)))))
        return [
            (fact, row)
            for row in self._plan.shown
            if row not in evidence and (row not in texts or not words.isdisjoint(tokenize(texts[row])))
        ]

    def _draw(self) -> int:
        self._last_row += 1
        return self._last_row

    def _state(self, fact: int, number: int, draft: FactDraft, cited: Sequence[int]) -> None:
        self._stated.append(Stated(fact, number, draft, tuple(self._turns[index] for index in cited)))

    def _origin(self, cited: Sequence[int], before: int | None = None) -> int:
        """Return the least trusted origin of the turns, and of what was there before."""
        found = [ORIGINS.index(self._plan.turns[index].origin) for index in cited]
        return max([*found, before]) if before is not None else max(found)

    def finish(self) -> Applied:
        """Write whom the new versions name, and the commit."""
        if not self._numbers:
            return Applied(self._owner.seq, (), ())
        connection, owner = self._connection, self._owner.owner
        linked = linking.link(
            connection,
            self._owner,
            self._plan.agent_id,
            self._stated,
            speakers={turn.speaker for turn in self._plan.turns.values()},
            cause=f"job {self._plan.job}",
            draw=self._draw,
            now=self._now,
        )
        owners.note_last_row(connection, owner, self._last_row)
        touched = [*self._touched, *linked.entities]
        seq = commits.record(connection, owner, at=self._now, kind="facts", touched=touched)
        return Applied(seq, (*self._numbers, *linked.operations), tuple(sorted(set(self._touched))))
