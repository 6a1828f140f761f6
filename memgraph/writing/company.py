"""Those whom a speaker introduces by name: relatives, partners, friends, colleagues, pets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from memgraph.writing.lexicon import FAMILY, FRIENDS, PARTNERS, PETS, WORKMATES
from memgraph.writing.statements import KINDRED, NAME

_PET: Final = "|".join(sorted(PETS, key=len, reverse=True))
_KIN: Final = "|".join(sorted((*FAMILY, *PARTNERS, *FRIENDS, *WORKMATES, *PETS), key=len, reverse=True))
_APPOSED: Final = re.compile(
    rf"(?<!\w)(?P<name>{NAME}),? (?:my|our) (?:[a-z-]+ ){{0,2}}?(?P<kin>{_KIN})(?=[\s]*[,.;!)]|\s+(?:and|who|has|is)\b)"
)
_IS_CALLED: Final = re.compile(
    rf"(?<!\w)(?:[Mm]y|[Oo]ur) (?:[a-z-]+ ){{0,2}}?(?P<kin>{_KIN})(?:,? an? (?:[a-z-]+ ){{1,4}}|['\u2019]s (?:an?"
    rf" (?:[a-z-]+ ){{1,6}})?"
    rf"| is (?:an? (?:[a-z-]+ ){{1,6}})?)(?:called|named) (?P<name>{NAME})"
)
_THAT_IS: Final = re.compile(
    rf"(?<!\w)(?P<name>{NAME}), (?:that|she|he)['\u2019]s (?:my|our) (?:[a-z-]+"
    rf" ){{0,2}}?(?P<kin>{_KIN})(?=[\s]*[,.;!)])"
)
_CALLED: Final = re.compile(rf"\b(?:an?|the) (?:[a-z-]+ ){{0,3}}?(?P<kin>{_PET}),? (?:called|named) (?P<name>{NAME})")


class Companion(NamedTuple):
    """Somebody introduced: "my sister Solveig" is ("sister", "Solveig")."""

    kin: str
    name: str


def company(kin: str) -> tuple[str, str, str]:
    """Return what a word of kinship or company stands for: attribute, relation, type of entity."""
    if kin in PARTNERS:
        return "partner", "married_to" if kin in ("wife", "husband", "spouse") else "related_to", "person"
    if kin in FRIENDS:
        return "friend", "friend_of", "person"
    if kin in WORKMATES:
        return "colleague", "related_to", "person"
    if kin in PETS:
        return "pet", "owns", "pet"
    return "family", FAMILY.get(kin, "related_to"), "person"


def introduced(said: str, start: int, end: int, speaker: str) -> Iterator[Companion]:
    """Yield who is introduced in a sentence.

    Args:
        said: A masked text.
        start: Where the sentence begins.
        end: Where it ends.
        speaker: Who speaks; nobody introduces themselves so.
    """
    for pattern in (KINDRED, _APPOSED, _CALLED, _IS_CALLED, _THAT_IS):
        for match in pattern.finditer(said, start, end):
            name = match["name"]
            if name and name != speaker:
                yield Companion(match["kin"], name)
