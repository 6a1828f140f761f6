"""What a question asks for, read by rules, without a model.

Encoders and word indexes match what a text is *about*; how a question is put ("please tell me, in our conversations,
when ...") and whom it names are noise to them. So the frame is taken off, names become a signal of their own, and times
become windows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from memgraph.projections.tokenizer import tokenize
from memgraph.ranking.times import Window, windows
from memgraph.writing.patterns import any_of, compiled, lowered

_LOOK: Final = 4_000
"""Characters of a question that are read: one that long is a pasted document, and its beginning says what it is."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question, analysed.

    Attributes:
        text: As it was asked.
        content: What it is about: to be embedded. Empty only if the text is blank.
        terms: Index terms of the content, for BM25; repeated as they stand.
        named: Indices into `speakers` of those who are named. Empty if nobody is, or everybody.
        windows: Spans of time that are named.
        wants_when: Asks when something was.
        wants_assistant: Asks for a summary or for what the assistant said.
        wants_action: Asks for something to be done now, for which standing wishes matter, not for what was said.
        of_the_past: Asks how something was, or when it was.
    """

    text: str
    content: str
    terms: tuple[str, ...]
    named: tuple[int, ...] = ()
    windows: tuple[Window, ...] = ()
    wants_when: bool = False
    wants_assistant: bool = False
    wants_action: bool = False
    of_the_past: bool = False


_TALK: Final = any_of("conversations? chats? discussions? sessions? talks? exchanges? messages?")
_SAY: Final = any_of("say said mention(?:ed)? tell_you told_you talk(?:ed)?_about discuss(?:ed)?")
_ABOUT: Final = r"(?: (?:of|about|again))?"
_FRAMES: Final = tuple(
    compiled(pattern)
    for pattern in (
        rf"^\W*(?:{any_of('hi hey hello ok okay so well please and also')}\b[\s,!.]*)+",
        rf"\b{any_of('can could would will')} you (?:please |kindly )?(?:also )?"
        rf"{any_of('tell remind show give help')}(?: me| us)?{_ABOUT}\b",
        rf"\b(?:please )?(?:tell|remind) (?:me|us){_ABOUT}\b",
        rf"\b{any_of('do can could would')} you (?:happen to )?(?:remember|recall|know)\b(?: (?:if|whether|that))?",
        r"\b(?:i was|i am|i'm|just) (?:wondering|curious|trying to (?:remember|recall))\b(?: (?:if|whether|about))?",
        r"\bi(?:'d| would) (?:like|love) to know\b",
        rf"\b{any_of('based_on according_to given from in during across throughout over')}(?: all)?(?: of)?"
        rf" {any_of('our the my their these those')}"
        rf"(?: {any_of('previous past earlier prior last recent various entire')})* {_TALK}\b",
        rf"\bas (?:i|we|you) {_SAY}(?: {any_of('before earlier previously')})?\b",
        rf"\b(?:did|have|had) (?:i|we) (?:ever )?{_SAY}(?: {any_of('that to_you with_you about')})?\b",
        r"\b(?:that |which )?(?:i|we) (?:have |had |'ve )?"
        rf"{any_of('mentioned told_you talked_about discussed brought_up')}(?: (?:to|with) you)?\b",
        rf"\b{any_of('list name give provide walk_me_through tell_me')}(?: me)?(?: {any_of('all each every the')})*"
        r" (?:order|sequence) (?:in which|of|that)\b",
        rf"\bin (?:the )?(?:{any_of('correct right chronological exact')} )?order\b(?: in which| of| that)?",
        r"\b(?:mention|list|include)(?: only)?(?: and only)? (?:\w+ )?items?\b",
        r"\bplease\b",
        r"\bhow many (?:different |distinct |total )?(?:times (?:has|have|did|does|do)\b)?",
        r"^\W*(?:list|name)\b(?: (?:all|the|of))*",
        r"\b(?:thanks|thank you)(?: (?:so much|in advance|very much))?[.!]*\s*$",
    )
)
"""What only says that something is asked, taken off in this order. Each asks of itself nothing about any subject."""


def _asks(*alternatives: str) -> re.Pattern[str]:
    """Compile what a question may ask for, to be looked for in `lowered` text."""
    return re.compile("|".join(alternatives))


_FRAMED: Final = _asks(*(frame.pattern for frame in _FRAMES))
"""Most questions have no frame, and one look for any takes a third of a look for each."""

_WHEN: Final = _asks(
    r"^\W*(?:so |and )?when\b",
    rf"[,;] when {any_of('did was were is will does do has have')}\b",
    rf"\b(?:what|which) {any_of('date day month year week season time')}\b",
    r"\bhow long ago\b|\bsince when\b",
    rf"\b{any_of('remember recall know tell_me remind_me')} when\b",
)
_BOT: Final = any_of("you the_assistant the_ai the_bot the_chatbot the_model")
_ASSISTANT: Final = _asks(
    rf"\b{any_of('summary summari[sz]e summaries summari[sz]ing recap overview sum_up')}\b",
    rf"\b{any_of('did had have were was could')} {_BOT}\b(?: \w+){{0,2}} "
    rf"{any_of('say said tell told give gave given write wrote written reply replied come_up_with')}\b",
    rf"\b{any_of('did had have were was could')} {_BOT}\b(?: \w+){{0,2}} "
    rf"{any_of('suggest recommend mention propos explain advis list provid describ answer offer')}\w*",
    rf"\b{_BOT} (?:{any_of('just also once previously earlier had have already')} )*"
    rf"{any_of('said told gave wrote listed suggested recommended mentioned proposed explained advised provided')}\b",
    rf"\b{_BOT} (?:{any_of('just also once previously earlier had have already')} )*"
    rf"{any_of('described answered offered outlined shared came_up_with')}\b",
    r"\byour (?:\w+ )?"
    rf"{any_of('suggestions? advice recommendations? answers? repl(?:y|ies) responses? explanations? list plan')}\b",
    rf"\byour (?:\w+ )?{any_of('proposal instructions summary words')}\b",
)
_RECALL: Final = _asks(
    rf"^\W*{any_of('when who whom whose where which why did was were has have had is are does do')}\b",
    rf"^\W*what(?:'s|\u2019s)? {any_of('did was were is are has have had does do my the')}\b"
    r"(?! (?:you think|i do|the best way))",
    rf"^\W*how {any_of('many much long often old did was were has have')}\b",
    rf"\b{any_of('remind_me remember recall did_i have_i had_i was_i were_we did_we')}\b",
    r"\b(?:what )?i (?:said|told you|mentioned)\b",
    r"\bour (?:previous|past|earlier|last) \w+",
)
_PAST: Final = _asks(
    rf"\b{any_of('did was were had used_to before previous previously earlier former formerly once originally')}\b",
    rf"\b{any_of('ago ever until till back_then at_first at_the_time no_longer anymore any_more not_any history')}\b",
    rf"\b{any_of('has have')} (?:\w+ ){{1,3}}(?:been|\w+ed)\b|\b(?:first|last|past) \w+",
)
_ACTION: Final = _asks(
    # Said once for all of these, a word's beginning costs a fifth of what it does in each of them.
    r"\b(?:"
    rf"{any_of('can could would will')} you\b"
    rf"|how {any_of('do should can could would might')} (?:i|we|you|one)\b|how to\b"
    rf"|what {any_of('should can could would')} (?:i|we|you)\b"
    rf"|any {any_of('ideas tips advice suggestions recommendations')}\b"
    rf"|{any_of('help show give find get make send teach walk let')} (?:me|us|my)\b|let['\u2019]s\b"
    r"|i(?:['\u2019]m| am| was) "
    rf"{any_of('looking planning trying hoping thinking working about_to going_to considering')}\b"
    r"|i(?:['\u2019]d| would) (?:like|love)\b|i (?:need|want|have to)\b|please\b)",
    r"^\W*(?:help|make|get|find|show)\b",
    r"(?:^|[.!?,;:]\s*)(?:then |now |also )?(?:"
    rf"{any_of('write draft recommend suggest plan explain describe generate create implement design')}\b"
    rf"|{any_of('translate compare book order schedule convert calculate compute outline propose fix')}\b"
    rf"|{any_of('refactor prepare organi[sz]e build add update review edit rewrite improve compose')}\b"
    rf"|{any_of('cook pick choose')}\b)",
)
_WORD: Final = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*")
_SPACE: Final = re.compile(r"\s+")
_ORPHANS: Final = re.compile(r"\s+([?.!,;:])")
_AMBIGUOUS: Final = frozenset(
    (
        "will may mark bill art rose grace hope joy faith dawn april june august summer autumn sky frank grant max pat "
        "rob sue drew jack rich chase hunter page penny ruby sandy star"
    ).split()
)
"""Names that are words too: they name somebody only when they are written as a name."""
_ROLES: Final = frozenset({"user", "assistant", "human", "ai", "system", "tool", "document", "bot", ""})


def analyse(text: str, *, speakers: Sequence[str], now_us: int) -> Query:
    """Read a question.

    Args:
        text: The question, as it was asked.
        speakers: Names of those who speak in the memory that is searched; roles among them ("user") name nobody.
        now_us: Now, microseconds UTC.

    Returns:
        The analysed question. Never raises for any text.
    """
    look = text[:_LOOK]
    named, spans = _named(look, speakers)
    content = _strip(look, spans)
    terms = tokenize(content) or tokenize(_strip(look, spans, frames=False)) or tokenize(look)
    small = lowered(look)
    recalls = _RECALL.search(small) is not None
    when = _WHEN.search(small) is not None
    return Query(
        text=text,
        content=content,
        terms=tuple(terms),
        named=named,
        windows=windows(look, now_us),
        wants_when=when,
        wants_assistant=_ASSISTANT.search(small) is not None,
        wants_action=not recalls and _ACTION.search(small) is not None,
        of_the_past=when or _PAST.search(small) is not None,
    )


def _strip(text: str, names: Sequence[tuple[int, int]], *, frames: bool = True) -> str:
    """Take names and asking frame off; what would leave no word is not done."""
    kept = text
    for start, end in reversed(names):
        kept = kept[:start] + " " + kept[end:]
    kept = _tidy(kept)
    if not _WORD.search(kept):
        kept = _tidy(text)
    if frames and _FRAMED.search(lowered(kept)):
        for frame in _FRAMES:
            shorter = frame.sub(" ", kept)
            if shorter != kept and tokenize(shorter):
                kept = _tidy(shorter)
    return kept or text.strip()


def _tidy(text: str) -> str:
    return _ORPHANS.sub(r"\1", _SPACE.sub(" ", text)).strip(" ,;:")


def _named(text: str, speakers: Sequence[str]) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """Find who is named, and where.

    A speaker is named by the whole name or by one of its words. Where everybody is named, nobody is singled out, but
    the names are taken off all the same.
    """
    names = _names(tuple(speakers))
    uncased = text.replace("I", "i") == text.lower()
    spans: list[tuple[int, int]] = []
    found: set[int] = set()
    for match in _WORD.finditer(text):
        word, end = match.group(), match.end()
        if word.endswith(("'s", "\u2019s")):
            word = word[:-2]
        who = names.get(word.casefold())
        if who is None:
            continue
        if word[0].islower() and (not uncased or word in _AMBIGUOUS) and word not in speakers:
            continue
        if word.casefold() in _AMBIGUOUS and match.start() == 0 and not match.group().endswith("s"):
            continue  # "Will she come?" names nobody
        found.update(who)
        spans.append((match.start(), end))
    people = sum(1 for name in speakers if name.casefold() not in _ROLES)
    named = tuple(sorted(found)) if len(found) < people or (len(found) == 1 and len(speakers) > 1) else ()
    return named, spans


@lru_cache(maxsize=128)
def _names(speakers: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Map each word of each name, case folded, to the speakers whose name has it."""
    found: dict[str, list[int]] = {}
    for index, name in enumerate(speakers):
        if name.casefold() in _ROLES:
            continue
        for word in {part.casefold() for part in _WORD.findall(name)}:
            if len(word) > 1:
                found.setdefault(word, []).append(index)
    return {word: tuple(indices) for word, indices in found.items()}
