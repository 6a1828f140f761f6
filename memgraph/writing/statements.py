"""What a turn states: clauses with their subject, each with its place, so that what is quoted is verbatim.

Left out is what does not state anything: questions, code, what stands in quotation marks, hypotheses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from memgraph.writing.lexicon import FAMILY, FRIENDS, PARTNERS, PAST, PETS, WORKMATES

LOOK: Final = 8_000
"""Characters of a turn that are read: beyond that a text is a document."""
LONGEST: Final = 1_000
"""Characters of a sentence that is read: a longer one says nothing plainly."""
MOST: Final = 120
"""Sentences of a turn that are read."""

_BLANK: Final = "\0"
_UNSAID: Final = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|^[ \t]*>[^\n]*$|^(?: {4}|\t)[^\n]*$"
    r"|\"[^\"\n]{0,400}\"|\u201c[^\u201d]{0,400}\u201d|\u00ab[^\u00bb]{0,400}\u00bb"
    r"|(?<!\w)\u2018[^\u2019\n]{0,400}\u2019(?!\w)"
    r"|(?<!\w)'[^'\n]{3,400}'(?!\w)",
    re.DOTALL | re.MULTILINE,
)
_SENTENCE: Final = re.compile(
    r"(?:[^.!?\u2026\n]|\.(?=\w)|(?<=\b[A-Z])\.(?= )|(?<=\b[MD]r)\.(?= )|(?<=\bMrs)\.(?= )|(?<=\bSt)\.(?="
    r" ))+[.!?\u2026]*"
)
_TAG: Final = re.compile(
    r",\s*(?:(?:is|are|was|were|do|does|did|have|has|had|can|could|would|wo|ai)(?:n['\u2019]t)? (?:I|you|we|it|he"
    r"|she|they|that"
    r"|this)\b[^,?]*|right|eh|huh|no|you know|remember)\s*\?+\s*$",
    re.IGNORECASE,
)
"""What is asked about a statement, or after it, without putting it in doubt: "did I say?"."""
_ASKS: Final = re.compile(
    r"\s*(?:(?:and|but|so|or|well|oh|ok(?:ay)?|then),? )*(?:what|who|whom|whose|how|when|where|why|which|is|are|am"
    r"|was|were"
    r"|do|does|did|have|has|had|can|could|will|would|shall|should|may|might|any|ever|if|guess)(?:n['\u2019]t"
    r"|['\u2019]s)?\b",
    re.IGNORECASE,
)
_UNREAL: Final = re.compile(
    r"\b(?:if|unless|wish|imagine|suppose|supposing|pretend|hypothetically|what if|as though|would have"
    r"|wouldn['\u2019]t have"
    r"|(?:I|we)(?:['\u2019]d| would| could| should|['\u2019]d have)(?! (?:rather|prefer|like you))"
    r"|dreamt|dreamed|dream that|in (?:the|my|a) dream|according to|allegedly)\b",
    re.IGNORECASE,
)
_UNSURE: Final = re.compile(r"\b(?:maybe|perhaps|might|possibly|apparently|supposedly)\b", re.IGNORECASE)
_JOKE: Final = re.compile(
    r"\b(?:just|only) (?:kidding|joking)\b|\bI(?:['\u2019]m| am) (?:kidding|joking)\b|^\W*joke of the \w+|\bapril"
    r" fool|\barrr+\b|\blol"
    r" jk\b|\bjk\b"
    r"|(?:^|\s)/s\b|\bkidding!",
    re.IGNORECASE,
)
_NAME_WORD: Final = r"[A-Z\u00c0-\u00de][\w'\u2019-]*[\w]"
NAME: Final = rf"{_NAME_WORD}(?: (?:(?:van|von|de|da|der|la|le|del|al|bin|y) ){{0,2}}{_NAME_WORD}){{0,3}}"
"""A person's name, as a regular expression."""

_KIN: Final = "|".join(sorted((*FAMILY, *PARTNERS, *FRIENDS, *WORKMATES, *PETS), key=len, reverse=True))
_ADJECTIVES: Final = (
    r"(?:(?:older|elder|younger|little|big|twin|oldest|eldest|youngest|best|old|oldest|dear|lovely|late|new|other"
    r"|middle|baby|half|ex|grown-up|former|favou?rite|good|close|first|only|first|rescue|three-legged|mad) )*"
)
KINDRED: Final = re.compile(
    rf"(?:(?<!\w)(?:[Mm]y|[Oo]ur) {_ADJECTIVES}(?P<kin>{_KIN})(?! tongue)"
    rf"(?:,? (?:called |named )?(?P<name>{NAME}?)(?=[\s.,;:!?)'\u2019\u2014]|$))?(?!\w))"
)
"""Somebody told by how they stand to the speaker: "my older sister Solveig"."""

_OPENERS: Final = re.compile(
    r"(?:\s*(?:and|but|so|because|cause|though|although|plus|yet|or|then|now|also|still|well|oh|ah|yes|yeah|yep|no"
    r"|nope|ok"
    r"|okay|anyway|actually|honestly|today|sorry|hi|hey|hello|look|listen|thanks|right|fine|basically|mostly|finally"
    r"|apart from that|as it happens|these days|nowadays|at the moment|luckily|sadly|happily|for now|in fact"
    r"|by the way|btw|fyi|update|news|confession|officially|currently|meanwhile|afterwards|eventually|(?:it )?turns"
    r" out(?: that)?|funny"
    r"|the thing is|guess what|and then|on top of that|to be fair|I think|I mean|you"
    r" know)\b[,:]?)*[\s\"'\u2018\u201c(\u2014\u2013*-]*",
    re.IGNORECASE,
)
_ADJUNCT: Final = re.compile(
    r"(?:(?:Way )?[Bb]ack in|In|On|Since|From|Last|Next|This|Yesterday|Tomorrow|By|At|For|During|Over|in|on|since"
    r"|last|next|by|at|for)\b"
    r"[^,;:.!?\0]{0,30}? (?=(?:I|we|my|our)\b)|(?:Yesterday|Tomorrow|Tonight|Now|yesterday|tomorrow) (?=(?:I|we|my"
    r"|our)\b)"
)
"""A time or place told first: "In 2019 I lived in Rome"."""
_SUBJECT: Final = re.compile(
    rf"(?P<i>I)(?=['\u2019 ])|(?P<we>[Ww]e)(?=['\u2019 ])|{KINDRED.pattern}|(?P<parent>Mum|Mom|Dad|Mam|Gran|Grandma"
    rf"|Grandpa|Grandad|Nan|Granny)(?=['\u2019 ])|(?P<my>[Mm]y|[Oo]ur)(?= )"
    rf"|(?P<they>[Hh]e|[Ss]he)(?=['\u2019 ])|(?P<who>{NAME}?)(?=(?:['\u2019]s)? [a-z])"
)
_BREAK: Final = re.compile(
    r"[,;:()\u2014\u2013\0]|\s-+\s"
    r"|\s(?=(?:and|but|so|because|though|although|plus|while|whereas|as)\s+(?:then\s+|now\s+|also\s+|that\s+)?"
    r"(?:I|we|my|our|he|she|they|it)\b)"
    rf"|\s(?=(?:and|but)\s+(?:(?:then|now|also|just|have|finally)\s+)?(?:{'|'.join(sorted(PAST))})\b)"
)
_NOT_NAMES: Final = frozenset(
    "the this that these those there here it they you he she what who how when where why which if and but so then now"
    " today yesterday tomorrow monday tuesday wednesday thursday friday saturday sunday yes no oh well not just also in"
    " on at for from with by to of as a an all some any every each both another my our your his her their its only even"
    " since until after before because while although though please thanks sorry good great nice hello hi hey nothing"
    " everything something someone everyone nobody somebody anyone one two three next last first once never always"
    " maybe perhaps let lets god lord christmas people still day very more most either neither such like".split()
)


_BOTH: Final = frozenset("read let put cut set hit shut spread hurt bet cost quit split".split())
"""Forms that are present and past alike."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of a turn with one subject and what is said of it.

    Attributes:
        who: "i" (also "we", and where the subject is left out), "my", "kin", "name" or "they".
        subject: The subject's words as they stand; "" where it is left out.
        kin: The word of kinship or company: "sister".
        name: The name of the relative, or of the subject itself.
        rest: What follows the subject, to the end of the sentence.
        start: Where the clause begins in the turn.
        at: Where `rest` begins in the turn.
        end: Where the clause ends in the turn.
        sentence: Where its sentence begins and ends in the turn.
        unsure: Whether the sentence says "maybe" or its like.
    """

    who: str
    subject: str
    kin: str
    name: str
    rest: str
    start: int
    at: int
    end: int
    sentence: tuple[int, int]
    unsure: bool


def masked(text: str) -> str:
    """Return the beginning of a text with code, addresses and quotations blanked, places unchanged."""
    return _UNSAID.sub(lambda match: _BLANK * len(match.group()), text[:LOOK])


def jokes(text: str) -> bool:
    """Tell whether a turn takes back what it says itself."""
    return _JOKE.search(text[:LOOK]) is not None


def sentences(said: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences that state something begin and end.

    Args:
        said: A masked text.
    """
    for count, match in enumerate(_SENTENCE.finditer(said)):
        if count >= MOST:
            return
        sentence = match.group()
        if tag := _TAG.search(sentence) if not _ASKS.match(sentence) else None:
            sentence = sentence[: tag.start()]
        if "?" in sentence or len(sentence) > LONGEST or len(sentence.split()) < 2 or _UNREAL.search(sentence):
            continue
        yield match.start() + len(sentence) - len(sentence.lstrip()), match.start() + len(sentence)


def statements(said: str, start: int, end: int) -> Iterator[Statement]:
    """Yield the clauses of one sentence.

    Args:
        said: A masked text.
        start: Where the sentence begins.
        end: Where it ends.
    """
    unsure = _UNSURE.search(said, start, end) is not None
    cuts = [start, *(match.end() for match in _BREAK.finditer(said, start, end))]
    inherited: Statement | None = None
    for number, begin in enumerate(cuts):
        stop = cuts[number + 1] if number + 1 < len(cuts) else end
        stop -= len(said[begin:stop]) - len(said[begin:stop].rstrip(" \t,;:(\u2014\u2013-\0"))
        opened = _OPENERS.match(said, begin, end)
        head = opened.end() if opened else begin
        adjunct = _ADJUNCT.match(said, head, end)
        head = adjunct.end() if adjunct else head
        if stop - head < 3:
            continue
        found = _SUBJECT.match(said, head, end)
        first = said[head:stop].split(" ", 1)[0].lower().strip("'\u2019")
        if found is not None and not (found["who"] and _no_name(found["who"])):
            inherited = Statement(
                _who(found),
                found.group(),
                found["kin"] or (found["parent"] or "").lower(),
                found["name"] or found["who"] or "",
                said[found.end() : end],
                head,
                found.end(),
                stop,
                (start, end),
                unsure,
            )
            yield inherited
        elif first in PAST and (number == 0 or (inherited is not None and not _present(first, inherited.rest))):
            before = inherited
            yield Statement(
                before.who if before else "i",
                before.subject if before else "",
                before.kin if before else "",
                before.name if before else "",
                f" {said[head].lower()}{said[head + 1 : end]}",
                before.start if before else head,
                head - 1,
                stop,
                (start, end),
                unsure,
            )
        else:
            inherited = None


def _present(verb: str, told: str) -> bool:
    """Tell whether a form that is both goes on with a present: "I swim and read"."""
    before = told.strip(" '\u2019").split(" ", 1)[0].lower()
    return verb in _BOTH and before not in PAST and not before.endswith("ed")


def _who(found: re.Match[str]) -> str:
    if found["i"] or found["we"]:
        return "i"
    return "kin" if found["kin"] or found["parent"] else "my" if found["my"] else "they" if found["they"] else "name"


def _no_name(words: str) -> bool:
    return words.split(" ", 1)[0].lower() in _NOT_NAMES
