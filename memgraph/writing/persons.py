"""Of whom a clause speaks: of the fact's subject, or of somebody else.

"I" is the turn's speaker. Whoever is named, or is a cousin, a neighbour, a boss, is somebody else, even after "my".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from memgraph.writing.clauses import Clause, key
from memgraph.writing.patterns import any_of
from memgraph.writing.remembered import of_turns

Who = Literal["subject", "other", "unknown"]
"""Of whom: of the fact's subject, of another person, or of a thing, which leaves it open."""

PERSON: Final = (
    any_of(
        "cousin sister brother mother father mum mummy mom dad daddy aunt auntie uncle niece nephew son daughter"
        " child kid kids"
        " baby wife husband partner girlfriend boyfriend fianc\u00e9e? fiancee? friend mate buddy pal neighbour"
        " neighbor colleague"
        " co-?worker workmate boss manager supervisor teacher tutor professor doctor dentist therapist nurse landlord"
        " landlady"
        " room-?mate flat-?mate house-?mate lodger tenant grandma granny gran nan grandmother grandad grandpa"
        " grandfather"
        " parent twin sibling in-laws? client customer ex guy bloke woman man girl boy lad student pupil couple team"
        " crew family"
        " folks godmother godfather stepmother stepfather stepson stepdaughter half-brother half-sister mother-in-law"
        " father-in-law sister-in-law brother-in-law son-in-law daughter-in-law lawyer plumber builder postman"
        " hairdresser"
        " trainer coach captain vet priest vicar office company firm department band school nursery"
    )
    + "s?"
)
_OWN: Final = any_of(
    "name address email mail number phone mobile home place flat house apartment job title role position employer"
    " workplace diet"
    " birthday age degree course major school university college religion faith passport nationality citizenship"
    " husband wife"
    " partner girlfriend boyfriend inbox surname status country city town village company firm room pronouns language"
)
_ADVERB: Final = (
    r"(?:(?:just|finally|also|now|recently|has|have|had|already|really|actually|apparently|never|always|only|both"
    r"|all|still|no\s+longer|rarely|usually|often)\s+)*"
)
_VERB: Final = (
    rf"(?:(?:{any_of('has have had is was are were does doesn did do isn')}"
    rf"|(?:{any_of('hasn wasn got went became left')}|{any_of('quit sold gave took bought made')}))"
    rf"|(?:{any_of('lives works loves hates likes enjoys runs plays studies')}"
    rf"|{any_of('teaches says said thinks owns keeps smokes drinks eats')})"
    rf"|(?:{any_of('needs wants goes does died found broke drove ran swam')}"
    rf"|{any_of('met won lost told can could will would might never just')})"
    rf"|(?:{any_of('live work own love hate like keep play run drive')}"
    rf"|{any_of('eat drink smoke think say move study teach go rent bring')})"
    r"|\w{2,}ed|'s|'ll|'d|n't)\b"
)
_NAME: Final = r"(?-i:[A-Z\u00c0-\u00de][\w'-]*[\w](?:\s+[A-Z\u00c0-\u00de][\w-]+){0,2})"
_MENTION: Final = re.compile(
    r"(?P<first>\b(?:i|we)\b|\b(?:s?he|they) (?:said yes|proposed)\b|\b(?:made|named|appointed|promoted|hired|gave"
    r"|transferred|elected|calls?|called|put|took|taken|signed|bumped"
    r"|poached|recruited|crowned|let|has|have|got|reach|call|text|ring|write|email|mail|find|contact) (?:to )?(?:me"
    r"|us)\b|\byou(?:'re| are) (?:now |currently )?(?:looking at|talking to|speaking to|reading)\b"
    r"|\b(?:meet|say hello to|behold|introducing|greetings from|hello from|hi from) (?:the|your|our|a)?\b)"
    rf"|(?P<own>\b(?:my|our)\s+(?:(?!{PERSON}\b)[\w-]+\s+){{0,2}}?(?!{PERSON}\s+[A-Z]){_OWN}\b(?=\s*(?:'s|is|was|has"
    rf"|will|:|=|changed|,|are)\b|'s|:))"
    rf"|(?P<person>(?<!with )(?<!from )(?<!at )(?<!near )(?<!to )(?<!for )(?<!by )(?<!of )"
    rf"\b(?:my|our|his|her|their|your|the|a|an|some|another|this|that|{_NAME}'s|no)\s+(?:[\w-]+\s+){{0,2}}?{PERSON}\b"
    rf"(?=(?:\s+{_NAME})?(?:,|\s+(?:in|of|from|over|next|at|and)\b|\s*{_ADVERB}{_VERB}|\s+\w+ly\b|'s))"
    r")"
    r"|(?P<kin>\b(?-i:Mum|Mom|Dad|Mummy|Daddy|Grandma|Granny|Gran|Nan|Grandpa|Grandad)\b)"
    r"|(?P<pronoun>\b(?:he|she|they)\b)"
    rf"|(?P<named>\b{_NAME}\b(?='s\s+\w|\s*{_ADVERB}{_VERB}))"
    r"|(?P<you>\b(?:you|who|everyone|everybody|someone|somebody|people|nobody|one of (?:my|our|the|us))\b|\b(?:his"
    r"|her|their|your)\s+\w+\s+(?:is|was|has)\b)",
    re.IGNORECASE,
)
_FOREIGN: Final = re.compile(
    r"^\W*(?:and |but |so |well |now |then |also |plus )*(?:the|a|an|his|her|their|your|this|that|these|those|some"
    r"|every|each|my|our)"
    rf"\s+(?!(?:[\w-]+\s+){{0,2}}?{_OWN}\b)",
    re.IGNORECASE,
)
_SERVES: Final = re.compile(
    r"(?:\bis|'s|\bhas been|\bfeels like|\bbecame|\bis now) (?:now |finally |officially )?(?:home|my|our|where (?:i"
    r"|we))\b"
    r"|\b(?:took|taken|hired|employs?|pays|poached|snapped|made|recruited|bought) (?:me|us)\b",
    re.IGNORECASE,
)
_OF_A_THING: Final = re.compile(
    rf"'s\s+(?!{_VERB}|gone\b|been\b|left\b|now\b|in\b|at\b|an?\b|the\b|not\b|{PERSON}\b)", re.IGNORECASE
)
_MINE: Final = re.compile(r"\b(?:i|we|me|us|my|our|mine|ours)\b", re.IGNORECASE)
NOT_NAMES: Final = frozenset(
    """
    my our his her their in at on for with from to of by as he she they i i'm i've i'd i'll we we're we've it it's that
    that's this there what who when where how why the a an and but so or if yes no not oh ok okay well now then today
    yesterday finally everything nothing something life work home things news update confession sorry since after
    before because although though still just also even only both all some most many monday tuesday wednesday thursday
    friday saturday sunday january february march april may june july august september october november december
    christmas easter big good bad great funny sad day week month year
    """.split()
)
"""Words that have a capital where they begin a sentence."""
_OPENING: Final = re.compile(
    rf"^\W*(?P<who>(?!(?-i:\w+(?:ed|ing)\b)){_NAME})\b.*\s(?:has|is|was|lives|works|\w{{2,}}ed|went|got)\b",
    re.IGNORECASE,
)
_CAPITALS: Final = re.compile(_NAME)
_WINDOW: Final = 300


def same(one: str, other: str) -> bool:
    """Tell whether two names are the same name. A part of a name is another name."""
    if one == other and one.isalnum():
        return True  # as nearly always
    return (found := key(one)) != "" and (one == other or found == key(other))


# Every fact of a subject is held against the same few clauses.
@of_turns
def speaks_of(subject: str, speaker: str, plain: str, clause: Clause, upto: int, value_at: int | None = None) -> Who:
    """Tell of whom a clause speaks, up to a place in it.

    Args:
        subject: Of whom the fact is.
        speaker: Who says the turn.
        plain: The turn without quotes.
        clause: The clause.
        upto: Where in the turn the words stand whose subject is asked for.
        value_at: Where a value begins whose own name is nobody who acts: "St Mary's Hospital took me on".
    """
    told = same(subject, speaker)
    prefix = plain[clause.start : upto]
    value_in = None if value_at is None else value_at - clause.start
    found = _last(clause.text, upto - clause.start, value_in)
    if found is None and value_in is not None:
        found = next(_mentions(clause.text, value_in), None)  # "In Ghent my cousin lives"
    if found is None:
        if _FOREIGN.match(prefix) and not _MINE.search(clause.before + clause.text + clause.after):
            return "unknown"
        if (
            (opening := _OPENING.match(prefix if value_at is None or _SERVES.search(clause.text) else clause.text))
            and not _named(opening["who"], subject)
            and key(opening["who"]).split()[0] not in NOT_NAMES
        ):
            return "other"
        begin = max(0, clause.start - _WINDOW)
        found = _last(plain[begin : clause.start], clause.start - begin)
        if found is None:
            return "subject" if told else "unknown"
        begin_of = begin
    else:
        begin_of = clause.start
    kind, name = found.lastgroup, found.group()
    if kind in ("first", "own"):
        return "subject" if told else "other"
    if kind == "named":
        return "subject" if _named(name, subject) else "other"
    if kind == "person" and not told:
        after = _CAPITALS.match(plain[begin_of + found.end() :].lstrip())
        if after:
            return "subject" if _named(after.group(), subject) else "other"
    if kind in ("person", "kin") and not told and key(subject).split()[-1:] == key(name).split()[-1:]:
        return "subject"
    if kind == "pronoun" and not told:
        return "subject" if _antecedent(plain[: begin_of + found.start()], subject) else "other"
    return "other"


def named_in(text: str, subject: str) -> bool:
    """Tell whether a text names the subject."""
    return any(_named(found.group(), subject) for found in _CAPITALS.finditer(text))


def _last(text: str, upto: int, value_at: int | None = None) -> re.Match[str] | None:
    """Return the last mention of anybody in a text that is over at a place in it."""
    last: re.Match[str] | None = None
    for found in _mentions(text, value_at):
        if found.end() > upto:
            break
        last = found
    return last


def _mentions(text: str, value_at: int | None = None) -> Iterator[re.Match[str]]:
    """Yield every mention of anybody in a text, but not a value's own name that stands there as a thing."""
    serves = value_at is not None and _SERVES.search(text) is not None
    for found in _MENTION.finditer(text):
        if found.lastgroup == "named":
            if key(found.group().split("'")[0]) in NOT_NAMES:
                continue
            if value_at is not None and found.end() > value_at and (serves or _OF_A_THING.match(text, found.end())):
                continue
        yield found


def _named(name: str, subject: str) -> bool:
    """Tell whether a run of capitals is the subject: its name whole, or the first part of it alone."""
    words, whole = key(name.removesuffix("'s")).split(), key(subject).split()
    while words and words[0] in NOT_NAMES:
        words = words[1:]
    return bool(words) and (words == whole or words == whole[:1])


def _antecedent(text: str, subject: str) -> bool:
    """Tell whether the last name before "he" or "she" is the subject."""
    names = [found.group() for found in _CAPITALS.finditer(text[-_WINDOW:])]
    names = [name for name in names if any(word not in NOT_NAMES for word in key(name).split())]
    return bool(names) and _named(names[-1], subject)
