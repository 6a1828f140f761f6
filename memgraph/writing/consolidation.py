"""What becomes of a batch of drafts: one plan of steps, each ruled by the gate against what is known at that point.

Pure and deterministic, so that a replayed job makes the same steps. A draft is judged by what held when its turn was
said, not by when it arrives; what earlier steps of the plan did counts for later ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from memgraph.drafts import Decision, FactDraft, KnownFact, Ruling, SaidTurn, Step
from memgraph.records import OPEN
from memgraph.writing.assertions import asserts
from memgraph.writing.attributes import single
from memgraph.writing.clauses import stem_set
from memgraph.writing.gate import UNTRUSTED, brings, denies, rule
from memgraph.writing.persons import same
from memgraph.writing.planning import all_ended, candidates, late_end, over, propose, settled
from memgraph.writing.remembered import forget_turns

SHOWN: Final = 6
"""Facts that a model is shown for one draft: the likest come first."""


def plan(
    drafts: Sequence[FactDraft],
    turns: Sequence[SaidTurn],
    known: Sequence[KnownFact],
    decisions: Mapping[int, Decision] | None = None,
) -> list[Step]:
    """Plan what to do with each draft, in order. Never raises.

    Args:
        drafts: What was extracted.
        turns: The turns that the drafts name as evidence.
        known: What is believed, closed facts too. Aliases of "n" and a number are kept for what the plan adds.
        decisions: A model's, by index of the draft. Rules decide where there is none or none is needed.

    Returns:
        At least one step for each draft; what is not kept has a NOOP without target that says why.
    """
    said = {turn.index: turn for turn in turns}
    facts = {fact.alias: fact for fact in known}
    steps: list[Step] = []
    try:
        for index, draft in enumerate(drafts):
            turn = _turn(draft, said)
            if turn is None:
                steps.append(Step(index, "NOOP", gate="refused: no evidence", reason="no turn says it"))
                continue
            for step in _steps(index, draft, turn, facts, (decisions or {}).get(index)):
                steps.append(step)
                _follow(step, draft, turn, facts)
    finally:
        forget_turns()
    return steps


def questions(drafts: Sequence[FactDraft], turns: Sequence[SaidTurn], known: Sequence[KnownFact]) -> list[int]:
    """Return the indices of the drafts for which a model is to be asked: those that concern something known."""
    said = {turn.index: turn for turn in turns}
    found = [(index, draft, _turn(draft, said)) for index, draft in enumerate(drafts)]
    return [
        index
        for index, draft, turn in found
        if turn and settled(draft, _own(draft, turn, _then(draft, turn, known))) is None
    ]


def shown(draft: FactDraft, known: Sequence[KnownFact]) -> list[KnownFact]:
    """Return the facts to show a model with a draft, at most `SHOWN`: first those of its attribute, then the likest."""
    about = stem_set(draft.object) | stem_set(draft.text)

    def unlike(fact: KnownFact) -> tuple[bool, bool, int]:
        shared = about & (stem_set(fact.object) | stem_set(fact.text))
        return fact.attribute != draft.attribute, fact.valid_to != OPEN, -len(shared)

    return sorted(candidates(draft, known), key=unlike)[:SHOWN]


def _turn(draft: FactDraft, said: Mapping[int, SaidTurn]) -> SaidTurn | None:
    return said.get(draft.evidence[0]) if draft.evidence else None


def _then(draft: FactDraft, turn: SaidTurn, known: Iterable[KnownFact]) -> list[KnownFact]:
    """Return the facts of a draft's subject; those that held when the turn was said are open, whatever came later."""
    return [
        replace(fact, valid_to=OPEN) if turn.said_at < fact.valid_to < OPEN else fact
        for fact in known
        if same(fact.subject, draft.subject)
    ]


def _steps(
    index: int, draft: FactDraft, turn: SaidTurn, facts: Mapping[str, KnownFact], answer: Decision | None
) -> Iterator[Step]:
    """Yield the steps for one draft. Each is applied to the facts before the next is asked for."""
    mine = _then(draft, turn, facts.values())
    decision = _decided(draft, turn, mine, answer)
    if (other := facts.get(decision.target or "")) is not None and not same(other.subject, draft.subject):
        mine.append(other)  # for the gate to say so
    ruling = rule(draft, turn, mine, decision)
    if not ruling.closes:
        yield _open(index, draft, turn, facts, ruling)
        return
    target, kind = ruling.decision.target, ruling.decision.mode
    closes = Step(
        index,
        ruling.decision.operation,
        kind,
        target,
        close_at=ruling.close_at,
        gate=ruling.gate,
        reason=ruling.decision.reason,
        quote=ruling.decision.quote,
    )
    added = Ruling(Decision("ADD", reason="the turn says so"), conflicts=ruling.conflicts)
    further = [Decision("UPDATE", "change", alias, "another value took its place") for alias in ruling.conflicts]
    if kind != "change":
        yield closes
        further = all_ended(draft, turn, mine) if kind == "ended" else []
    for more in further:
        also = rule(draft, turn, mine, more)
        if more.target != target and also.closes and also.decision.mode == more.mode:
            yield replace(closes, operation="DELETE", mode="ended", target=more.target, close_at=also.close_at,
                          gate=also.gate, reason=also.decision.reason, quote=also.decision.quote)  # fmt: skip
    old = next(fact for fact in mine if fact.alias == target)
    if kind == "change":
        adds = _open(index, draft, turn, {**facts, old.alias: replace(old, valid_to=ruling.close_at or 0)}, added)
        if adds.adds:
            yield replace(closes, adds=True, valid_to=adds.valid_to, conflicts=adds.conflicts)
        else:  # the new value is known already
            yield from [replace(closes, operation="DELETE", mode="ended"), adds]
    elif (
        (draft.kind == "event" != old.kind)
        or (kind == "retracted" and denies(draft, old))
        or (brings(draft, old) and not asserts(draft, turn).doubted)
    ):
        adds = _open(index, draft, turn, facts, added)
        yield from [adds] if adds.adds else []


def _decided(draft: FactDraft, turn: SaidTurn, mine: Sequence[KnownFact], answer: Decision | None) -> Decision:
    """Return a model's decision where one is needed and made, else that of the rules."""
    if answer is None or settled(draft, _own(draft, turn, mine)) is not None:
        decision = propose(draft, turn, mine)
    else:
        # No model has seen what the plan itself adds.
        own = propose(draft, turn, [fact for fact in mine if fact.alias.startswith("n")])
        decision = answer if own.target is None else own
    if decision.operation == "NOOP" or decision.mode == "refine":
        # What a document said too is closed by the user's words but not confirmed by them: see `_own`.
        left = _own(draft, turn, mine)
        if decision.target is not None and decision.target not in {fact.alias for fact in left}:
            return propose(draft, turn, left)
    return decision


def _own(draft: FactDraft, turn: SaidTurn, mine: Sequence[KnownFact]) -> list[KnownFact]:
    """Return the facts without the untrusted ones that say what a user does: their word is a fact of its own.

    Trust only degrades: as evidence for an untrusted fact it would be distrusted too.
    """
    return [fact for fact in mine if not (turn.origin == "user" and fact.untrusted and _says(fact, draft))]


def _open(index: int, draft: FactDraft, turn: SaidTurn, facts: Mapping[str, KnownFact], ruling: Ruling) -> Step:
    """Return the step of a ruling that closes nothing."""
    decision = ruling.decision
    step = Step(index, decision.operation, decision.mode, decision.target, gate=ruling.gate, reason=decision.reason)
    target = facts.get(decision.target or "")
    if decision.operation == "UPDATE":
        return step
    if decision.operation == "ADD":
        if over(draft, turn):
            return replace(step, operation="NOOP", reason="the turn says that it is over or never was")
        step = _added(index, draft, turn, facts, ruling)
        target = _holding(draft, step, _own(draft, turn, [facts[alias] for alias in step.conflicts]))
        if target is None:
            return step
        step = Step(index, "NOOP", target=target.alias, gate=ruling.gate, reason="the same in fewer words")
    # Words of a document are no evidence for what the user said: they would draw it into their own distrust.
    believed = target is not None and _says(target, draft) and (target.untrusted or turn.origin not in UNTRUSTED)
    return step if believed else replace(step, target=None)


def _added(index: int, draft: FactDraft, turn: SaidTurn, facts: Mapping[str, KnownFact], ruling: Ruling) -> Step:
    """Return the step that adds a draft, ended or linked so that a single attribute never has two values unnoticed."""
    begins = turn.said_at if draft.valid_from is None else draft.valid_from
    mine = _own(draft, turn, [fact for fact in facts.values() if same(fact.subject, draft.subject)])
    ends = draft.valid_to if draft.valid_to is not None else late_end(draft, turn, mine)
    ends = OPEN if ends is None else max(begins, ends)
    rivals = [
        fact
        for fact in mine
        if draft.kind == fact.kind == "state" and fact.attribute == draft.attribute and single(draft.attribute)
    ]
    apart = {fact.alias for fact in rivals if min(ends, fact.valid_to) <= max(begins, fact.valid_from)}
    links = [alias for alias in ruling.conflicts if alias in facts and alias not in apart]
    links += [fact.alias for fact in rivals if fact.alias not in apart]
    return Step(
        index,
        "ADD",
        adds=True,
        valid_to=None if ends == OPEN else ends,
        conflicts=tuple(dict.fromkeys(links)),
        gate=ruling.gate,
        reason=ruling.decision.reason,
    )


def _holding(draft: FactDraft, step: Step, linked: Sequence[KnownFact]) -> KnownFact | None:
    """Return the fact that says, as long and in as many words, what a draft does: "Oslo" beside "Oslo, Norway"."""
    new, ends = stem_set(draft.object), OPEN if step.valid_to is None else step.valid_to
    held = [fact for fact in linked if fact.attribute == draft.attribute and fact.valid_to >= ends]
    held = [fact for fact in held if not denies(fact, draft)]  # "not allergic to nuts" does not hold "nuts"
    return next((fact for fact in held if new and new <= stem_set(fact.object)), None)


def _says(fact: KnownFact, draft: FactDraft) -> bool:
    """Tell whether a draft says of a fact's subject what the fact does, so that its turn is evidence for it."""
    new, old = stem_set(draft.object), stem_set(fact.object)
    if denies(fact, draft) or denies(draft, fact):
        return False
    return same(fact.subject, draft.subject) and fact.attribute == draft.attribute and (new <= old or old <= new)


def _follow(step: Step, draft: FactDraft, turn: SaidTurn, facts: dict[str, KnownFact]) -> None:
    """Apply a step to the facts that the next ones are judged by."""
    target = facts.get(step.target or "")
    if target is not None and step.mode == "retracted":
        del facts[target.alias]
    elif target is not None and step.close_at is not None:
        facts[target.alias] = replace(target, valid_to=step.close_at)
    elif target is not None and step.mode == "refine":
        facts[target.alias] = replace(target, object=draft.object, text=draft.text)
    if step.adds:
        begins = turn.said_at if draft.valid_from is None else draft.valid_from
        ends = OPEN if step.valid_to is None else step.valid_to
        alias, untrusted = f"n{step.draft}", turn.origin in UNTRUSTED
        facts[alias] = KnownFact(
            alias, draft.subject, draft.attribute, draft.object, draft.text, draft.kind, begins, ends, untrusted
        )
