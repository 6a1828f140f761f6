"""Names taken apart and folded, so that they can be compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from memgraph.writing.remembered import of_facts

TITLES: Final = {
    **{"mr": "m", "mister": "m", "sir": "m", "lord": "m", "herr": "m", "father": "m", "brother": "m", "uncle": "m"},
    **{"mrs": "f", "ms": "f", "miss": "f", "madam": "f", "lady": "f", "dame": "f", "frau": "f", "aunt": "f"},
    **{"auntie": "f", "sister": "f", "dr": "", "doctor": "", "prof": "", "professor": "", "captain": "", "capt": ""},
    **{"senor": "m", "sr": "m", "senora": "f", "sra": "f", "senorita": "f", "srta": "f", "monsieur": "m"},
    **{"madame": "f", "mme": "f", "mademoiselle": "f", "mlle": "f", "signor": "m", "signora": "f", "fraulein": "f"},
    **{"judge": "", "rev": "", "reverend": "", "grandma": "f", "granny": "f", "grandpa": "m", "coach": ""},
}
_SUFFIXES: Final = {
    **{
        "jr": "jr",
        "junior": "jr",
        "sr": "sr",
        "senior": "sr",
        "ii": "2",
        "iii": "3",
        "iv": "4",
        "2nd": "2",
        "3rd": "3",
    },
    **{"younger": "jr", "elder": "sr"},
}
_FORMS: Final = frozenset(
    "ltd limited inc incorporated gmbh ag plc llc llp corp corporation co company bv nv sa srl ab oy as pty".split()
)
_SHORT: Final = {
    **{"st": "saint", "ste": "saint", "mt": "mount", "ft": "fort", "univ": "university", "uni": "university"},
    **{"dept": "department", "intl": "international", "natl": "national", "bros": "brothers", "rd": "road"},
    **{"ave": "avenue", "gov": "government", "govt": "government", "assoc": "association", "inst": "institute"},
    **{
        "centre": "center",
        "theatre": "theater",
        "harbour": "harbor",
        "colour": "color",
        "organisation": "organization",
    },
    **{"no": "number", "hosp": "hospital", "lab": "laboratory", "labs": "laboratory", "laboratories": "laboratory"},
    **{"jan": "january", "feb": "february", "aug": "august", "sept": "september", "oct": "october", "nov": "november"},
    **{"dec": "december", "xmas": "christmas", "prefs": "preferences", "conf": "conference", "tech": "technology"},
}
"""Abbreviations and spellings that stand for one word."""
_NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
_ROMAN: Final = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
SMALL: Final = frozenset("the a an of and for de la le du des der die das von van in at on to".split())
_POSSESSIVE: Final = re.compile(r"['\u2019\u02bc]s\b|(?<=s)['\u2019](?=\s|$)")
_DOTTED: Final = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?|\b[a-z]\.(?=[a-z]\b)")
_APART: Final = re.compile(r"[^\w\s]|_")
_PLACE: Final = re.compile(r"\s*[(\[]([^)\]]*)[)\]]\s*$|,\s*([^,]+)$")
_FOLD: Final = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_UMLAUT: Final = re.compile("([aouAOU])\u0308")
WORD: Final = re.compile(r"\w+")
LONGEST: Final = 200
"""Characters of a name that are read."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart.

    Attributes:
        tokens: Its words, folded, without title, suffix and legal form.
        title: "mr", "mrs", ... or "".
        suffix: "jr", "sr", "2", ... or "".
        place: What stands after a comma or in brackets: "Perth, Scotland".
        spelled: Its words where umlauts are spelled with an e, as in "Mueller"; "" without any.
    """

    tokens: tuple[str, ...]
    title: str
    suffix: str
    place: tuple[str, ...]
    spelled: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return " ".join(self.tokens)


def normalise(name: str) -> str:
    """Return a name as it is compared: folded, without possessive, title, legal form and punctuation.

    Args:
        name: Any text; beyond 200 characters it is cut.
    """
    return parse(name).key


@of_facts
def parse(name: str) -> Name:
    """Take a name apart."""
    text = _folded(name[:LONGEST])
    place: tuple[str, ...] = ()
    suffix = ""
    found = _PLACE.search(text)
    if found:
        after = tuple(WORD.findall(found[1] or found[2] or ""))
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
    while len(words) > 1 and words[0] in TITLES:
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
    decomposed = "" if name.isascii() else unicodedata.normalize("NFD", name[:LONGEST])
    spelled = parse(_UMLAUT.sub(r"\1e", decomposed)).key if _UMLAUT.search(decomposed) else ""
    return Name(kept, title, suffix, place, spelled)


def folded(text: str) -> str:
    """Return the beginning of a text without case and diacritics."""
    return _folded(text[:1_000])


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_FOLD)
    return "".join(char for char in plain if not unicodedata.combining(char))


def identifiers(name: Name) -> list[str]:
    """Return the words of a name that are numbers or single letters: "PR 260", "Platform B", "A320"."""
    last = name.tokens[-1:] if len(name.tokens) > 1 and len(name.tokens[-1]) == 1 else ()
    return [word for word in name.tokens if any(char.isdigit() for char in word)] + list(last)


def acronym(x: Name, y: Name) -> int:
    """Return how many letters an acronym has that stands for the other name, 0 if neither does."""
    short, long = sorted((x.tokens, y.tokens), key=len)
    if len(short) != 1 or len(long) < 2 or short[0].isdigit():
        return 0
    initials = ("".join(w[0] for w in long), "".join(w[0] for w in long if w not in SMALL))
    return len(short[0]) if short[0] in initials else 0


def slip(a: str, b: str, *, strict: bool) -> bool:
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
