"""Does a turn itself plainly say that a fact holds now?

Only the turn's own words count, not what was drafted from them. Questions, hypotheses, plans, jokes, words of
others, what is over, what is for a time and what is said of somebody else assert nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from memgraph.drafts import FactDraft, SaidTurn
from memgraph.writing.attributes import single
from memgraph.writing.clauses import LOOK, Clause, clauses, stems, unquoted
from memgraph.writing.cues import CUES, FORMS, NOT_CUES, OTHER_WORDS, PLACES
from memgraph.writing.moods import Mood, cited, hedged, joking, mood, older
from memgraph.writing.partly import meanwhile, partly, rest_of, usual, within
from memgraph.writing.patterns import compiled
from memgraph.writing.persons import NOT_NAMES, named_in, same, speaks_of
from memgraph.writing.remembered import of_turns

_FRAGMENT: Final = re.compile(r"[\s.\u2026!?-]*(?:[^\s.!?\u2026]+\s*){1,7}(?=[.!?\u2026]|$)")
"""A few words to their stop."""
_SPEAKS: Final = compiled(
    r"\b(?:i|we|he|she|they|it|you|(?<!that )is|are|was|were|has|have|had)\b|'(?:s|m|re|ve|ll|d)\b"
)
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_NEGATED: Final = compiled(r"\b(?:not(?! only)|never|no|nor|neither|hardly|barely|without|nobody)\b|n't\b(?! believe)")
_OVER: Final = compiled(
    r"\b(?:i|we|he|she|they|[a-z]+) (?:also |even |only |always |mostly )?"
    r"(?:lived|worked|studied|dated|taught|owned|smoked|attended|belonged|rented|ate|spoke|drank)\b",
    r"\b(?:i|we|he|she|they) (?:was|were|had)(?! (?:\w+ )?(?:promoted|hired|made|appointed|transferred|accepted"
    r"|baptised|named|granted"
    r"|naturalised|received|confirmed|sworn|admitted|ordained|elected|headhunted|given|taken on|upgraded|married"
    r"|our wedding|the wedding)\b)",
)
_STILL: Final = compiled(r"(?:'ve|\bhave|'s|\bhas) (?:\w+ )?(?:lived|worked|studied|taught|owned|attended)\b")
_BESIDES: Final = compiled(
    r"\b(?:also|as well|on the side|part-time|weekends|evenings|moonlight\w*|besides|additional|extra|in addition"
    r"|sideline|side job"
    r"|(?:second|another|other) (?:job|flat|home|house|place|apartment|phone|number|degree|post|email|address|e-mail"
    r"|passport|language|name)"
    r"|rent(?:ed|ing)? (?:it )?out|let(?:ting)? (?:it )?out|volunteer\w*|investment|holiday (?:home|flat|house)"
    r"|dual|help(?:ed|ing|s)? out|lend(?:ing)? a hand|(?:work|office|business|company|landline) (?:phone|number|mobile"
    r"|e-?mail|address|inbox)|(?:trained|qualified|certified|licensed) (?!as\b)(?!.*\bnow\b))\b|\btoo[.!]?\s*$"
)
_IMPERSONAL: Final = compiled(r"^\W*(?:it|that|there|this|what)(?:'s| is)\b")
_OF_THINGS: Final = compiled(
    r"^\W*(?:and |but |so |now )*(?:my|our) [\w-]+(?: [\w-]+)? (?:lives|works|studies|resides|moved|relocated|sits)\b"
)
"""Where a thing of the speaker's lives: "my boat lives in Bergen"."""
_CARRIED: Final = compiled(
    r"\b(?:moved|relocated|shipped|sent|brought|took) (?:the|a|an|my|our|his|her|their|some|it|them)\b(?! (?:\w+ ){0,2}"
    r"(?:family|life|lives|home|house|household|base|kids|lot|things|stuff|belongings|office|boxes|plunge|leap"
    r"|train|bus|keys)\b)"
)
_IN_A_PLACE: Final = re.compile(r"\bin (?:[A-Z\u00c0-\u00de][\w'-]* )*$")
_PLACED: Final = compiled(r"\b(?:from|near|at) (?:the )?$")
_LONGEST_VALUE: Final = 12
"""Words of a value: a longer one is no value but a story."""
_NO_VALUE: Final = frozenset(
    stems(
        "out dropped withdrew resigned failed quit left leaving stop stopped none nothing gone ended over former"
        " lost sold gave no not longer ex"
    )
)
_WHO_KNOW: Final = frozenset(
    "doctor allergist doctors gp surgeon allergist physio consultant nurse vet dentist hospital test tests scan court"
    " judge registrar specialist clinic".split()
)
_DOUBTED: Final[tuple[Mood, ...]] = ("joke", "question", "quote", "hypothesis", "report", "assistant", "negated")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a clause says words of a value.

    Attributes:
        said: Which of its stems.
        start: Where in the turn the first of them begins.
        end: Where in the turn the last of them ends.
    """

    clause: Clause
    said: frozenset[str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """How a turn says a value.

    Attributes:
        mood: "" where it plainly says it, else why not.
        clause: The clause that says it, None where none does.
    """

    mood: Mood
    clause: Clause | None = None

    @property
    def plain(self) -> bool:
        """Whether it is said plainly, of the subject, now."""
        return self.mood == ""

    @property
    def doubted(self) -> bool:
        """Whether the turn doesn't vouch for it at all, at no time: a joke, a question, words of others."""
        return self.mood in _DOUBTED


def asserts(draft: FactDraft, turn: SaidTurn) -> Assertion:
    """Tell how a turn says what a draft claims. Never raises.

    Args:
        draft: Its subject, attribute and object are looked for; nothing else of it is believed.
        turn: The turn that is said to say it.
    """
    return _asserts(draft.subject, draft.attribute, draft.object, turn)


@of_turns
def _asserts(subject: str, attribute: str, thing: str, turn: SaidTurn) -> Assertion:
    draft = FactDraft(subject, attribute, thing, "")
    if turn.role == "assistant" or turn.origin == "assistant":
        return Assertion("assistant")
    if joking(turn.text):
        return Assertion("joke")
    if cited(turn.text):
        return Assertion("quote")
    plain = unquoted(turn.text)
    wanted = frozenset(stems(draft.object))
    if not wanted <= _NO_VALUE:
        wanted -= _NO_VALUE
    else:
        return Assertion("not said")
    found = _places(wanted, turn.text)
    if not found:
        quoted = bool(wanted) and wanted <= frozenset(stems(turn.text[:LOOK]))
        return Assertion("quote" if quoted else "not said")
    judged: list[tuple[Mood, _Place]] = [(_mood(draft, turn, plain, place), place) for place in found]
    most = max(len(place.said) for place in found)
    best: list[tuple[Mood, _Place]] = [pair for pair in judged if len(pair[1].said) == most]
    held = frozenset[str]().union(*(place.said for why, place in judged if why == ""))
    # Of a value that runs over several clauses, each word must be said plainly somewhere.
    if all(place.said <= held for place in found):
        for why, place in best:
            if why == "":
                return Assertion("", place.clause)
    for why, place in best + judged:
        if why != "":
            return Assertion(why, place.clause)
    return Assertion("not said")


def cued(attribute: str, clause: Clause) -> bool:
    """Tell whether a clause speaks of an attribute at all: a town without "live" or "moved" is no home."""
    if not single(attribute):
        return False
    if attribute in ("diet", "religion", "occupation", "age") and _IMPERSONAL.match(clause.text):
        return False
    scope = clause.before + clause.text
    cue, other = CUES.get(attribute), NOT_CUES.get(attribute)
    # Without a cue for it a clause speaks of no attribute: a value alone is any of its words.
    return cue is not None and cue.search(scope) is not None and not (other and other.search(scope))


def fits(draft: FactDraft) -> bool:
    """Tell whether a value is one that its attribute can have: no number, no phone."""
    form = FORMS.get(draft.attribute)
    return form is None or form.search(draft.object) is not None


def besides(clause: Clause, attribute: str) -> bool:
    """Tell whether a clause adds to what there is, or holds in part: "also", "a second job", "in winter"."""
    return (
        _BESIDES.search(clause.before + clause.text) is not None
        or usual(clause.text)
        or usual(rest_of(clause))
        or within(clause, attribute) is not None
        or meanwhile(clause)
    )


def taken_back(clause: Clause, attribute: str, plain: str) -> bool:
    """Tell whether a few words after a sentence, as in "I live in Bergen. In summer.", limit it.

    Args:
        clause: The clause that says something.
        attribute: Of which it speaks.
        plain: The turn without quotes.
    """
    found = _FRAGMENT.match(plain, clause.end + len(clause.after))
    if found is None or _SPEAKS.search(found.group()):
        return False
    after = replace(clause, before="", after=found.group())
    return hedged(after) or usual(found.group()) or partly(found.group(), attribute) is not None


def dated_before(clause: Clause, turn: SaidTurn, moment: int) -> bool:
    """Tell whether a clause itself dates what it says before a moment (microseconds UTC)."""
    return older(clause, turn.said_at, moment)


@of_turns
def _said(text: str) -> frozenset[str]:
    """Return the stems of a turn's own words."""
    return frozenset(stems(unquoted(text)))


@of_turns
def _words(text: str) -> tuple[tuple[Clause, tuple[tuple[re.Match[str], list[str]], ...]], ...]:
    """Return the clauses of a turn with their words and the stems of these."""
    return tuple(
        (clause, tuple((word, stems(word.group())) for word in _WORD.finditer(clause.text))) for clause in clauses(text)
    )


def _places(wanted: frozenset[str], text: str) -> list[_Place]:
    """Return the clauses that say words of a value, if the turn says most of it, and where they stand.

    What stands before the last is what is said of it: a "value" that takes in its own sentence's subject and verb
    hides neither.
    """
    missing = len(wanted - _said(text))
    others = [pattern for stem, pattern in OTHER_WORDS.items() if stem in wanted]
    if others and missing:
        matches = [(clause, pattern.search(clause.text)) for clause in clauses(text) for pattern in others]
        return [_place(clause, wanted, match, match) for clause, match in matches if match]
    if not 0 < len(wanted) <= _LONGEST_VALUE or missing * 5 > len(wanted) * 2 or (len(wanted) < 3 and missing):
        return []
    places: list[_Place] = []
    for clause, words in _words(text):
        at: dict[str, re.Match[str]] = {}
        for word, own in words:
            for stem in own:
                if stem in wanted:
                    at.setdefault(stem, word)
        if at:
            found = list(at.values())
            places.append(_place(clause, frozenset(at), found[0], found[-1]))
    return places


def _place(clause: Clause, said: frozenset[str], first: re.Match[str], last: re.Match[str]) -> _Place:
    return _Place(clause, said, clause.start + first.start(), clause.start + last.end())


def _mood(draft: FactDraft, turn: SaidTurn, plain: str, place: _Place) -> Mood:
    """Tell in what mood, and of whom, a clause says words of a value."""
    clause = place.clause
    if (why := mood_of(clause, draft.subject, turn.speaker)) != "":
        return why
    if draft.attribute in ("residence", "employer") and not _placed(draft, plain, clause):
        return "joke"
    if _OF_THINGS.search(clause.text):
        return "other person"
    if draft.attribute == "residence" and _CARRIED.search(clause.text):
        return "not said"
    before = plain[clause.start : place.start]
    if draft.attribute in ("occupation", "diet", "religion") and _PLACED.search(before):
        return "not said"  # "from Ghent" is no trade
    # The whole clause counts, not only what stands before the value: "Ghent I never liked, and Marek lives there".
    if _NEGATED.search(clause.text):
        return "negated"
    if speaks_of(draft.subject, turn.speaker, plain, clause, place.end, place.start) != "subject":
        return "other person"
    if _OVER.search(clause.text) and not _STILL.search(clause.text):
        return "past"
    return ""


def _placed(draft: FactDraft, plain: str, clause: Clause) -> bool:
    """Tell whether a home or an employer is named, or of a kind that one can have: nobody lives in a "doorway"."""
    wanted = frozenset(stems(draft.object))
    words = list(_WORD.finditer(clause.text))
    if words and not clause.before and (len(wanted) > 3 or words[0].group().lower() in NOT_NAMES):
        words = words[1:]  # the capital of a sentence names nothing
    said = [word.group() for word in words if not wanted.isdisjoint(stems(word.group()))]
    if draft.attribute == "employer":
        # "a job in Plymouth" is with whom it doesn't say.
        said = [word for word in said if _IN_A_PLACE.search(clause.text, 0, _start(clause.text, word)) is None]
    return any(not word[0].islower() for word in said) or PLACES.search(draft.object) is not None


def _start(text: str, word: str) -> int:
    """Return where a word stands first in a text, its end where it doesn't."""
    found = re.search(rf"\b{re.escape(word)}\b", text)
    return found.start() if found else len(text)


@of_turns
def mood_of(clause: Clause, subject: str, speaker: str) -> Mood:
    """Tell in what mood a clause speaks of a subject: the word of others than subject and speaker is a report."""
    return mood(clause, lambda who: hearsay(who, subject, speaker))


def hearsay(who: str, subject: str, speaker: str) -> bool:
    """Tell whether "`who` says" makes what follows the word of somebody else than the subject or the speaker."""
    if who.casefold() in ("i", "we", "ve", "d") or who.casefold() in _WHO_KNOW:
        return False
    return same(subject, speaker) or not (named_in(who, subject) or who.casefold() in ("he", "she", "they", "s"))
