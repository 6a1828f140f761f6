"""Whether two names are of one entity, by rules that would rather keep a duplicate than make a bad merge.

A duplicate is found later and merged; two people in one are not told apart again. So every rule that is not sure of
itself asks for support from the context, and every guard (type, digits, Jr, Mr and Mrs, north and south) is final.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from memgraph.writing.nicknames import related


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that is known by name.

    Attributes:
        type: person, place, organisation, pet, thing, event or other ("other" agrees with every type).
        aliases: Other names it is known by.
        context: What was said of it: "sister of Maren, vet nurse in Leeds".
    """

    name: str
    type: str = "other"
    aliases: tuple[str, ...] = ()
    context: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Why two entities are one.

    Attributes:
        score: 0 to 1.
        reason: The rule, with the names it was applied to: the evidence by which a merge can be judged and undone.
    """

    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Name:
    """A name taken apart.

    Attributes:
        tokens: Its words, folded, without title, suffix and legal form.
        title: "mr", "mrs", ... or "".
        suffix: "jr", "sr", "2", ... or "".
        place: What stands after a comma or in brackets: "Perth, Scotland".
    """

    tokens: tuple[str, ...]
    title: str
    suffix: str
    place: tuple[str, ...]

    @property
    def key(self) -> str:
        return " ".join(self.tokens)


_TITLES: Final = {
    **{"mr": "m", "mister": "m", "sir": "m", "lord": "m", "herr": "m", "father": "m", "brother": "m", "uncle": "m"},
    **{"mrs": "f", "ms": "f", "miss": "f", "madam": "f", "lady": "f", "dame": "f", "frau": "f", "aunt": "f"},
    **{"auntie": "f", "sister": "f", "dr": "", "doctor": "", "prof": "", "professor": "", "captain": "", "capt": ""},
    **{"judge": "", "rev": "", "reverend": "", "grandma": "f", "granny": "f", "grandpa": "m", "coach": ""},
}
_SUFFIXES: Final = {
    **{"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "2", "iii": "3", "iv": "4", "2nd": "2", "3rd": "3"},
    **{"younger": "jr", "elder": "sr"},
}
_FORMS: Final = frozenset(
    "ltd limited inc incorporated gmbh ag plc llc llp corp corporation co company bv nv sa srl ab oy as pty".split()
)
_SHORT: Final = {
    **{"st": "saint", "ste": "saint", "mt": "mount", "ft": "fort", "univ": "university", "uni": "university"},
    **{"dept": "department", "intl": "international", "natl": "national", "bros": "brothers", "rd": "road"},
    **{"ave": "avenue", "gov": "government", "govt": "government", "assoc": "association", "inst": "institute"},
    **{"centre": "center", "theatre": "theater", "harbour": "harbor", "colour": "color", "organisation": "organization"},
    **{"no": "number", "hosp": "hospital", "lab": "laboratory", "labs": "laboratory", "laboratories": "laboratory"},
    **{"jan": "january", "feb": "february", "aug": "august", "sept": "september", "oct": "october", "nov": "november"},
    **{"dec": "december", "xmas": "christmas", "prefs": "preferences", "conf": "conference", "tech": "technology"},
}
"""Abbreviations and spellings that stand for one word."""
_ELSEWHERE: Final = {
    **{"munchen": "munich", "koln": "cologne", "wien": "vienna", "praha": "prague", "warszawa": "warsaw"},
    **{"lisboa": "lisbon", "kiev": "kyiv", "roma": "rome", "firenze": "florence", "venezia": "venice"},
    **{"kobenhavn": "copenhagen", "goteborg": "gothenburg", "geneve": "geneva", "genf": "geneva", "milano": "milan"},
    **{"napoli": "naples", "torino": "turin", "moskva": "moscow", "bombay": "mumbai", "peking": "beijing"},
    **{"den haag": "the hague", "nyc": "new york city", "uk": "united kingdom", "usa": "united states"},
    **{"us": "united states", "united states of america": "united states", "new york": "new york city"},
    **{"bruxelles": "brussels", "sevilla": "seville", "athina": "athens", "holland": "netherlands", "la": "los angeles"},
}
"""Places by the name they have at home or had before; for places alone."""
_CLASSES: Final = frozenset(
    "river city town village island pub inn bar cafe restaurant bakery bistro shop store supermarket hotel band group "
    "team club airline app company charity magazine newspaper festival race dog cat parrot tortoise rabbit horse pony "
    "hamster spaniel greyhound terrier kitten puppy".split()
)
"""What a thing is, said beside its name or left out: "River Dart" and "the Dart", "Hugo the parrot"."""
_SMALL: Final = frozenset("the a an of and for de la le du des der die das von van in at on to".split())
_OPPOSED: Final = frozenset(
    "north south east west northern southern eastern western upper lower inner outer new old great little big small "
    "first second third fourth fifth left right male female mens womens boys girls primary secondary junior senior "
    "red blue green black white yellow spring summer autumn winter january february march april may june july august "
    "september october november december monday tuesday wednesday thursday friday saturday sunday morning evening "
    "central international national city united county rovers wanderers pro max mini plus lite".split()
)
"""Words that tell namesakes apart: a name that has one which the other lacks is another name."""
_NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
_ROMAN: Final = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_POSSESSIVE: Final = re.compile(r"['\u2019\u02bc]s\b|(?<=s)['\u2019](?=\s|$)")
_DOTTED: Final = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?|\b[a-z]\.(?=[a-z]\b)")
_APART: Final = re.compile(r"[^\w\s]|_")
_PLACE: Final = re.compile(r"\s*[(\[]([^)\]]*)[)\]]\s*$|,\s*([^,]+)$")
_FOLD: Final = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_WORD: Final = re.compile(r"\w+")
_LONGEST: Final = 200

_ROLES: Final = frozenset(
    "sister brother mother father mum mom dad aunt uncle cousin niece nephew grandmother grandfather grandma grandpa "
    "daughter son wife husband boss manager colleague dentist doctor physio therapist neighbour neighbor landlord "
    "landlady teacher tutor coach barber hairdresser plumber lawyer accountant vet nurse professor instructor "
    "roommate flatmate classmate roommate baker butcher singer actor author footballer politician".split()
)
_COMMON: Final = _SMALL | frozenset(
    "is was are who that which with his her their my our your from by he she it works work lives live has have also "
    "said one same person place name called known man woman friend speaker user".split()
)


def normalise(name: str) -> str:
    """Return a name as it is compared: folded, without possessive, title, legal form and punctuation.

    Args:
        name: Any text; beyond 200 characters it is cut.
    """
    return _parse(name).key


@lru_cache(maxsize=8_192)
def _parse(name: str) -> _Name:
    """Take a name apart."""
    text = unicodedata.normalize("NFKD", name[:_LONGEST]).casefold().translate(_FOLD)
    text = "".join(char for char in text if not unicodedata.combining(char))
    place: tuple[str, ...] = ()
    suffix = ""
    found = _PLACE.search(text)
    if found:
        after = tuple(_WORD.findall(found[1] or found[2] or ""))
        if len(after) == 1 and after[0] in _SUFFIXES:
            suffix, text = _SUFFIXES[after[0]], text[: found.start()]
        elif not (after and after[0] in _FORMS) and text[: found.start()].strip():
            place, text = after, text[: found.start()]
    text = _POSSESSIVE.sub("", text)
    text = _DOTTED.sub(lambda match: match.group().replace(".", ""), text)
    text = re.sub(r"(?<=\w)['\u2019\u02bc](?=\w)", "", text.replace("&", " and "))
    words = _APART.sub(" ", text).split()
    while len(words) > 1 and words[0] in ("the", "a", "an", "my", "our"):
        words = words[1:]
    title = ""
    while len(words) > 1 and words[0] in _TITLES:
        title, words = title or words[0], words[1:]
    while len(words) > 1 and words[-1] in _FORMS:
        words = words[:-1]
    if len(words) > 1 and words[-1] in _SUFFIXES:
        suffix, words = _SUFFIXES[words[-1]], words[:-1]
        if words[-1] == "the" and len(words) > 1:
            words = words[:-1]
    kept = tuple(
        _SHORT.get(word, _NUMBERS.get(word, _ROMAN.get(word, word)) if at else word) for at, word in enumerate(words)
    )
    return _Name(kept, title, suffix, place)


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
    if _conflict(a.context, b.context) or _another(a) or _another(b):
        return None
    names_a, names_b = _names(a), _names(b)
    if _guarded(names_a[0], names_b[0]) and not {n.key for n in names_a[1:]} & {n.key for n in names_b}:
        return None
    supported = _support(a, b)
    best: Match | None = None
    for x in names_a:
        for y in names_b:
            if _guarded(x, y) or not x.tokens or not y.tokens:
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
    mine = [name for name in _names(entity) if name.tokens]
    scored: list[tuple[float, int, Entity]] = []
    for at, other in enumerate(known):
        score = max((_alike(x, y) for x in mine for y in _names(other)), default=0.0)
        if score >= 0.25:
            scored.append((-score, at, other))
    return [other for _, _, other in sorted(scored, key=lambda item: item[:2])[:limit]]


def _names(entity: Entity) -> list[_Name]:
    return [_parse(name) for name in (entity.name, *entity.aliases[:20])]


def _guarded(x: _Name, y: _Name) -> bool:
    """Tell whether something in two names says that they are not the same."""
    if x.suffix != y.suffix:
        return True
    gender_x, gender_y = _TITLES.get(x.title, ""), _TITLES.get(y.title, "")
    if gender_x and gender_y and gender_x != gender_y:
        return True
    if x.place and y.place and x.place != y.place and not (set(x.place) <= set(y.place) or set(y.place) <= set(x.place)):
        return True
    if _acronym(x, y):
        return False
    digits_x, digits_y = _identifiers(x), _identifiers(y)
    return digits_x != digits_y or (set(x.tokens) ^ set(y.tokens)) & _OPPOSED != set()


def _identifiers(name: _Name) -> list[str]:
    """Return the words of a name that are numbers or single letters: "PR 260", "Platform B", "A320"."""
    last = name.tokens[-1:] if len(name.tokens) > 1 and len(name.tokens[-1]) == 1 else ()
    return [word for word in name.tokens if any(char.isdigit() for char in word)] + list(last)


def _compare(x: _Name, y: _Name, kind: str, supported: bool) -> Match | None:
    """Apply the rules, the surest first."""
    pair = f"`{x.key}` and `{y.key}`"
    if x.key == y.key:
        if x.place != y.place and not supported and not (x.place and y.place):
            return None  # "Paris" and "Paris, Texas"
        return Match(1.0, f"the same name: {pair}")
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
        if len(bare_x) > 1 and sorted(bare_x) == sorted(bare_y):
            return Match(0.96, f"the same words: {pair}")
        if bare_x and bare_y and _unclassed(bare_x) == _unclassed(bare_y):
            return Match(0.92, f"the same but for what it is: {pair}")
        letters = _acronym(x, y)
        if letters >= 3 or (letters == 2 and supported):
            return Match(0.93 if letters >= 3 else 0.9, f"an acronym: {pair}")
        short, long = sorted((bare_x, bare_y), key=len)
        if supported and short and len(short) < len(long) and long[: len(short)] == short and len(short[0]) > 3:
            return Match(0.88, f"a shorter form, with the same context: {pair}")
    if _typo(x.key, y.key, strict=kind == "pet"):
        return Match(0.86, f"a slip of the pen: {pair}")
    return None


def _persons(x: _Name, y: _Name, supported: bool, pair: str) -> Match | None:
    """Compare the names of people."""
    short, long = sorted((x.tokens, y.tokens), key=len)
    if len(short) > 1 and len(long) > 1:
        if short[-1] == long[-1]:
            return _full(short, long, supported, pair)
        if len(short) == len(long) and short[:-1] == long[:-1] and _typo(short[-1], long[-1], strict=True):
            return Match(0.87, f"a slip of the pen: {pair}")
        return None
    if len(short) == 1 and len(long) == 1:
        if related(short[0], long[0]) and supported:
            return Match(0.9, f"a nickname, with the same context: {pair}")
        return Match(0.85, f"a slip of the pen: {pair}") if _typo(short[0], long[0], strict=True) else None
    if supported and (short[0] == long[0] or related(short[0], long[0])):
        return Match(0.9, f"the first name, with the same context: {pair}")
    titled = bool(x.title if len(x.tokens) == 1 else y.title)
    if supported and titled and short[0] == long[-1]:
        return Match(0.88, f"the surname, with the same context: {pair}")
    return None


def _full(short: tuple[str, ...], long: tuple[str, ...], supported: bool, pair: str) -> Match | None:
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
    return Match(0.87, f"a slip of the pen: {pair}") if _typo(first, other, strict=True) else None


def _bare(name: _Name) -> tuple[str, ...]:
    return tuple(word for word in name.tokens if word not in _SMALL)


def _unclassed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words without those that say what it is, all of them if no other is left."""
    return tuple(word for word in words if word not in _CLASSES) or words


def _acronym(x: _Name, y: _Name) -> int:
    """Return how many letters an acronym has that stands for the other name, 0 if neither does."""
    short, long = sorted((x.tokens, y.tokens), key=len)
    if len(short) != 1 or len(long) < 2 or short[0].isdigit():
        return 0
    initials = ("".join(w[0] for w in long), "".join(w[0] for w in long if w not in _SMALL))
    return len(short[0]) if short[0] in initials else 0


def _typo(a: str, b: str, *, strict: bool) -> bool:
    """Tell whether two spellings differ by one slip.

    Args:
        a: One.
        b: The other.
        strict: Only two letters swapped or one doubled: "Kristin" and "Kristen" are two people.
    """
    if a[:1] != b[:1] or min(len(a), len(b)) < (5 if strict else 7):
        return False
    if len(a) == len(b):
        differ = [at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and a[differ[0]] == b[differ[1]]
        swapped = swapped and a[differ[1]] == b[differ[0]]
        return swapped or (not strict and len(differ) == 1 and " " not in (a[differ[0]], b[differ[0]]))
    short, long = sorted((a, b), key=len)
    if len(long) - len(short) != 1:
        return False
    at = next((i for i, char in enumerate(short) if char != long[i]), len(short))
    if short[at:] != long[at + 1 :] or long[at] == " ":
        return False
    doubled = long[at] == long[at - 1]
    return doubled or (not strict and long[at] != "s")


def _words(context: str) -> frozenset[str]:
    folded = unicodedata.normalize("NFKD", context[:1_000]).casefold()
    return frozenset(_WORD.findall("".join(char for char in folded if not unicodedata.combining(char))))


def _support(a: Entity, b: Entity) -> bool:
    """Tell whether what was said of two entities agrees in a word, or of one names what the other's name adds."""
    words_a, words_b = _words(a.context), _words(b.context)
    tokens_a = {word for name in _names(a) for word in name.tokens}
    tokens_b = {word for name in _names(b) for word in name.tokens}
    if (words_a & words_b) - _COMMON - tokens_a - tokens_b:
        return True
    added = (tokens_b - tokens_a) - _COMMON
    lost = (tokens_a - tokens_b) - _COMMON
    return bool(added & words_a or lost & words_b)


def _conflict(a: str, b: str) -> bool:
    """Tell whether two contexts give two roles: a sister and a dentist of one name are two people."""
    words_a, words_b = _words(a), _words(b)
    roles_a, roles_b = words_a & _ROLES, words_b & _ROLES
    return bool(roles_a and roles_b and not roles_a & roles_b)


def _another(entity: Entity) -> bool:
    """Tell whether the context says that this is a namesake: "another Jamie", "a different Anna"."""
    first = re.escape(entity.name[:_LONGEST].strip())
    pattern = rf"\b(?:another|a different|a second|not (?:my|our|the|your) \w* ?|the other|no relation to) ?{first}\b"
    return re.search(pattern, entity.context[:1_000], re.IGNORECASE) is not None or "namesake" in entity.context


def _trigrams(text: str) -> frozenset[str]:
    padded = f"  {text} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def _alike(x: _Name, y: _Name) -> float:
    """Return how alike two names look: shared trigrams, or one where a rule may hold without any."""
    if not x.tokens or not y.tokens:
        return 0.0
    if x.key == y.key or _acronym(x, y):
        return 1.0
    if set(x.tokens) & set(y.tokens) - _SMALL or related(x.tokens[0], y.tokens[0]):
        return 0.8
    a, b = _trigrams(x.key), _trigrams(y.key)
    return len(a & b) / len(a | b)
