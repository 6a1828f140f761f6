"""What a rule of extraction is, and the pieces of patterns that the rules share.

A pattern is matched against what follows a clause's subject, to the end of the sentence, and begins with a space or an
apostrophe ("'m a nurse in Leeds"). Its group `o` is the object. Rules are tried in order, and the first of an
attribute that matches is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from memgraph.drafts import Kind


class Way:
    """A pattern that is compiled when it is first tried: a process that extracts nothing compiles none."""

    def __init__(self, source: str) -> None:
        self._source = source

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self._source)

    def match(self, text: str) -> re.Match[str] | None:
        """Match what follows a clause's subject."""
        return self._pattern.match(text)


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a fact is said.

    Attributes:
        who: Whom it may be said of: "i", "my" (of something of the speaker's), "kin", "name", "they".
        confidence: How sure the words are.
        entity: What the object is if it is a name: place, organisation, person, ...; "" for no mention.
        relation: The relation of subject and object, "" for none.
        over: Whether a state is told as past.
        dated: Whether it counts only with a date.
        importance: 0 to 1.
    """

    attribute: str
    patterns: tuple[Way, ...]
    kind: Kind = "state"
    confidence: float = 0.85
    who: frozenset[str] = frozenset(("i",))
    entity: str = ""
    relation: str = ""
    over: bool = False
    dated: bool = False
    importance: float = 0.5


MY: Final = frozenset(("my",))
ANY: Final = frozenset(("i", "kin", "name"))
OTHERS: Final = frozenset(("kin", "name"))
KIN: Final = frozenset(("i", "kin"))

ADV: Final = (
    r"(?: (?:just|really|still|now|also|already|finally|recently|currently|actually|always|only|so|quite|very|pretty"
    r"|completely|totally|basically|honestly|even|truly|absolutely|officially|both|mostly|usually|newly|sort of|kind of"
    r"|originally|definitely|generally|normally|all|fully|rather|properly|seriously|secretly|formally|a bit|deeply"
    r"|massively|weirdly|both|severely|terribly|violently|mildly|probably|much|certainly))*"
)
BE: Final = rf"(?:['’](?:m|s|re)| am| is| are){ADV}"
WAS: Final = rf" (?:was|were){ADV}"
HAS: Final = rf"(?:['’]ve got|['’]s got| have got| has got|['’]ve| have| has| own| owns){ADV}"
DONE: Final = rf"{ADV}(?:['’]ve|['’]s| have| has)?{ADV}(?: gone and)?"
"""Before a past form: nothing or "have"."""
DO: Final = rf"{ADV}(?: do)?{ADV}"
NOT: Final = rf"{ADV} (?:do not|does not|don['’]t|doesn['’]t|can['’]t|cannot|can not|never|won['’]t|no longer){ADV}"
_CAP: Final = r"[A-Z\u00c0-\u00de0-9][\w'’&.-]*[\w]|[A-Z]"
_DATED: Final = (
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|September|October"
    r"|November|December|Christmas|Easter|I"
)
PROPER: Final = (
    rf"(?!(?:[Tt]he )?(?:{_DATED})\b)(?:[Tt]he )?(?:{_CAP})(?:(?: (?:of|upon|de|da|del|la|le|el|the|and|&|y|am|an"
    rf" der|sur))*"
    rf" (?:{_CAP}))*"
)
PLACE: Final = rf"(?P<o>(?:the )?{PROPER}(?:, {_CAP}(?: (?:{_CAP}))*)?)"
NAME: Final = rf"(?P<o>{PROPER})"
STOP: Final = (
    r"(?=\s*(?:$|[.,;:!?()\u2014\u2013\u2026\0]|\s-\s)|\s+(?:and (?:I|we|my|he|she|they|it|now|then|the|that)|but"
    r"|so|because"
    r"|since|when|while|where|who|which|that|until|till|though|although|as|whereas|if|unless|plus|I|we|it['’]s"
    r"|every|these"
    r"|right now|at the moment|any more|anymore|nowadays|now|too|as well|instead|again|though|anyway|either)\b)"
)
NP: Final = rf"(?P<o>[^.,;:!?()\u2014\u2013\u2026\0]+?){STOP}"
SHORT: Final = (
    rf"(?P<o>[^.,;:!?()\u2014\u2013\u2026\0]+?)(?=\s+(?:for|with|from|at|in|on|to|by|after|before|and|or|over|last"
    rf"|this|next"
    rf"|yesterday|today|tomorrow|around|near)\b|{STOP})"
)
"""A noun phrase that ends at the first preposition."""
PHRASE: Final = (
    r"(?P<o>[^.;:!?()\u2014\u2013\u2026\0]+?)(?=\s*(?:$|[.;:!?()\u2014\u2013\u2026\0])|,|\s+(?:but"
    r"|because|so|and (?:I|we|my|he|she|it))\b)"
)
"""Whatever follows, to the end of the clause."""
END: Final = (
    r"(?=\s*(?:$|[.,;:!()\u2014\u2013\u2026]|and\b|but\b|so\b|since\b|now\b|because\b|who\b|as of\b|for\b"
    r"|in\b|from\b|at\b|with\b))"
)


def says(*alternatives: str) -> tuple[Way, ...]:
    """Return the ways in which something is said of a subject; each has its own group `o`."""
    return tuple(Way(one) for one in alternatives)
