"""Whether a turn says anything worth extracting, by rules, so that no model is asked about "thanks!".

It doubts in favour of the turn: a needless call costs a little, a missed one a fact.
"""

from __future__ import annotations

import re
from typing import Final

from memgraph.drafts import SaidTurn
from memgraph.writing.features import Flag, features
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.statements import KINDRED, masked

_SENTENCE: Final = re.compile(r"[^.!?\u2026\n]+(?:\.(?=\w)[^.!?\u2026\n]+)*[.!?\u2026]*")
_FILLER: Final = (
    any_of(
        "hi hello hey heya morning good_morning good_evening good_night goodnight night bye goodbye see_you cheers"
        " thanks thank_you thx ta many_thanks ok okay k sure fine right yes yeah yep no nope nah great nice lovely"
        " perfect cool awesome brilliant excellent amazing wow oh ah aha hmm+ mm+ lol haha+ hehe exactly indeed"
        " absolutely agreed same same_here me_too you_too got_it understood noted sounds_good will_do no_problem"
        " no_worries never_mind you're_welcome of_course fair_enough well_done congratulations congrats good_luck"
        " take_care sorry please go_on i_see i_know i_agree i_think_so i_hope_so i_guess_so i_suppose_so i_don't_know"
        " i'm_fine i'm_good i_love_it i_like_it i_understand i_get_it that_helps i'm_listening sounds_great"
        " makes_sense good_point"
    )
    + r"(?: (?:so much|very much|a lot|again|then|too|there|all|everyone|everybody|indeed|now|later|soon|tomorrow"
    r"|to you|for (?:that|this|the \w+|your \w+|everything)))*"
)
_ONLY_FILLER: Final = re.compile(rf"\W*(?:{_FILLER}\W*)+", re.IGNORECASE)
_SELF: Final = compiled(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|myself|we|we're|we've|our|ours|us)\b")
_NAMED: Final = re.compile(r"(?<=[a-z,;:] )[A-Z\u00c0-\u00de][\w'\u2019-]+")
_POLITE: Final = r"^\W*(?:(?:please|now|then|and|so|ok|okay|also|just),? )*"
_REQUEST: Final = compiled(
    rf"{_POLITE}{any_of('write make give show tell explain translate summarise summarize fix list find help')}\b",
    rf"{_POLITE}{any_of('create generate describe compare check rewrite shorten add remove let')}\b",
    r"^\W*(?:that|this|it|it's|that's|you|you're|you'll|there|there's|what|how|so)\b",
)
_TOLD: Final = compiled(
    r"\bdid (?:i|you) (?:ever |already )?(?:tell|mention|say|know|hear)\b|\bguess what\b",
    r"\bhave (?:i|you) (?:ever |already )?(?:told|mentioned|said|heard)\b",
)
_CODE: Final = re.compile(
    r"^\s*(?:def |class |import |from \w+ import|#include|function |const |let |var |public |private |return\b|if \("
    r"|for \(|while \(|\}|\{|</?\w+|SELECT |INSERT |Traceback|File \"|at \w+\.|\$ |>>> |@\w+)"
    r"|[;{}]\s*$|=>|\w+\(.*\)\s*[:;{]?\s*$"
)


def salient(turn: SaidTurn) -> bool:
    """Tell whether there is anything to extract from a turn.

    Args:
        turn: What was said.

    Returns:
        False for what an assistant or a tool says, greetings, thanks, acknowledgements, questions that tell nothing,
        code and nothing at all. Never raises.
    """
    if turn.role in ("assistant", "tool", "system") or turn.origin in ("assistant", "tool"):
        return False
    said = masked(turn.text).replace("\u2019", "'").replace("\0", " ")
    return not _is_code(said) and any(_says(sentence) for sentence in _SENTENCE.findall(said))


def _is_code(said: str) -> bool:
    lines = [line for line in said.splitlines() if line.strip()]
    return len(lines) > 2 and 2 * sum(_CODE.search(line) is not None for line in lines) > len(lines)


def _says(sentence: str) -> bool:
    """Tell whether a sentence states something about somebody."""
    plain = sentence.strip()
    if not re.search(r"[^\W\d_]", plain) or _ONLY_FILLER.fullmatch(plain):
        return False
    if plain.endswith("?"):
        return _TOLD.search(plain) is not None
    if _SELF.search(plain) or KINDRED.search(plain):
        return True
    if Flag.INSTRUCTION in Flag(features(plain, "user").flags):
        return True
    if _REQUEST.search(plain):
        return _NAMED.search(plain) is not None and not re.match(r"\W*(?:please )?[A-Za-z]+ (?:me )?a ", plain)
    return len(plain.split()) > 2 or any(char.isdigit() for char in plain)
