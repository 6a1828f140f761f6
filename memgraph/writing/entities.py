"""Whether two names are of one entity, by rules that would rather keep a duplicate than make a bad merge.

A duplicate is found later and merged; two people in one are not told apart again. So every rule that is not sure of
itself asks for support from the context, and every guard (type, digits, Jr, Mr and Mrs, north and south) is final.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from memgraph.writing.contexts import Entity, Match, agree, another, conflict, elsewhere, explained, names_of
from memgraph.writing.names import SMALL, TITLES, Name, acronym, identifiers, normalise, slip
from memgraph.writing.nicknames import related

__all__ = ["Entity", "Match", "candidates", "normalise", "same"]

_ELSEWHERE: Final = {
    **{"munchen": "munich", "koln": "cologne", "wien": "vienna", "praha": "prague", "warszawa": "warsaw"},
    **{"lisboa": "lisbon", "kiev": "kyiv", "roma": "rome", "firenze": "florence", "venezia": "venice"},
    **{"kobenhavn": "copenhagen", "goteborg": "gothenburg", "geneve": "geneva", "genf": "geneva", "milano": "milan"},
    **{"napoli": "naples", "torino": "turin", "moskva": "moscow", "bombay": "mumbai", "peking": "beijing"},
    **{"den haag": "the hague", "nyc": "new york city", "uk": "united kingdom", "usa": "united states"},
    **{"us": "united states", "united states of america": "united states", "new york": "new york city"},
    **{
        "bruxelles": "brussels",
        "sevilla": "seville",
        "athina": "athens",
        "holland": "netherlands",
        "la": "los angeles",
    },
}
"""Places by the name they have at home or had before; for places alone."""
_CLASSES: Final = frozenset(
    "river mount city town village island pub inn bar cafe restaurant bakery bistro shop store supermarket hotel"
    " band group "
    "team club airline app company charity magazine newspaper festival race dog cat parrot tortoise rabbit horse pony "
    "hamster spaniel greyhound terrier kitten puppy".split()
)
"""What a thing is, said beside its name or left out: "River Dart" and "the Dart", "Hugo the parrot"."""
_OPPOSED: Final = frozenset(
    "north south east west northern southern eastern western upper lower inner outer new old great little big small "
    "first second third fourth fifth left right male female mens womens boys girls primary secondary junior senior "
    "red blue green black white yellow spring summer autumn winter january february march april may june july august "
    "september october november december monday tuesday wednesday thursday friday saturday sunday morning evening "
    "central international national city united county rovers wanderers pro max mini plus lite".split()
)
"""Words that tell namesakes apart: a name that has one which the other lacks is another name."""


def same(a: Entity, b: Entity) -> Match | None:
    """Tell whether two entities are one, and by which rule.

    Args:
        a: One.
        b: Another; the answer is the same the other way round.

    Returns:
        The match with the surest rule; None where they are two, or nothing is sure enough. Never raises.
    """
    if "other" not in (a.type, b.type) and a.type != b.type:
        return None
    kind = a.type if a.type != "other" else b.type
    if conflict(a.context, b.context) or elsewhere(a, b) or another(a) or another(b):
        return None
    names_a, names_b = names_of(a), names_of(b)
    known = names_b[0].key in {n.key for n in names_a[1:]} or names_a[0].key in {n.key for n in names_b[1:]}
    if guarded(names_a[0], names_b[0]) and not known:
        return None
    supported = agree(a, b)
    best = explained(a, b) or explained(b, a)
    for x in names_a:
        for y in names_b:
            if guarded(x, y) or not x.tokens or not y.tokens:
                continue
            found = _compare(x, y, kind, supported)
            if found is not None and (best is None or found.score > best.score):
                alias = x is not names_a[0] or y is not names_b[0]
                best = Match(round(found.score - 0.02 * alias, 2), ("alias: " if alias else "") + found.reason)
    return best


def candidates(entity: Entity, known: Iterable[Entity], *, limit: int = 10) -> list[Entity]:
    """Return the known entities that are worth comparing, most alike first.

    Args:
        entity: The one to place.
        known: Those to look among.
        limit: How many at most.
    """
    mine = [name for name in names_of(entity) if name.tokens]
    scored: list[tuple[float, int, Entity]] = []
    for at, other in enumerate(known):
        score = max((_alike(x, y) for x in mine for y in names_of(other)), default=0.0)
        if score >= 0.25:
            scored.append((-score, at, other))
    return [other for _, _, other in sorted(scored, key=lambda item: item[:2])[:limit]]


def guarded(x: Name, y: Name) -> bool:
    """Tell whether something in two names says that they are not the same."""
    if x.suffix != y.suffix:
        return True
    gender_x, gender_y = TITLES.get(x.title, ""), TITLES.get(y.title, "")
    if gender_x and gender_y and gender_x != gender_y:
        return True
    if (
        x.place
        and y.place
        and x.place != y.place
        and not (set(x.place) <= set(y.place) or set(y.place) <= set(x.place))
    ):
        return True
    if acronym(x, y):
        return False
    digits_x, digits_y = identifiers(x), identifiers(y)
    return digits_x != digits_y or (set(x.tokens) ^ set(y.tokens)) & _OPPOSED != set()


def _compare(x: Name, y: Name, kind: str, supported: bool) -> Match | None:
    """Apply the rules, the surest first."""
    pair = f"`{x.key}` and `{y.key}`"
    if x.key == y.key:
        if x.place != y.place and not supported and not (x.place and y.place):
            return None  # "Paris" and "Paris, Texas"
        return Match(1.0, f"the same name: {pair}")
    if x.key == y.spelled or y.key == x.spelled:
        return Match(0.98, f"the same name, its umlauts spelled out: {pair}")
    if x.key.replace(" ", "") == y.key.replace(" ", "") and len(x.key) > 4:
        return Match(0.98, f"the same name, spaced otherwise: {pair}")
    if kind == "place" and _ELSEWHERE.get(x.key, x.key) == _ELSEWHERE.get(y.key, y.key):
        return Match(0.95, f"one place, two names: {pair}")
    if kind == "person":
        return _persons(x, y, supported, pair)
    bare_x, bare_y = _bare(x), _bare(y)
    if kind == "pet":
        if bare_x and bare_y and _unclassed(bare_x) == _unclassed(bare_y):
            return Match(0.95, f"the same but for what it is: {pair}")
        if supported and bare_x and bare_y and (related(bare_x[0], bare_y[0]) or bare_x[0] == bare_y[0]):
            return Match(0.88, f"a shorter form, with the same context: {pair}")
    else:
        if supported and len(bare_x) > 1 and sorted(bare_x) == sorted(bare_y):
            return Match(0.92, f"the same words, with the same context: {pair}")
        if bare_x and bare_y and _unclassed(bare_x) == _unclassed(bare_y):
            return Match(0.92, f"the same but for what it is: {pair}")
        letters = acronym(x, y)
        if letters >= 3 or (letters == 2 and supported):
            return Match(0.93 if letters >= 3 else 0.9, f"an acronym: {pair}")
        short, long = sorted((bare_x, bare_y), key=len)
        if supported and short and len(short) < len(long) and long[: len(short)] == short and len(short[0]) > 3:
            return Match(0.88, f"a shorter form, with the same context: {pair}")
    if slip(x.key, y.key, strict=kind == "pet" or not supported):
        return Match(0.86, f"a slip of the pen: {pair}")
    return None


def _persons(x: Name, y: Name, supported: bool, pair: str) -> Match | None:
    """Compare the names of people."""
    short, long = sorted((list(x.tokens), list(y.tokens)), key=len)
    if len(short) > 1 and len(long) > 1:
        if len(short) == len(long) > 2 and all(
            p == q or p[0] == q[0] and 1 in (len(p), len(q)) for p, q in zip(short, long, strict=True)
        ):
            return Match(0.92, f"initials and the same surname: {pair}")
        if supported and (sorted(short) == sorted(long) or _within(short, long)):
            return Match(0.9, f"the same names in part, with the same context: {pair}")
        if short[-1] == long[-1]:
            return _full(short, long, supported, pair)
        if len(short) == len(long) and short[:-1] == long[:-1] and slip(short[-1], long[-1], strict=True):
            return Match(0.87, f"a slip of the pen: {pair}")
        return None
    if len(short) == 1 and len(long) == 1:
        if related(short[0], long[0]) and supported:
            return Match(0.9, f"a nickname, with the same context: {pair}")
        return Match(0.85, f"a slip of the pen: {pair}") if slip(short[0], long[0], strict=True) else None
    if supported and (short[0] == long[0] or related(short[0], long[0])):
        return Match(0.9, f"the first name, with the same context: {pair}")
    titled = bool(x.title if len(x.tokens) == 1 else y.title)
    if supported and titled and short[0] == long[-1]:
        return Match(0.88, f"the surname, with the same context: {pair}")
    return None


def _within(short: list[str], long: list[str]) -> bool:
    """Tell whether the names of one stand in this order among those of the other, the first in its place."""
    rest = iter(long)
    return short[0] == long[0] and all(name in rest for name in short)


def _full(short: list[str], long: list[str], supported: bool, pair: str) -> Match | None:
    """Compare full names that share the surname."""
    first, other = short[0], long[0]
    if first == other:
        middles, others = short[1:-1], long[1:-1]
        if all(m == n or m[0] == n[0] and 1 in (len(m), len(n)) for m, n in zip(middles, others, strict=False)):
            sure = len(middles) == len(others) or supported
            return Match(0.94 if sure else 0.9, f"the same first name and surname: {pair}")
        return None
    if related(first, other):
        return Match(0.94, f"a nickname and the same surname: {pair}")
    if supported and 1 in (len(first), len(other)) and first[0] == other[0]:
        return Match(0.9, f"an initial and the same surname, with the same context: {pair}")
    letters = "".join(word[0] for word in long[:-1])
    if len(letters) > 1 and first == letters:
        return Match(0.92, f"initials and the same surname: {pair}")
    return Match(0.87, f"a slip of the pen: {pair}") if slip(first, other, strict=True) else None


def _bare(name: Name) -> tuple[str, ...]:
    return tuple(word for word in name.tokens if word not in SMALL)


def _unclassed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words without those that say what it is, all of them if no other is left."""
    return tuple(word for word in words if word not in _CLASSES) or words


def _trigrams(text: str) -> frozenset[str]:
    padded = f"  {text} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def _alike(x: Name, y: Name) -> float:
    """Return how alike two names look: shared trigrams, or one where a rule may hold without any."""
    if not x.tokens or not y.tokens:
        return 0.0
    if x.key == y.key or acronym(x, y):
        return 1.0
    if set(x.tokens) & set(y.tokens) - SMALL or related(x.tokens[0], y.tokens[0]):
        return 0.8
    a, b = _trigrams(x.key), _trigrams(y.key)
    return len(a & b) / len(a | b)
