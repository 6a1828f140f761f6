"""Facts out of turns by rules: what is used where there is no model.

It reads plain first-person statements ("I moved to Braga on Monday") and short ones of named others ("My sister
Solveig is a nurse"), and leaves everything else: what it does not say is lost to nobody, since turns are searched too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from memgraph.drafts import FactDraft, Mention, RelationDraft, SaidTurn
from memgraph.writing.attributes import single
from memgraph.writing.clauses import Clause
from memgraph.writing.company import company, introduced
from memgraph.writing.dates import DAY_US, When, spoken, validity, when
from memgraph.writing.lexicon import PARENTS
from memgraph.writing.moods import hedged
from memgraph.writing.partly import limit, partly
from memgraph.writing.rules import PROPER, Rule
from memgraph.writing.rules_happenings import ENDINGS, EVENTS, PLANS, RETRACTIONS
from memgraph.writing.rules_life import LIFE
from memgraph.writing.rules_person import PERSON
from memgraph.writing.statements import LOOK, NAME, Statement, jokes, masked, sentences, statements
from memgraph.writing.voice import personal, possessive, shown, sound, told

UNNAMED: Final = "user"
"""The subject of "I" where the speaker has no name."""

_REACH: Final = 400
"""Characters of a statement that are read."""
_TOGETHER: Final = ({"occupation", "employer"}, {"marital_status", "partner"}, {"occupation", "study"})
"""Attributes that one statement may give at once; of others the first that matches is taken."""
_AT_TIMES: Final = frozenset(("residence", "occupation", "diet", "religion"))
"""Attributes whose value, limited to a part of the time, is a habit: "live in Rome in winter"."""
_COMPANY: Final = frozenset(("pet", "family", "friend", "colleague", "partner"))
_TIMELESS: Final = frozenset(("birthday", "name", "birthplace"))
"""Attributes whose date is the value itself."""
_WITHIN: Final = re.compile(rf"(?<=[a-z,] )({NAME}?)\b")
_CALL_ME: Final = re.compile(
    rf"(?:Please |please |Just |You can |And )*[Cc]all me (?P<o>{NAME}?)(?=\s*(?:[.,;!]|$|from now))"
)
_INSTRUCTION: Final = re.compile(
    r"(?:(?:Please|please|And|So|Also|One more rule|Oh),?:? )*(?:(?:[Ff]rom now on|[Gg]oing forward|[Ii]n (?:the"
    r" )?future),? "
    r"(?!I\b|we\b|it\b)(?:please )?(?P<o>[a-z][^.!?\0]+)"
    r"|(?P<o2>(?:[Aa]lways|[Nn]ever) (?!mind|been|had|was|wanted|thought|heard|seen|again|a\b|the\b|in\b|good|nice"
    r"|happy"
    r"|said|knew|met|got|did|felt|too|say|fear|fails|lovely|glad|know)[a-z]+ [^.!?\0]+))"
)
_EMPTY: Final = frozenset(
    "it that this them they you me one ones something anything nothing everything stuff things thing lot lots bit"
    " way so"
    " much more most well there here those these him her us myself too to be some any all both a the an not"
    " what".split()
)
_BARE: Final = _EMPTY | frozenset(
    "let lets do does did done doing go goes going gone get gets got getting be been being am is are was were"
    " have has had"
    " having will would can could shall should may might must make makes made take takes took try come keep just just"
    " not no and or but of in on at for with by from up out off over down back themselves himself herself yourself"
    " ourselves itself i we he she he's she's i'm it's my our your his their".split()
)
"""Words that alone are no value: auxiliaries, pronouns, prepositions."""
_ARTICLE: Final = re.compile(
    r"^(?:(?:a|an|my|our|some|any|his|her|their|to|being|having|how|about|of|the fact)\s+)+", re.IGNORECASE
)
_TAIL: Final = re.compile(
    r"(?:[\s,]+(?:now|too|again|anyway|either|though|really|a lot|so much|very much|as well|at the moment|these"
    r" days|at last"
    r"|right now|already|either|instead|lately|recently|any more|anymore|today|though|yet|and|or|for|with|at|in|on"
    r"|to|of"
    r"|the|a|just|by|from|myself|ourselves|then|if|more than anything|more than ever))+$",
    re.IGNORECASE,
)


_YOURS: Final = re.compile(r"\b(?:your|yours|yourself|yourselves)\b")
_NOT: Final = re.compile(r"(?:not|no longer|isn['\u2019]t|aren['\u2019]t)\b")
_MOVED: Final = re.compile(
    rf"\b(?:moved|relocated)\b(?:[^.;!?]*?\bfrom (?P<home>{PROPER})(?= (?:to|into)\b))?[^.;!?]*?\b(?:to|into)\b"
)
_STAY: Final = re.compile("for ", re.IGNORECASE)
_FOR_NOW: Final = re.compile(
    r"\bfor (?:now|good measure|the |a |an |one |two |three |four |six |\d+ ?)(?:\w+ )?(?:days?|weeks?|months?"
    r"|years?|summer"
    r"|winter|time being|term)\b|\buntil\b|\btill\b|\btemporarily\b",
    re.IGNORECASE,
)
_BOOKED: Final = re.compile(
    r"\b(?:entered|booked|signed(?: \w+)? up|registered|enroll?ed|reserved|arranged|scheduled|got (?:\w+"
    r" )?tickets?|bought"
    r" (?:\w+ )?tickets?|been invited|invited|planned|agreed|promised|committed|put (?:my|our) names? down)\b",
    re.IGNORECASE,
)
_BEFORE_DATE: Final = re.compile(r"\b(?:for|from|since|until|till|by|to|of|before|after|around|on|in) $")
_DAY_OF: Final = re.compile(r"\d(?:st|nd|rd|th)?(?: of)? [A-Z]|[A-Z][a-z]+ (?:the )?\d")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rule made of a statement."""

    rule: Rule
    object: str
    end: int


@dataclass(frozen=True, slots=True)
class _Known:
    """Who is known by name.

    Attributes:
        kin: Names of relatives and companions by (speaker, "sister"); grows.
        names: Names that stand within sentences, where a capital letter makes a name.
    """

    kin: dict[tuple[str, str], str]
    names: frozenset[str]


class PatternExtractor:
    """Extracts facts from turns by rules, without a model. Deterministic; never raises."""

    def extract(self, turns: Sequence[SaidTurn]) -> list[FactDraft]:
        """Return the facts that the turns state.

        Args:
            turns: In the order in which they were said; a relative named in one is known by name in the next.

        Returns:
            Drafts with one turn of evidence each. What an assistant or a tool says states nothing about the user.
        """
        known = _Known({}, _named(turns))
        drafts: list[FactDraft] = []
        for turn in turns:
            if turn.role in ("assistant", "tool", "system") or turn.origin != "user":
                continue
            drafts += _once(_read(turn, known))
        return drafts


def _read(turn: SaidTurn, known: _Known) -> Iterator[FactDraft]:
    """Read one turn.

    Args:
        turn: What was said.
        known: Who is known by name; grows.
    """
    said = masked(turn.text)
    speaker = turn.speaker.strip() or UNNAMED
    joke = jokes(turn.text)
    for start, end in sentences(said):
        if not joke:
            for draft in introduced(said, start, end, speaker):
                known.kin.setdefault((speaker, draft.kin), draft.name)
                yield _company(turn, speaker, draft.kin, draft.name, start, end)
        if not joke:
            yield from _asked(turn, speaker, said[start:end], start)
        found = list(statements(said, start, end))
        for statement in found:
            yield from _stated(turn, speaker, statement, known, alone=len(found) == 1, joke=joke)


def _asked(turn: SaidTurn, speaker: str, sentence: str, start: int) -> Iterator[FactDraft]:
    """Yield a standing instruction, or the name by which somebody wants to be called."""
    name = _CALL_ME.match(sentence)
    if name:
        end = start + name.end()
        yield FactDraft(
            speaker,
            "name",
            name["o"],
            f"{shown(speaker)} is called {name['o']}.",
            confidence=0.85,
            importance=0.7,
            evidence=(turn.index,),
            quote=turn.text[start:end],
        )
    rule = _INSTRUCTION.match(sentence)
    wanted = _trimmed(rule["o"] or rule["o2"]) if rule else ""
    if wanted:
        quote = turn.text[start : start + len(sentence)].rstrip()
        yield FactDraft(
            speaker,
            "preference",
            wanted,
            f"{shown(speaker)} asks: {personal(quote).rstrip('.!')}.",
            confidence=0.75,
            importance=0.8,
            evidence=(turn.index,),
            quote=quote,
            entities=_speaker(speaker),
        )


def _company(turn: SaidTurn, speaker: str, kin: str, name: str, start: int, end: int) -> FactDraft:
    """Make a draft of somebody who is introduced: "my sister Solveig"."""
    attribute, relation, kind = company(kin)
    return FactDraft(
        speaker,
        attribute,
        name if attribute == "partner" else f"{kin} {name}",
        f"{told(speaker, '', first_person=False)} has a {kin} called {name}.",
        confidence=0.85,
        importance=0.6,
        evidence=(turn.index,),
        quote=turn.text[start:end].strip(),
        entities=(*_speaker(speaker), Mention(name, kind)),
        relations=(RelationDraft(speaker, relation, name),) if speaker != UNNAMED else (),
    )


def _stated(
    turn: SaidTurn, speaker: str, statement: Statement, known: _Known, *, alone: bool, joke: bool
) -> Iterator[FactDraft]:
    """Yield the facts of one statement, all of the first group of rules that has any."""
    if statement.who == "kin" and not _is_known(statement, speaker, known):
        return
    groups = (RETRACTIONS,) if joke else (RETRACTIONS, ENDINGS, (*PERSON, *LIFE), PLANS, EVENTS)
    for rules in groups:
        taken: set[str] = set()
        for found in _matches(statement, rules):
            attribute = found.rule.attribute
            if rules is EVENTS and statement.who == "name" and statement.name not in known.names:
                continue
            if attribute in taken or (taken and not any({attribute, *taken} <= pair for pair in _TOGETHER)):
                continue
            draft = _draft(turn, speaker, statement, found, known, alone=alone)
            if draft is not None:
                taken.add(attribute)
                yield from _apart(draft)
        if taken:
            return


def _is_known(statement: Statement, speaker: str, known: _Known) -> bool:
    """Tell whether a relative has a name, or needs none: of "my brother" there may be three."""
    return bool(statement.name or statement.kin in PARENTS or (speaker, statement.kin) in known.kin)


def _named(turns: Sequence[SaidTurn]) -> frozenset[str]:
    """Return the names that stand within sentences, and those of the speakers."""
    found = {turn.speaker for turn in turns}
    for turn in turns:
        found.update(_WITHIN.findall(turn.text[:LOOK]))
    return frozenset(found)


def _matches(statement: Statement, rules: tuple[Rule, ...]) -> Iterator[_Found]:
    """Yield what the rules find, in their order."""
    rest = statement.rest[:_REACH]
    for rule in rules:
        if statement.who not in rule.who or (statement.unsure and rule.kind != "plan"):
            continue
        for pattern in rule.patterns:
            match = pattern.match(rest)
            thing = _trimmed(match["o"]) if match is not None else ""
            if match is not None and thing:
                yield _Found(rule, thing, match.end())
                break


def _apart(draft: FactDraft) -> Iterator[FactDraft]:
    """Yield one draft for each thing: who is allergic to two is warned of each."""
    things = (
        re.split(r",? and (?:to )?|, ", draft.object)
        if draft.attribute == "allergy" and not _NOT.match(draft.object)
        else [draft.object]
    )
    for thing in things:
        yield replace(draft, object=thing, text=draft.text.replace(draft.object, thing))


def _draft(
    turn: SaidTurn,
    speaker: str,
    statement: Statement,
    found: _Found,
    known: _Known,
    *,
    alone: bool,
) -> FactDraft | None:
    """Make a draft of what a rule found, None where it needs a date that is not there."""
    rule, thing = found.rule, found.object
    end = max(statement.end, statement.at + found.end)
    quote = turn.text[statement.start : end].rstrip()
    clause = _clause(turn, statement, quote, end)
    plainly = rule.kind == "state" and single(rule.attribute) and not rule.over
    if plainly and hedged(clause):
        return None  # "I think I live in Bergen"
    part = limit(clause, rule.attribute) if plainly and rule.attribute in _AT_TIMES else ""
    dated, inside = _dated(turn, rule, statement, quote, alone=alone)
    if rule.kind == "event" and dated is not None and _ahead(quote, dated, turn.said_at):
        rule = replace(rule, attribute="plan", kind="plan")
        dated, inside = _dated(turn, rule, statement, quote, alone=alone)
    if part or (rule.kind == "state" and dated is not None and _recurs(clause, turn, statement, dated, inside)):
        dated = None
    if part and part in thing:
        thing = " ".join(thing.replace(part, " ").split()) or thing
    if rule.dated and (dated is None or (dated.first or 0) + DAY_US <= turn.said_at):
        return None
    if rule.kind == "event" and dated is not None and quote[: dated.start].endswith(" for ") and inside:
        dated = None  # "booked a table for Friday": the table's date, not the booking's
    if rule.attribute in _TIMELESS:
        dated = None
    subject, teller = _subject(speaker, statement, known)
    if rule.kind == "plan" and dated is not None and not _trimmed(_undated(thing, quote, dated)):
        return None
    valid_from, valid_to = validity(dated, rule.kind, over=rule.over)
    if valid_from is None and valid_to is not None and valid_to <= turn.said_at:
        valid_to = None
    undated = rule.over and valid_to is None
    words = _told(turn, statement, teller, end)
    if part:
        return _in_part(turn, statement, (subject, speaker), rule, thing, words, quote, part)
    moved = _moved(rule, statement, quote, thing, teller)
    if moved:
        words = f"{moved} {spoken(dated)}" if dated is not None else moved
        thing = _undated(thing, quote, dated) if dated is not None and inside else thing
    elif dated is not None:
        words = _with_date(words, quote, dated, inside)
        thing = _undated(thing, quote, dated) if inside and rule.kind != "plan" else thing
    if not sound(words) or (_YOURS.search(words) and rule.attribute != "preference"):
        return None  # "I've still got your tent": whose it is the sentence doesn't say
    mentions = _mentions(speaker, subject, statement, thing, rule)
    related = mentions[-1].name == thing and subject in {mention.name for mention in mentions} if mentions else False
    return FactDraft(
        subject,
        "experience" if undated else rule.attribute,
        thing,
        f"{words.rstrip(' .!,;:-')}.",
        kind="event" if undated else rule.kind,
        confidence=round(rule.confidence * (0.6 if statement.unsure else 1.0), 2),
        importance=rule.importance,
        valid_from=valid_from,
        valid_to=valid_to,
        evidence=(turn.index,),
        quote=quote,
        entities=mentions,
        relations=(RelationDraft(subject, rule.relation, thing),)
        if related and rule.relation and thing != subject and not undated
        else (),
    )


def _clause(turn: SaidTurn, statement: Statement, quote: str, end: int) -> Clause:
    """Return a statement with what stands before and after it in its sentence."""
    first, last = statement.sentence
    before, after = turn.text[first : statement.start], turn.text[end : max(end, last)]
    said, before, after = (part.replace("\u2019", "'") for part in (quote, before, after))
    return Clause(said, statement.start, before, after, asked=False)


def _in_part(
    turn: SaidTurn,
    statement: Statement,
    who: tuple[str, str],
    rule: Rule,
    thing: str,
    words: str,
    quote: str,
    part: str,
) -> FactDraft:
    """Make a draft of what holds in part: "lives in Rome in winter" is a habit, and no home takes its place."""
    said = words if part in words else f"{words.rstrip(' .!,;:-')} {part[:1].lower()}{part[1:]}"
    thing = f"{thing} {part[:1].lower()}{part[1:]}"
    return FactDraft(
        who[0],
        "habit",
        thing,
        f"{said.rstrip(' .!,;:-')}.",
        confidence=round(rule.confidence * 0.85, 2),
        importance=rule.importance,
        evidence=(turn.index,),
        quote=turn.text[statement.sentence[0] : statement.start + len(quote)].strip(),
        entities=_mentions(who[1], who[0], statement, "", rule),
    )


def _moved(rule: Rule, statement: Statement, quote: str, thing: str, teller: str) -> str:
    """Return where somebody lives who says that they moved there, "" where that isn't plainly said."""
    found = _MOVED.search(quote) if rule.attribute == "residence" and not rule.over else None
    if found is None or statement.who not in ("i", "kin", "name") or not thing[:1].isupper() or _FOR_NOW.search(quote):
        return ""
    origin = f" from {found['home']}" if found["home"] else ""
    return f"{shown(teller)} lives in {thing}, having moved there{origin}"


def _ahead(quote: str, dated: When, said_at: int) -> bool:
    """Tell whether a date is that of what was booked: "I've entered a race on 13 April", not "I booked on Friday"."""
    if _BOOKED.search(quote[: dated.start]) is None or _DAY_OF.search(quote[dated.start : dated.end]) is None:
        return False
    coming = when(quote, said_at, future=True)
    past, ahead = said_at - (dated.first or 0), (coming.first if coming and coming.first else 0) - said_at
    return ahead < past  # the nearer of the two


def _recurs(clause: Clause, turn: SaidTurn, statement: Statement, dated: When, inside: bool) -> bool:
    """Tell whether a date is no beginning but a part of each year or week: "even in March"."""
    text = clause.text if inside else turn.text[slice(*statement.sentence)].replace("\u2019", "'")
    found = partly(text)
    return found is not None and found.start() < dated.end and dated.start < found.end()


def _dated(turn: SaidTurn, rule: Rule, statement: Statement, quote: str, *, alone: bool) -> tuple[When | None, bool]:
    """Return the date of a statement, and whether it stands in its own words or elsewhere in its sentence."""
    future = rule.kind == "plan"
    dated = when(quote, turn.said_at, future=future)
    if dated is not None and rule.over and quote[dated.start : dated.start + 4].lower() == "for ":
        dated = None  # "lived in Lisbon for a year": not since when
    if dated is not None and _STAY.match(quote[dated.start :]) and _MOVED.search(quote):
        return None, False  # "moved to Lisbon for a year"
    if dated is not None or not alone:
        return dated, dated is not None
    return when(turn.text[statement.sentence[0] : statement.sentence[1]], turn.said_at, future=future), False


def _told(turn: SaidTurn, statement: Statement, teller: str, end: int) -> str:
    """Return what a statement says, in the third person."""
    rest = _rest(turn.text, statement, end)
    return told(teller, rest, first_person=True) if statement.who == "i" else personal(f"{teller}{rest}")


def _mentions(speaker: str, subject: str, statement: Statement, thing: str, rule: Rule) -> tuple[Mention, ...]:
    """Return who is named in a statement, the object last where it is a name."""
    # Who only says something of somebody else stands in no relation to it.
    mentions = [] if statement.who == "name" else [*_speaker(subject if statement.who in ("i", "my") else speaker)]
    if statement.who in ("kin", "name") and subject[:1].isupper() and subject != speaker:
        mentions.append(Mention(subject, "person" if statement.who == "name" else company(statement.kin)[2]))
    if rule.entity and thing[:1].isupper():
        mentions.append(Mention(thing, rule.entity))
    return tuple(dict.fromkeys(mentions))


def _rest(text: str, statement: Statement, end: int) -> str:
    """Return what is said of the subject, as it stands in the turn."""
    rest = text[max(statement.at, 0) : end]
    rest = rest if rest[:1] in " '\u2019" else f" {rest}"
    return rest if statement.subject or not rest else f"{rest[0]}{rest[1:2].lower()}{rest[2:]}"


def _subject(speaker: str, statement: Statement, known: _Known) -> tuple[str, str]:
    """Return whom a statement is about, and the words that tell it."""
    if statement.who == "i":
        return speaker, speaker
    mine = possessive("The user" if speaker == UNNAMED else speaker)
    if statement.who == "my":
        return speaker, mine
    if statement.who == "kin":
        name = statement.name or known.kin.get((speaker, statement.kin), "")
        return name or f"{possessive(speaker)} {statement.kin}", f"{mine} {statement.kin}{' ' + name if name else ''}"
    return statement.name, statement.name


def _speaker(name: str) -> tuple[Mention, ...]:
    return () if name == UNNAMED else (Mention(name, "person"),)


def _trimmed(words: str) -> str:
    """Return an object without article and trailing adverbs, "" where nothing is left that says anything."""
    words = _TAIL.sub("", _ARTICLE.sub("", words.strip(" \t'\u2019\"-,")))
    if not words or "\0" in words or len(words.split()) > 14 or words.lower() in _EMPTY:
        return ""
    said = re.findall(r"[\w'\u2019]+", words.lower())
    return words if any(word not in _BARE for word in said) else ""


def _undated(thing: str, quote: str, dated: When) -> str:
    """Return an object without the date that stands in it."""
    words = quote[dated.start : dated.end].strip(" .")
    if words and words in thing:
        return _TAIL.sub("", " ".join(thing.replace(words, " ").split())).strip(" ,") or thing
    return thing


def _with_date(words: str, quote: str, dated: When, inside: bool) -> str:
    """Return a sentence with its date in absolute words."""
    plain = quote[dated.start : dated.end].replace("\u2019", "'").strip() if inside else ""
    at = words.find(plain) if plain else -1
    if at >= 0:
        if _BEFORE_DATE.search(words[:at]):
            return f"{words[:at]}{spoken(dated).removeprefix('on ').removeprefix('in ')}{words[at + len(plain) :]}"
        return f"{words[:at]}{spoken(dated)}{words[at + len(plain) :]}"
    return f"{words.rstrip(' .!,;:-')} {spoken(dated)}"


def _once(drafts: Iterator[FactDraft]) -> list[FactDraft]:
    """Return the drafts of a turn, each fact once: "a dog called Bo" is the dog Bo."""
    once = list({(d.subject, d.attribute, d.object.lower()): d for d in reversed(list(drafts))}.values())[::-1]
    merged: list[FactDraft] = []
    for draft in once:
        twin = next((one for one in once if _same_company(draft, one)), None)
        if twin is None:
            merged.append(draft)
        elif "called" in draft.object or "named" in draft.object:
            merged.append(replace(draft, entities=twin.entities, relations=twin.relations))
    return merged


def _same_company(one: FactDraft, other: FactDraft) -> bool:
    """Tell whether two drafts are of one companion: "dog called Bo" and "dog Bo"."""
    if one is other or (one.subject, one.attribute) != (other.subject, other.attribute):
        return False
    if one.attribute not in _COMPANY:
        return False
    words, others = (set(draft.object.lower().split()) for draft in (one, other))
    return bool((words ^ others) & {"called", "named"}) and words - _CALLED == others - _CALLED


_CALLED: Final = frozenset(("called", "named"))
