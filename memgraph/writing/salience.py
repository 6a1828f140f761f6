"""Whether a turn says anything worth extracting, by rules, so that no model is asked about "thanks!".

It doubts in favour of the turn: a needless call costs a little, a missed one a fact.
"""

from __future__ import annotations

import re
from typing import Final

from memgraph.drafts import SaidTurn
from memgraph.writing.features import Flag, features
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.statements import KINDRED

_LOOK: Final = 8_000
"""Characters of a turn that are read; a longer one is worth it."""

_UNSAID: Final = re.compile(
    r"(?s:```.*?(?:```|\Z))|`[^`\n]*`|https?://\S+|^[ \t]*>[^\n]*$"
    r"|\"[^\"\n]{0,400}\"|\u201c[^\u201d\n]{0,400}\u201d|\u00ab[^\u00bb\n]{0,400}\u00bb",
    re.MULTILINE,
)
_SENTENCE: Final = re.compile(
    "[^.!?\u2026\n\u3002\uff01\uff1f]+(?:\\.(?=\\w)[^.!?\u2026\n\u3002\uff01\uff1f]+)*[.!?\u2026\u3002\uff01\uff1f]*"
)
_FILLER: Final = (
    any_of(
        "hi hello hey heya morning good_morning good_evening good_night goodnight night bye goodbye see_you cheers"
        " thanks thank_you thx ta many_thanks ok okay k sure fine right yes yeah yep no nope nah great nice lovely"
        " perfect cool awesome brilliant excellent amazing wow oh ah aha hmm+ mm+ lol haha+ hehe exactly indeed"
        " absolutely agreed same same_here me_too you_too got_it understood noted sounds_good will_do no_problem"
        " no_worries never_mind you're_welcome of_course fair_enough well_done congratulations congrats good_luck"
        " take_care sorry please go_on i_see i_know i_agree i_think_so i_hope_so i_guess_so i_suppose_so i_don't_know"
        " i'm_fine i'm_good i_love_it i_like_it i_understand i_get_it that_helps i'm_listening sounds_great"
        " makes_sense good_point really maybe probably why what who when where how test testing next continue stop more"
        " hola gracias adi\xf3s bonjour salut merci hallo danke tsch\xfcss ciao grazie obrigado obrigada ol\xe1"
        " hej tack takk s\xed oui ja nein non \u043f\u0440\u0438\u0432\u0435\u0442"
        " \u0441\u043f\u0430\u0441\u0438\u0431\u043e \u0434\u0430 \u043d\u0435\u0442 \u4f60\u597d \u60a8\u597d"
        " \u8c22\u8c22 \u8b1d\u8b1d \u518d\u89c1 \u597d\u7684 \u3053\u3093\u306b\u3061\u306f"
        " \u3042\u308a\u304c\u3068\u3046 \u3042\u308a\u304c\u3068\u3046\u3054\u3056\u3044\u307e\u3059"
        " \u306f\u3044 \uc548\ub155\ud558\uc138\uc694 \uac10\uc0ac\ud569\ub2c8\ub2e4"
        " \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0e02\u0e2d\u0e1a\u0e04\u0e38\u0e13"
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
    r"^\W*(?:you|you're|you'll|what|how)\b",
)
_PRAISE: Final = any_of(
    "good great nice lovely perfect cool awesome brilliant excellent amazing wonderful fantastic beautiful fine okay ok"
    " right true correct wrong funny sad bad terrible awful horrible interesting helpful useful kind sweet clever smart"
    " better best enough fun delicious impressive a_shame a_pity a_relief a_pleasure a_lot a_joke clear all it that"
    " everything easy hard impossible weird strange crazy ridiculous hilarious exciting"
)
_COMMENT: Final = re.compile(
    r"\W*(?:(?:oh|ah|well|so|and|but|wow|yes|no),? )*(?:that|this|it|there|here)(?:'s|'ll| is| was| sounds?| looks?"
    r"| seems?| feels?| works?| makes?| helps?| would be| will be| does)? ?(?:(?:not|so|very|really|all|quite|just|too"
    rf"|pretty|such|an?|the|like|sense|much|more|works?|helps?)\b ?)*(?:{_PRAISE})?"
    r"(?: (?:idea|point|question|news|plan|one|answer|start|work|job|advice|to (?:hear|know)|then|now|again|indeed"
    r"|though|of you|for me))*(?:,? (?:thanks|thank you|cheers)(?: so much| very much| a lot)?)?\W*",
    re.IGNORECASE,
)
"""What somebody thinks of what was just said: "That sounds lovely!"."""

_CLAUSE: Final = re.compile(
    r"[,;:\uff0c\u3001\u061b\u060c()\u2013\u2014]+|\s-+\s"
    r"|\s(?=(?:because|cause|since|as|and|but|so|though|although|while|given|considering|now that)\s)",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"\W*(?:(?:and|but|so|or|well|oh|ok|okay|then|now|please|hey|hi|hello|also|thanks),? )*(?:when(?! (?:i|we|my|our"
    r"|he|she)\b)|(?:what|who|whom|whose|how|where|why|which|is|are|am|was|were|do|does|did|have|has|had|can|could"
    r"|will|would|shall|should|may|might|any|ever|got)(?:n't|'s|'re|'d|'ll)?)\b",
    re.IGNORECASE,
)
_STATES: Final = compiled(r"\b(?:he|she|they|he's|she's|they're)\b")
_TOLD: Final = compiled(
    r"\bdid (?:i|you) (?:ever |already )?(?:tell|mention|say|hear)\b|\bdid you know (?:that )?(?:i|we|my|our)\b",
    r"\bguess what\b|\b(?:my|our) (?:[\w'-]+ ){1,3}(?:who|that|which)(?:'s| is| has| was| lives| works| had)\b",
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
        False for what an assistant or a tool says, greetings, thanks, acknowledgements, comments on what was said,
        questions and requests that tell nothing, code and nothing at all. Never raises.
    """
    if turn.role in ("assistant", "tool", "system") or turn.origin in ("assistant", "tool"):
        return False
    if len(turn.text) > _LOOK and not turn.text[_LOOK:].isspace():
        return True
    said = _UNSAID.sub(" ", turn.text[:_LOOK]).replace("\u2019", "'")
    return not _is_code(said) and any(_says(sentence) for sentence in _SENTENCE.findall(said))


def _is_code(said: str) -> bool:
    lines = [line for line in said.splitlines() if line.strip()]
    return len(lines) > 2 and 2 * sum(_CODE.search(line) is not None for line in lines) > len(lines)


def _says(sentence: str) -> bool:
    """Tell whether a sentence states something about somebody."""
    plain = sentence.strip()
    if not re.search(r"[^\W\d_]", plain) or _ONLY_FILLER.fullmatch(plain):
        return False
    if plain[-1] in "?\uff1f":
        return _TOLD.search(plain) is not None or _states_beside(plain)
    if _SELF.search(plain) or KINDRED.search(plain):
        return True
    if Flag.INSTRUCTION in Flag(features(plain, "user").flags):
        return True
    if _REQUEST.search(plain):
        return _NAMED.search(plain) is not None and not re.match(r"\W*(?:please )?[A-Za-z]+ (?:me )?a ", plain)
    return _COMMENT.fullmatch(plain) is None


def _states_beside(question: str) -> bool:
    """Tell whether a clause beside the asking one states something: "I'm vegetarian, what should I cook?".

    Of what isn't English it is only seen that there is such a clause.
    """
    clauses = [clause for clause in _CLAUSE.split(question) if clause.strip() and not _ONLY_FILLER.fullmatch(clause)]
    asking = [clause for clause in clauses if _ASKS.match(clause)]
    if not asking:
        return len(clauses) > 1 or (_SELF.search(question) is not None and len(question.split()) > 2)
    beside = [clause for clause in clauses if clause not in asking]
    return any(_SELF.search(clause) or KINDRED.search(clause) or _STATES.search(clause) for clause in beside)
