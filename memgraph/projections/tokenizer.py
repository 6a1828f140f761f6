"""The one tokenizer: documents and queries pass through the same function, so a word always meets itself.

Only index text is normalised here; stored text stays as it was said. What is done, in order: compatibility
decomposition and case folding, accents and vowel points off ("Zürich" meets "zurich"), words and numbers out,
English stop words dropped, English endings cut. Scripts written without spaces give single characters and
pairs, so that one character of Chinese finds a sentence and two find a better one. An emoji is a word.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache
from typing import Final

import Stemmer

RECIPE: Final = 1
"""Version of this recipe; postings made with another one have to be built again."""

LONGEST: Final = 64
"""Characters kept of one word: an encoded file pasted into a chat costs one short key, and still finds itself."""

STOP_WORDS: Final = frozenset(
    """
    a about am an and are as at be been being but by can could did do does doing for from had has have having he her
    hers him his how i if in into is it its itself just me my myself of on or our ours she should so such than that
    the their theirs them then there these they this those to too us was we were what when where which while who whom
    whose why will with would you your yours yourself
    arent cant couldnt didnt doesnt dont hadnt hasnt havent hed hes id ill im isnt itll ive lets shes shouldnt thats
    theres theyd theyll theyre theyve wasnt wed weve werent whats wont wouldnt youd youll youre youve
    """.split()
)
"""Words that carry no subject. Negations ("not", "no", "never") are kept: they tell two statements apart."""

_ACCENTS: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670]+"
)
UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3"  # Thai, Lao, Burmese, Khmer
    "\u3041-\u3096\u3099\u309a\u30a1-\u30fa\u30fc"  # Japanese syllables
    "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "\uac00-\ud7a3"  # Korean, which has spaces, but whose words carry their endings with them
)
"""Ranges of characters, as in a regular expression, of scripts in which a run of letters is no word."""

_EMOJI: Final = "\u2600-\u27bf\U0001f000-\U0001faff"
_LETTER: Final = f"(?:[^\\W_{UNSPACED}{_EMOJI}]|[\u0900-\u0963\u0966-\u0dff\u0f18-\u0fbc])"
_TOKEN: Final = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)+)(?![^\W_])"
    f"|(?P<unspaced>[{UNSPACED}]+)"
    f"|(?P<emoji>[{_EMOJI}])"
    f"|(?P<word>{_LETTER}+(?:['\u2019\u02bc]{_LETTER}+)*)"
)
_ASCII_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)+(?![^\W_])|[^\W_]+(?:'[^\W_]+)*")
_APOSTROPHES: Final = re.compile("['\u2019\u02bc]")
_MANY_MARKS: Final = re.compile(r"([^\w\s\x00-\x7f]{32})")
"""Marks in a row are put in canonical order by an insertion sort: 100 kB of them would take half a minute."""

_local = threading.local()


def tokenize(text: str) -> list[str]:
    """Cut a text into index terms, in the order in which they stand, repetitions kept.

    Never raises and never looks at anything but its argument; one megabyte takes well under a second.

    Args:
        text: Any text: empty, with NUL, lone surrogates, any script.

    Returns:
        Terms of at most `LONGEST` characters, none empty. May be empty for a text of stop words only.
    """
    if text.isascii():
        return [term for found in _ASCII_TOKEN.findall(text.lower()) if (term := _term(found[: LONGEST * 2]))]
    terms: list[str] = []
    for match in _TOKEN.finditer(_normal(text)):
        found = match.group()
        if match.lastgroup == "unspaced":
            terms += _characters(found)
        elif match.lastgroup == "emoji":
            terms.append(found)
        elif term := _term(found[: LONGEST * 2]):
            terms.append(term)
    return terms


def _normal(text: str) -> str:
    """Fold case, compatibility forms and accents; twice, since folding can uncover what decomposes further."""
    text = _MANY_MARKS.sub(r"\1 ", text)
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))


def _characters(run: str) -> list[str]:
    """Give the single characters of a run and its pairs of neighbours."""
    return [*run, *map("".join, zip(run, run[1:], strict=False))]


@lru_cache(maxsize=1 << 16)
def _term(found: str) -> str:
    """Turn one matched word into its term; empty for a stop word."""
    if found[0].isdecimal() and ("," in found or "." in found):
        return found.replace(",", "")[:LONGEST]
    if found.endswith(("'s", "\u2019s", "\u02bcs")):
        found = found[:-2]
    word = _APOSTROPHES.sub("", found)[:LONGEST]
    if word in STOP_WORDS:
        return ""
    return _stemmer().stemWord(word) if word.isascii() else word


def _stemmer() -> Stemmer.Stemmer:
    """Give this thread its own stemmer: one object must not be used by two threads at once."""
    try:
        stemmer: Stemmer.Stemmer = _local.stemmer
    except AttributeError:
        stemmer = _local.stemmer = Stemmer.Stemmer("english", 0)
    return stemmer
