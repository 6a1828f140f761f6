"""The closing gate: whatever is decided for a draft, what may close is ruled by structure and by the turn's own words.

A fact is closed only where (a) the turn plainly says, now, another value of the same subject's cardinality-one
attribute, or (b) it says, in the words quoted, that the old state ended or never was. Everything else that is decided
becomes an addition beside what is known, linked as a conflict where the two contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from memgraph.drafts import Decision, FactDraft, KnownFact, Ruling, SaidTurn
from memgraph.records import OPEN
from memgraph.writing.assertions import asserts, besides, cued, dated_before, fits, taken_back
from memgraph.writing.attributes import single
from memgraph.writing.clauses import LOOK, Clause, stem_set, stems, unquoted
from memgraph.writing.cues import FORMS
from memgraph.writing.endings import Ending, ending
from memgraph.writing.patterns import compiled
from memgraph.writing.persons import same
from memgraph.writing.phrases import TRAVEL
from memgraph.writing.retractions import correction, retraction
from memgraph.writing.topics import covers, names

UNTRUSTED: Final = ("tool", "document")
_DAY: Final = 86_400_000_000
_RECENT: Final = 62 * _DAY
"""How far "last month" reaches back."""
_FIXED: Final = frozenset(("birthday", "birthplace", "native_language"))
"""What another value of is a correction, never a change."""
_OCCURRENCES: Final = 4
"""How often a quote is looked up in its turn: one that stands there oftener is too short to say anything."""
_ANOTHER: Final = compiled(
    r"\b(?:another|second|third|new|also|too|adopted|bought|got|other|no longer|not|instead|from|left|former|than|but"
    r"|moved|swapped|replaced|after|transferred|switched|changed|converted|retrained|promoted|started|joined|became"
    r"|traded|sold|goodbye|behind|over|until|before|any ?more)\b"
)
_ENDED: Final = compiled(
    r"\b(?:stop|stopped|quit|given up|gave up|no longer|no more|never|don't|doesn't|do not|does not|packed in|not)\b"
)
_DENIED: Final = compiled(r"^(?:not|isn['\u2019]t|aren['\u2019]t)(?: \w+)?? allergic to\b")
_LEFT: Final = frozenset(stems("quit left lost gave given up notice resigned sacked fired redundant laid off"))
"""What is no new work."""
_JOB_AT: Final = compiled(
    r"\b(?:job|post|position|role|work|shifts?|placement) (?:at|with|in) (?:the |a |an |my )?(?P<where>[\w'&-]+)"
)
_COUNTS: Final = frozenset(stems("one two three four five six some several few"))
_EXACTLY: Final = compiled(
    r"\b(?:(?:to be|more) (?:exact|precise|specific)|(?:more )?(?:precisely|exactly|specifically)|namely|that is|i\.e"
    r"|short for|in full|full name)\b"
)
_ONLY: Final = compiled(r"\b(?:only|just)\b")
_LEAVES: Final = compiled(
    r"\b(?:from|left|leaving|swapped|traded|goodbye|after|instead|not|no longer|out of|over|quit|replaced|behind|bye"
    r"|handed|since|used to|was|transferred|switched|changed|converted|retrained|promoted|hello|until|before|bored"
    r"|any ?more)\b|n't\b"
)


def rule(draft: FactDraft, turn: SaidTurn, known: Sequence[KnownFact], decision: Decision) -> Ruling:
    """Rule on what was decided for a draft.

    Args:
        draft: What was extracted.
        turn: The turn that is said to say it: its words are the only evidence.
        known: The facts that were shown, by alias.
        decision: What rules or a model decided; anything that its type allows.

    Returns:
        What is applied. Never raises. `close_at` is never before the target's own beginning; a retracted fact
        closes where it began.
    """
    target = next((fact for fact in known if fact.alias == decision.target), None)
    if decision.operation == "NOOP":
        return Ruling(replace(decision, mode=None, target=target.alias if target else None, quote=""))
    add = Decision("ADD", reason=decision.reason)
    conflicts = contradicted(draft, known)
    if decision.operation == "ADD":
        return Ruling(add, conflicts=conflicts)
    if target is None:
        return Ruling(add, conflicts=conflicts, gate="refused: no such fact")
    if (
        target.valid_to != OPEN
        and decision.mode != "retracted"
        and (draft.valid_to is None or decision.mode != "refine")
    ):
        return Ruling(add, conflicts=conflicts, gate="refused: closed already")
    if turn.origin in UNTRUSTED and not target.untrusted:
        if decision.mode == "refine":
            return Ruling(_beside(draft, target, add), conflicts=conflicts, gate="refused: untrusted origin")
        return Ruling(_beside(draft, target, add), conflicts=_with(conflicts, target), gate="refused: untrusted origin")
    if decision.operation == "UPDATE" and decision.mode == "refine":
        if refines(draft, target, turn):
            return Ruling(replace(decision, quote=""))
        return Ruling(add, conflicts=conflicts, gate="refused: not the same state in more detail")
    if target.kind != "plan" and turn.said_at < target.valid_from:
        return Ruling(_beside(draft, target, add), conflicts=conflicts, gate="refused: the news is older")
    if not same(draft.subject, target.subject):
        return Ruling(_beside(draft, target, add), conflicts=conflicts, gate="refused: another subject")
    return _closing(draft, turn, target, decision, add, conflicts)


def contradicted(draft: FactDraft, known: Sequence[KnownFact]) -> tuple[str, ...]:
    """Return the aliases of facts that cannot hold beside a draft: another value of the same single attribute.

    Nor can anybody like what they dislike.
    """
    if draft.kind != "state" or draft.valid_to is not None:
        return ()
    rivals = _rival if single(draft.attribute) else _opposed
    return tuple(fact.alias for fact in known if fact.valid_to == OPEN and rivals(draft, fact))


def refines(draft: FactDraft, fact: KnownFact, turn: SaidTurn) -> bool:
    """Tell whether a draft says of the same state the same, or the same and more."""
    if not same(draft.subject, fact.subject) or draft.attribute != fact.attribute or draft.kind != fact.kind:
        return False
    if (_ENDED.search(draft.object) is None) != (_ENDED.search(fact.object) is None):
        return False  # "stopped eating meat" is not "eats meat" in more detail
    new, old = stem_set(draft.object), stem_set(fact.object) - _COUNTS
    more = stem_set(draft.object) | stem_set(draft.text)
    if not old or not new:
        return False
    if draft.kind == "event":  # what happened twice are two events
        begins = turn.said_at if draft.valid_from is None else draft.valid_from
        return stem_set(fact.object) <= new and abs(begins - fact.valid_from) <= _DAY
    if old <= new:
        return True
    listed = draft.attribute == "allergy" and not _EXACTLY.search(draft.text)  # "penicillin and wasp stings" are two
    if old <= more and not listed and not _ANOTHER.search(draft.text):
        return True
    if any(covers(word, new) for word in old) and not _ANOTHER.search(f"{draft.text} {turn.text[:LOOK]}"):
        return draft.attribute in ("possession", "pet", "family", "allergy")
    if not single(draft.attribute) and draft.attribute not in (
        "family",
        "pet",
        "health",
        "allergy",
        "plan",
        "goal",
        "medication",
    ):
        return False
    said = asserts(draft, turn)
    if said.clause is None or not (said.plain or (draft.kind == "plan" and not said.doubted)):
        return False
    sentence = said.clause.before + said.clause.text + said.clause.after
    return not _ANOTHER.search(sentence) and (
        (old <= frozenset(stems(sentence)) and (draft.attribute != "allergy" or _ONLY.search(sentence) is not None))
        or _EXACTLY.search(sentence) is not None
    )


def brings(draft: FactDraft, target: KnownFact) -> bool:
    """Tell whether a draft that ends a fact also says something new, to be kept as a fact of its own."""
    gone = frozenset(stems(f"{target.object} {target.text} no not none quit stopped without longer ended former ex"))
    new = frozenset(word for word in stem_set(draft.object) if not names(word, target.attribute))
    if not new <= gone and target.attribute in ("employer", "occupation"):
        new -= _LEFT
    return not new <= (gone | TRAVEL if target.attribute == "plan" else gone)


def denies(one: FactDraft | KnownFact, other: FactDraft | KnownFact) -> bool:
    """Tell whether one says that somebody is not allergic to what the other says that they are."""
    if one.attribute != "allergy" or other.attribute != "allergy" or not same(one.subject, other.subject):
        return False
    if _DENIED.match(one.object) is None or _DENIED.match(other.object) is not None:
        return False
    what = stem_set(_DENIED.sub("", one.object))
    return bool(what) and what <= stem_set(other.object)


def why_not_changed(draft: FactDraft, turn: SaidTurn, target: KnownFact) -> str:
    """Return why a turn does not change a fact's value to a draft's by rule (a); "" where it does."""
    if draft.attribute != target.attribute or not single(draft.attribute):
        return "not one attribute with one value"
    if draft.kind != "state" or target.kind != "state":
        return "not both states"
    if draft.valid_to is not None:
        return "the new state is over or for a time"
    if not _differs(draft, target):
        return "the value is the same or only more or less exact"
    if draft.attribute in _FIXED:
        return "it does not change in a life"
    if not fits(draft):
        return "it is no value of that attribute"
    begins = turn.said_at if draft.valid_from is None else draft.valid_from
    if begins > turn.said_at:
        return "the new state lies ahead"
    recent = _just_told(turn, target, begins)
    if begins < target.valid_from and not recent:
        return "the news is older"
    said = asserts(draft, turn)
    if not said.plain or said.clause is None:
        return f"the turn does not plainly say it ({said.mood})"
    if not recent and dated_before(said.clause, turn, target.valid_from):
        return "the news is older"
    if taken_back(said.clause, draft.attribute, unquoted(turn.text)):
        return "the turn takes it back in part"
    if _left(draft, turn, said.clause):
        return "the turn says that it is over"
    if _within(target, draft, said.clause):
        return "the value is more exact"
    if refines(draft, target, turn):
        return "the value is more exact"
    if not cued(draft.attribute, said.clause) or besides(said.clause, draft.attribute):
        return "the turn does not say that it takes the place"
    return ""


def corrected(draft: FactDraft, turn: SaidTurn, target: KnownFact) -> Ending | None:
    """Return where a turn corrects a fact: it takes something back and plainly says another value, the draft's."""
    if draft.attribute != target.attribute or not single(draft.attribute) or not draft.kind == target.kind == "state":
        return None
    if draft.valid_to is not None or not fits(draft) or not _differs(draft, target):
        return None
    said = asserts(draft, turn)
    if not said.plain or said.clause is None or not (draft.attribute in FORMS or cued(draft.attribute, said.clause)):
        return None
    return correction(turn, said.clause)


def _closing(
    draft: FactDraft, turn: SaidTurn, target: KnownFact, decision: Decision, add: Decision, conflicts: tuple[str, ...]
) -> Ruling:
    """Rule on a change, an end or a retraction of a fact of the draft's own subject."""
    others = tuple(alias for alias in conflicts if alias != target.alias)
    quote = decision.quote or draft.quote
    if decision.mode == "retracted":
        if taken_back := _quoted(quote, turn, target, retract=True) or corrected(draft, turn, target):
            return Ruling(
                Decision("DELETE", "retracted", target.alias, decision.reason, taken_back.quote),
                True,
                target.valid_from,
                others,
                "b",
            )
        return Ruling(
            _beside(draft, target, add), conflicts=_with(conflicts, target), gate="refused: nothing is taken back"
        )
    why = why_not_changed(draft, turn, target)
    if why == "":
        at = turn.said_at if draft.valid_from is None else draft.valid_from
        return Ruling(
            Decision("UPDATE", "change", target.alias, decision.reason, decision.quote),
            True,
            max(at, target.valid_from),
            others,
            "a",
        )
    if ended := _quoted(quote, turn, target):
        changes = decision.operation == "UPDATE" and draft.attribute == target.attribute and _differs(draft, target)
        changed = changes and (brings(draft, target) or ended.moves)
        kept = Decision("UPDATE", "change") if changed else Decision("DELETE", "ended")
        at = turn.said_at if draft.valid_from is None else min(draft.valid_from, turn.said_at)
        return Ruling(
            replace(kept, target=target.alias, reason=decision.reason, quote=ended.quote),
            True,
            max(at, target.valid_from),
            others,
            "b",
        )
    return Ruling(_beside(draft, target, add), conflicts=_with(conflicts, target), gate=f"refused: {why}")


def _quoted(quote: str, turn: SaidTurn, target: KnownFact, *, retract: bool = False) -> Ending | None:
    """Return where the quoted words of the turn end a fact; None where the quote isn't there or doesn't."""
    if not quote.strip():
        return None
    said = retraction if retract else ending
    at = turn.text.find(quote)
    for _ in range(_OCCURRENCES):
        if not 0 <= at < LOOK:
            return None
        if found := said(turn, target, at, at + len(quote)):
            return found
        at = turn.text.find(quote, at + 1)
    return None


def _beside(draft: FactDraft, target: KnownFact, add: Decision) -> Decision:
    """Return what is done with a draft whose closing was refused: nothing where it says only what is known."""
    if (
        same(draft.subject, target.subject)
        and draft.attribute == target.attribute
        and stems(draft.object) == stems(target.object)
    ):
        return Decision("NOOP", target=target.alias, reason=add.reason)
    return add


def _with(conflicts: tuple[str, ...], target: KnownFact) -> tuple[str, ...]:
    return conflicts if target.alias in conflicts else (*conflicts, target.alias)


def _rival(draft: FactDraft, fact: KnownFact) -> bool:
    return (
        fact.kind == "state"
        and fact.attribute == draft.attribute
        and same(fact.subject, draft.subject)
        and _differs(draft, fact)
    )


def _opposed(draft: FactDraft, fact: KnownFact) -> bool:
    """Tell whether one likes what the other dislikes, all of it: who dislikes coffee likes no strong coffee."""
    if denies(draft, fact) or denies(fact, draft):
        return True
    if {draft.attribute, fact.attribute} != {"likes", "dislikes"} or fact.kind != "state":
        return False
    if not same(fact.subject, draft.subject):
        return False
    new, old = stem_set(draft.object), stem_set(fact.object)
    disliked, liked = (new, old) if draft.attribute == "dislikes" else (old, new)
    return bool(disliked) and disliked <= liked


def _just_told(turn: SaidTurn, target: KnownFact, begins: int) -> bool:
    """Tell whether a recent change only seems older than a state: "I live in Oslo", then "I moved last week".

    The state's beginning is then no date that was told, which is a whole day, but the moment when it was said.
    """
    dated = target.valid_from % _DAY == 0
    return not dated and begins < target.valid_from <= turn.said_at <= begins + _RECENT


def _within(target: KnownFact, draft: FactDraft, clause: Clause) -> bool:
    """Tell whether a sentence, or the draft's, places the new value within the old: "in Totnes, in Devon"."""
    sentence = clause.before + clause.text + clause.after
    old = stem_set(target.object)
    return any(old <= frozenset(stems(text)) and not _LEAVES.search(text) for text in (sentence, draft.text))


def _left(draft: FactDraft, turn: SaidTurn, clause: Clause) -> bool:
    """Tell whether a turn ends the very value that a draft takes from it: "I quit my job at the bakery"."""
    gone = KnownFact("", draft.subject, draft.attribute, draft.object, clause.text, draft.kind, min(0, turn.said_at))
    found = ending(turn, gone, clause.start, clause.end)
    if found is None:
        return False
    where = _JOB_AT.search(clause.text)
    ended = found.phrase | (stem_set(where["where"]) if where else frozenset[str]())
    return not ended.isdisjoint(stem_set(draft.object))


def _differs(draft: FactDraft, fact: KnownFact) -> bool:
    """Tell whether a draft's value is another one, not the same in more or in fewer words."""
    new, old = stem_set(draft.object), stem_set(fact.object)
    return bool(new) and not (new <= old or old <= new)
