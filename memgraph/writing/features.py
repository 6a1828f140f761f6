"""What ranking wants to know of a turn's wording, read once when it is written and stored in two integers.

The rules know English. Where they know nothing, no flag is set and nothing is boosted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from memgraph.projections.tokenizer import UNSPACED
from memgraph.writing.patterns import any_of, compiled

RECIPE: Final = 1
"""Version of these rules; flags made with another one may be computed again."""


class Flag(IntFlag):
    """Properties of a turn. The values are stored: never reuse one."""

    QUESTION_ONLY = 1
    """It asks and says nothing else."""
    TEMPORAL = 2
    """It says when: a date, a weekday, "last week", "two years ago"."""
    INSTRUCTION = 4
    """A standing instruction of the user: "always ...", "from now on ..."."""
    PREFERENCE = 8
    """A preference that the user states: "I'd rather ...", "I can't stand ..."."""
    ASSISTANT = 16
    """Said by an assistant."""
    TOOL = 32
    """Put out by a tool."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is stored of a turn's wording.

    Attributes:
        words: Length in words, see `count_words`.
        flags: `Flag` bits.
    """

    words: int
    flags: int


_MONTHS: Final = (
    rf"(?:{any_of('january february april june july august september october november december')}"
    rf"|(?-i:{any_of('March May Jan Feb Mar Apr Jun Jul Aug Sept? Oct Nov Dec')}))"
)
_DAYS: Final = rf"{any_of('mon tues wednes thurs fri satur sun')}day"
_UNITS: Final = (
    any_of("second minute hour day night week weekend month year decade spring summer autumn fall winter") + "s?"
)
_NUMBERS: Final = (
    r"(?:\d+|"
    + any_of("an? one two three four five six seven eight nine ten twelve a_few few a_couple(?:_of)? several many some")
    + ")"
)
_TEMPORAL: Final = compiled(
    r"\b(?:yesterday|today|tonight|tomorrow|last night|this (?:morning|afternoon|evening)|the other day)\b",
    rf"\b{any_of('last next this past previous coming following')} (?:{_NUMBERS} )?(?:{_UNITS}|{_DAYS})\b",
    rf"\b{_NUMBERS} {_UNITS} (?:ago|back|later|before|from now)\b",
    rf"\b{any_of('for in within after since')} (?:the (?:past|last|next) )?"
    rf"(?:{any_of('about around almost over nearly')} )?{_NUMBERS} {_UNITS}\b",
    rf"\b{_DAYS}s?\b|\b{_MONTHS}\b",
    rf"\b{any_of('in since until by of back_in during')} (?:19|20)\d\d\b",
    r"\b(?:19|20)\d\d-\d\d(?:-\d\d)?\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b",
    rf"\b{any_of('in during over since')} (?:the |this )?{any_of('spring summer autumn winter')}\b",
    rf"\bsince {any_of('i we he she they')} (?:was|were)\b",
    rf"\b(?:recently|lately|just {any_of('got started finished bought moved joined')})\b",
)
_INSTRUCTION: Final = compiled(
    # At the beginning of a clause, or after what asks for it; "I always go" is no instruction.
    rf"(?:^|[.!?;:,\n]\s{{0,4}}|\b(?:{any_of('please and but so to you_should you_must you_can i_want_you_to')}"
    rf"|i(?:'d| would) like you to|make sure (?:to|you|that you)|remember to|be sure to)\s+)"
    rf"(?:always|never|do(?:n['\u2019]t| not) ever)\s+(?!{any_of('mind been had was wanted thought')}\b)[a-z]",
    rf"\bfrom {any_of('now here this_point today')} on\b|\b(?:going forward|henceforth)\b",
    rf"\bin (?:the )?future(?: {any_of('answers replies responses chats')})?\b",
    rf"\bfor (?:all )?future {any_of('answers replies responses questions reference conversations')}\b",
    rf"\b{any_of('whenever each_time every_time any_time anytime when if')} (?:i|we) "
    rf"{any_of('ask mention say want request tell bring talk write send need')}\b",
)
_PREFERENCE: Final = compiled(
    rf"\b(?:i|we)(?:\s+{any_of('really much usually generally typically always just also still do')})*\s+"
    rf"{any_of('prefer like love enjoy adore hate dislike loathe avoid favou?r')}\b"
    r"(?! to (?:know|ask|hear from you|see if))",
    r"\b(?:i|we)\s+(?:do not|don['\u2019]t|can['\u2019]t|cannot|never)(?:\s+really)?\s+"
    rf"{any_of('like want enjoy eat drink use stand tolerate care_for')}\b",
    r"\bi(?:['\u2019]d| would) (?:rather|prefer)\b",
    r"\bi(?:['\u2019]m| am) (?:not )?(?:a (?:big |huge )?fan|into|fond|keen)\b",
    rf"\bi(?:['\u2019]m| am) {any_of('allergic intolerant vegetarian vegan partial_to sensitive_to')}\b",
    rf"\bmy (?:(?:all[- ]time|personal|absolute) )?{any_of('favou?rite preference preferred go-to')}\b",
)
_SENTENCE: Final = re.compile("[^.!?\u2026\u3002\uff01\uff1f\u061f\n]+[.!?\u2026\u3002\uff01\uff1f\u061f]*")
_QUESTION_MARKS: Final = ("?", "\uff1f", "\u061f")
_LONG_RUN: Final = re.compile(rf"[^\s{UNSPACED}]{{25,}}")
_LONG_RUN_WORD: Final = 8
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")

_LOOK: Final = 8_000
"""Characters in which wording is looked at: beyond that a text is a document, and its wording says nothing."""


def count_words(text: str) -> int:
    """Return the length of a text in words, as a reader would feel it.

    Three characters of a script without spaces are two words, and 8 characters of an address or a key one.
    """
    words = len(text.split()) + sum(len(run) // _LONG_RUN_WORD for run in _LONG_RUN.findall(text))
    return words if text.isascii() else words + len(_UNSPACED.findall(text)) * 2 // 3


def features(text: str, role: str) -> Features:
    """Read length and wording of a turn.

    Args:
        text: The words of the turn.
        role: "user", "assistant", "tool" or another; only what a user says can be an instruction or a preference.

    Returns:
        Its features. Never raises, and costs no more for a megabyte than for a page.
    """
    look = text[:_LOOK]
    flags = Flag(0)
    if _asks_only(look):
        flags |= Flag.QUESTION_ONLY
    if _TEMPORAL.search(look):
        flags |= Flag.TEMPORAL
    if role == "assistant":
        flags |= Flag.ASSISTANT
    elif role == "tool":
        flags |= Flag.TOOL
    else:
        if _INSTRUCTION.search(look):
            flags |= Flag.INSTRUCTION
        if _PREFERENCE.search(look):
            flags |= Flag.PREFERENCE
    return Features(count_words(text), int(flags))


def _asks_only(text: str) -> bool:
    """Tell whether every sentence of three words or more is a question, and there is one."""
    asked = False
    for sentence in _SENTENCE.findall(text):
        if sentence.rstrip().endswith(_QUESTION_MARKS):
            asked = True
        elif len(sentence.split()) > 2:
            return False
    return asked
