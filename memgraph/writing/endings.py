"""Does a turn itself say that a known fact ended, or never was true?

The words that end something must stand inside the quote, plainly, about the fact's subject; and what they end must be
the fact's object or its topic, nothing narrower: who sold the caravan keeps the motorbike, who gave up coffee on
Mondays drinks it on Tuesdays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from memgraph.drafts import KnownFact, SaidTurn
from memgraph.writing.assertions import hearsay
from memgraph.writing.clauses import Clause, clauses, key, stems, unquoted
from memgraph.writing.enders import ENDERS, VERBS, Ender
from memgraph.writing.moods import cited, joking, mood, older
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.persons import PERSON, same, speaks_of
from memgraph.writing.topics import IMPLIED, covers, names

_PREPOSITIONS: Final = any_of(
    "for at in with to on from by after before near during into onto outside inside behind beside over under about around behind until between every each"
)
_BOUNDARY: Final = re.compile(
    rf"\s+(?:{_PREPOSITIONS}|put|because|so|and|but|or|when|since|if|last|this|these|yesterday|today|now|nowadays|any ?more|years?|months?"
    r"|weeks?|days?|instead|as|than|that|which|who|while|due|without|completely|altogether|entirely|forever|cold|at all|either|again"
    r"|once|myself|ago|anyway|already|except|unless|only|though|long|back|early|for good)\b|[.!?,;:]",
    re.IGNORECASE,
)
_STILL_SOME: Final = compiled(
    r"\bon (?:\w+ )?(?:mon|tues|wednes|thurs|fri|satur|sun|week|work|school|race|rest|game|holi)\w*days\b|\bon a \w+day\b|\bon (?:week|work|school)\w+s\b",
    r"\b(?:on|at) (?:the )?weekends?\b|\bin the (?:morning|evening|afternoon|night|winter|summer|shower|car|bath|house)s?\b",
    r"\b(?:after|before|past) (?:\d|lunch|dinner|work|noon|dark|breakfast|midnight|bed|six|five|four|eight|nine|ten|three|two|sunset)\w*",
    r"\b(?:at|in|from) (?:home|night|work|lunch|dinner|breakfast|bed|school|the office|the pub|restaurants?|public)\b|\bduring\b|\bwhen\b|\bwhile\b",
    r"\b(?:so|as|too|that|very|quite) (?:much|many|often|hard|far|late|long|early|a lot)\b|\b(?:except|unless|only|just|apart from|other than)\b",
    r"\b(?:early|halfway|half-way|before the end)\b",
    r"\b(?:every day|daily|every week|each|between|alone|by myself|without|so much|as much|too much|too many|enough|any old|that often)\b",
)
_WHERE: Final = re.compile(
    r"\s+(?:with\b|(?:in|at|on|from|to|into|near|along|by|under|around)\s+(?!(?:early |late |mid-?)?"
    rf"{any_of('january february march april may june july august september october november december')}\b"
    rf"|(?:the )?{any_of('spring summer autumn fall winter new_year end start beginning first last')}\b"
    r"|\d|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|christmas|easter|years|months|weeks|ages|days|a while|forever|order|favou?r|protest|disgust|doctor|medical|advice|one go|my own|purpose))"
    r"(?P<where>[^.!?,;]*)",
    re.IGNORECASE,
)
_SINCE_THEN: Final = compiled(
    r"\b(?:now|these days|nowadays|after all|by now|meanwhile|grown to|come to|warmed to|won over|hooked|sick of)\b"
)
_UNDONE: Final = compiled(
    r"\b(?:no|not|quit|quits|gave up|given up|gives up|stopped|without|never|free|avoids?|cut out|former|ex|sober|teetotal|doesn't|abstains?)\b|n't\b"
)
_AGAIN: Final = compiled(r"\b(?:again|back|resumed|restarted|relapsed)\b")
_ON_A_DAY: Final = compiled(r"\bon (?:mon|tues|wednes|thurs|fri|satur|sun)day\b")
_TEMPORAL: Final = compiled(
    r"\b(?:any ?more|any longer|these days|nowadays|now|no longer|currently|at all|since \w+|at present|either|after all)\b"
)
_MARKED: Final = compiled(r"\b(?:no|not any) longer\b|\bnever\b|(?:have|has|'ve|'s)(?:n't| not)\b")
_PARTICIPLE: Final = re.compile(
    r"^\W*(?:touched|eaten|drunk|smoked|played|had|been|worn|used|driven|seen|gone)\b.*\b(?:since|in|for)\b",
    re.IGNORECASE,
)
_DOUBLED: Final = compiled(r"\b(?:not|never|no|hardly|can't|cannot|without)\b|n't\b")
_LOUDER: Final = compiled(
    r"\b(?:i|we) (?:\w+ly |just |absolutely )?(?:love|adore|worship|crave|live for|breathe|inhale|devour|am obsessed|'m obsessed|'m addicted"
    r"|am addicted|need|bloody love|\w+ing love)\b|\benough of\b|\bwithout (?:it|them)\b"
)
_LEAD: Final = re.compile(
    rf"\s*(?:{any_of('live living work working eat eating drink drinking play playing go going belong belonging sing singing listen listening')}"
    rf"|{any_of('train training study studying teach teaching drive driving learn learning date dating allergic intolerant')}"
    rf"|(?:a |any )?{any_of('interest friends part member fan keen interested involved married engaged fond')})?"
    rf"(?:\s+to)?(?:\s*\b{_PREPOSITIONS}|\s+of)?(?=\s)",
    re.IGNORECASE,
)
_NO_MORE: Final = re.compile(
    r"\W*((?:not|no) (?:any ?more|any longer|longer|now|these days|for me)(?: now)?)\W*", re.IGNORECASE
)
_PRONOUN_LAST: Final = re.compile(r"\b(?:it|them|those|that|there|him|her|both)\W*$", re.IGNORECASE)
_PRONOUN: Final = re.compile(r"^\W*(?:it|them|those|that|there|him|her|both|all of (?:it|them))\W*$", re.IGNORECASE)
_ANOTHERS: Final = re.compile(
    rf"\b(?:his|her|their|your|its)\b|\b(?:my|our|the|a|an)\s+(?:[\w-]+\s+)?{PERSON}'s?\s|\b(?P<name>(?-i:[A-Z][\w-]*))'s\s+\w",
    re.IGNORECASE,
)
_OWN: Final = re.compile(r"\b(?:my|our|mine|ours)\b", re.IGNORECASE)
_NEUTRAL: Final = frozenset(
    stem
    for word in (
        "old whole entire damn damned bloody beloved poor last lovely dear good little big entire actual own trusty faithful really finally sadly"
        " unfortunately completely fully officially totally altogether entirely simply well yes also even still ever any every all both"
        " yesterday morning evening afternoon night week month year day monday tuesday wednesday thursday friday saturday sunday keys key"
        " habit habits thing things stuff kind sort news eventually honestly truth member fan now anymore more longer that's one ones"
        " happily guess turns out one two three four five six seven eight nine ten forever good new oh ok okay alas just so sorry"
    ).split()
    for stem in stems(word)
)
_GEAR: Final = frozenset(
    stems(
        "boots racket gloves lessons lesson practice sessions session classes class membership rehearsals training team account subscription app"
    )
)
VERB_STEMS: Final = {stem: attributes for verb, attributes in VERBS.items() for stem in stems(verb)}
_BECAME: Final = re.compile(
    rf"(?:\b(?:gone|went|turned|became|become)\b|(?:'m|\bam|'s|\bis|\bbeen)\b(?=.*\b(?:now|since|these days|for)\b))(?: \w+ly| a| now| full| completely| been)* (?P<what>{'|'.join(IMPLIED)})\b",
    re.IGNORECASE,
)
_RETRACTS: Final = compiled(
    r"\b(?:was|were) (?:only |just |obviously |totally )?(?:joking|kidding|teasing|messing|lying|pulling your leg|winding you up|making (?:it|that) up)\b",
    r"\b(?:was|were|is|'s|it's) (?:just |only |all )?(?:a )?(?:joke|lie|typo|prank|slip|wind-?up|fib)\b",
    r"\b(?:that|it|this|which)(?:'s| is| was|'s been) (?:not true|untrue|false|wrong|a mistake|a lie|not right|incorrect)\b|\b(?:isn't|wasn't) (?:true|right|correct)\b",
    r"\bmade (?:that|it|her|him|them|the \w+) up\b|\bmade up (?:the|that|my|a|our)\b|\bi lied\b|\btypo\b|\b(?:i )?meant\b|\bcorrection\b|\bscratch that\b|\bmy mistake\b|\bautocorrect\w*\b",
    r"\b(?:ignore|forget|disregard|strike|take back) (?:what|that|my|everything)\b|\bmis(?:spoke|remembered|read|typed|heard|said|stated|counted)\b",
    r"\b(?:i|we) (?:was|were|got (?:it|that|this)|had (?:it|that)|said (?:it|that)|wrote|typed|told you)(?: \w+){0,3} (?:wrong|mistaken|mixed up|muddled|confused)\b|\bmixed (?:it |them |that |things )?up\b",
    r"\b(?:i|we)(?:'ve| have)? (?:actually |really )?never (?:been|had|was|were|lived|worked|owned|said|liked|did|studied|have|played|met|married|went)\b|\bnever (?:existed|happened)\b",
    r"\bthere (?:is|was|'s) no(?: such)?\b|\bnever was\b|\bnot? actually\b|\bfake\b|\binvented\b|\b(?:i )?should have (?:said|written|typed|put)\b",
    r"\bfibb?(?:ed|ing)?\b|\b(?:having|had) (?:you|everyone|you all) on\b|\bdon't believe\b|\bnone of (?:it|that)\b|\bhoax\b|\bspoof\b|\bi take (?:it|that) back\b",
    r"\bmistyped\b|\bwrong (?:date|name|number|town|city|address|day|month|year|one|word)\b|\bno,? wait\b|\bnot (?:what|how) i (?:said|wrote)\b|\bby mistake\b|\bexaggerat\w+\b|\bshowing off\b|\b(?:i|we) pretended\b|\bwasn't me\b|\b(?:wasn't|was not) serious\b|\b(?:doesn't|don't|does not|didn't|never) exist(?:ed)?\b|\b(?:isn't|aren't|not|wasn't) real\b|\bfiction\b|\bmade-up\b|\bdream(?:ed|t) (?:\w+ ){1,3}up\b",
    r"\bwrong (?:chat|window|person|thread)\b|\bmeant for\b|\btest message\b|\bapril fool\w*|\b(?:for|as) a (?:laugh|dare|joke|prank)\b|\btall tale\b|\bwhite lie\b",
    r"\bbluff\w*\b|\bwrong about\b|\bgot [\w ]{1,20} wrong\b|\bwine talking\b|\bnot a word of (?:it|that)\b|\b(?:using my account|had my phone|hacked)\b|^\W*i (?:wrote|typed|put) [\w ]{1,20}$",
)
_MEANT: Final = compiled(
    r"\b(?:joking|kidding|teasing|messing|lying|joke|lie|typo|prank|slip|lied|fake|fiction|bluff)\b"
)
_TRUE_THAT: Final = compiled(
    r"\b(?:true|right|correct|wrong|false|joking|kidding|messing|teasing) (?:that (?!i\b|we\b)|with\b|around\b)"
)
_IF: Final = compiled(r"\b(?:if|would|will|might|may|maybe|perhaps)\b|'ll\b")
_JUST_NOW: Final = compiled(
    r"\b(?:just|only) (?:joking|kidding|messing)\b|\b(?:i'm|i am) (?:joking|kidding)\b|\bnot really\b"
)


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a turn says that a fact ended.

    Attributes:
        quote: The clause that says it, verbatim.
        phrase: The stems of what it says ended; empty where only a pronoun or nothing is said.
        moves: Whether only a date was moved.
    """

    quote: str
    phrase: frozenset[str]
    moves: bool = False


def ending(turn: SaidTurn, fact: KnownFact, start: int = 0, stop: int | None = None) -> Ending | None:
    """Return where a turn plainly says that a fact's state ended or is negated, None where it doesn't.

    Args:
        start: Where in the turn the words may begin that end it, and `stop` where they must be over.
    """
    if turn.role == "assistant" or turn.origin == "assistant" or joking(turn.text) or cited(turn.text):
        return None
    plain = unquoted(turn.text)
    stop = len(plain) if stop is None else stop
    before: Clause | None = None
    for clause in clauses(turn.text):
        for ender, match in _matches(clause, fact, start, stop):
            phrase = _ended(turn, fact, plain, clause, before, ender, match)
            if phrase is not None:
                return Ending(turn.text[clause.start : clause.end].strip(), phrase, ender.moves)
        if (
            (found := _became(turn, fact, plain, clause))
            and start <= clause.start + found.start()
            and clause.start + found.end() <= stop
        ):
            return Ending(
                turn.text[clause.start : clause.end].strip(), frozenset(stems(IMPLIED[found["what"].lower()]))
            )
        if (
            before is not None
            and (short := _NO_MORE.fullmatch(clause.text))
            and (start <= clause.start + short.start(1) and clause.start + short.end(1) <= stop)
        ):
            named = frozenset(stems(before.text)) - _NEUTRAL
            if (
                before.asked
                and named
                and named <= _about(fact)
                and named & _core(fact)
                and same(fact.subject, turn.speaker)
            ):
                return Ending(turn.text[clause.start : clause.end].strip(), named)
        before = clause
    return None


def retraction(turn: SaidTurn, fact: KnownFact, start: int = 0, stop: int | None = None) -> Ending | None:
    """Return where a turn explicitly takes back what a fact says, None where it doesn't."""
    if turn.role == "assistant" or turn.origin == "assistant":
        return None
    plain = unquoted(turn.text)
    stop = len(plain) if stop is None else stop
    about = _words(fact.object, fact.subject)
    said = frozenset(stems(plain))
    if not any(word in said for word in about) and not any(covers(word, about) for word in said):
        return None
    told = same(fact.subject, turn.speaker)
    for number, clause in enumerate(clauses(turn.text)):
        # The value's own name is nobody who acts: "Basque wasn't true".
        clause = replace(
            clause,
            text=re.sub(
                r"\w+",
                lambda word: word.group().lower() if about & set(stems(word.group())) else word.group(),
                clause.text,
            ),
        )
        match = _RETRACTS.search(clause.text)
        if (
            match is None
            or clause.asked
            or not (start <= clause.start + match.start() and clause.start + match.end() <= stop)
        ):
            continue
        if _MEANT.search(match.group()) and _DOUBLED.search(clause.text[: match.start()]):
            continue
        # "Sold it. Just kidding!" takes back what the turn itself said, not what was said before.
        if _JUST_NOW.search(plain) and number > 0:
            continue
        if _IF.search(clause.before + clause.text):
            continue
        if (
            not told
            and speaks_of(fact.subject, turn.speaker, plain, clause, clause.end) == "other"
            and not _first(clause.text)
        ):
            continue
        if told and _TRUE_THAT.search(clause.text):
            continue
        if told and speaks_of(fact.subject, turn.speaker, plain, clause, clause.start + match.start()) == "other":
            continue
        return Ending(turn.text[clause.start : clause.end].strip(), about)
    return None


def _first(text: str) -> bool:
    return re.search(r"\bi\b", text, re.IGNORECASE) is not None


def _matches(clause: Clause, fact: KnownFact, start: int, stop: int) -> Iterator[tuple[Ender, re.Match[str]]]:
    """Yield the words in a clause that could end such a fact and stand inside the quote."""
    for ender in ENDERS:
        if fact.kind == "event" and not ({"plan", "event"} & ender.attributes):
            continue
        attributes = ender.attributes | ({"plan"} if fact.kind == "plan" else frozenset[str]())
        if (
            fact.attribute in attributes
            or (fact.kind == "plan" and "plan" in ender.attributes)
            or (fact.attribute == "other" and ender.form != "self")
        ):
            for match in ender.pattern.finditer(clause.text):
                if start <= clause.start + match.start() and clause.start + match.end() <= stop:
                    yield ender, match


def _ended(
    turn: SaidTurn,
    fact: KnownFact,
    plain: str,
    clause: Clause,
    before: Clause | None,
    ender: Ender,
    match: re.Match[str],
) -> frozenset[str] | None:
    """Return the stems of what a clause says ended if that is the fact, else None."""
    if not _spoken(turn, fact, clause):
        return None
    head, tail = clause.text[: match.start()], clause.text[match.end() :]
    if ender.form != "negation" and _DOUBLED.search(head) and not re.search(r"\bnot only\b", head):
        return None
    told = same(fact.subject, turn.speaker)
    about_it = speaks_of(fact.subject, turn.speaker, plain, clause, clause.start + match.start()) == "subject"
    if ender.form == "object":
        cut = _cut(tail)
        mine = (
            told
            and fact.attribute in ("plan", "possession", "pet", "health")
            and re.match(r"\s*(?:my|our|the cast|the stitches)\b", tail, re.IGNORECASE)
        )
        if not (about_it or mine) or _some_left(tail, fact) or _narrowed(tail[len(cut) :], fact):
            return None
        return _phrase(cut, fact, turn, before, verb=True)
    if ender.form == "opposite":
        marked = _SINCE_THEN.search(clause.text) is not None
        return (
            _phrase(_cut(tail), fact, turn, before, verb=True)
            if about_it and marked and not _some_left(tail, fact)
            else None
        )
    if ender.form == "back":
        undone = (
            _UNDONE.search(f"{fact.object} {fact.text}") is not None and _AGAIN.search(match.group() + tail) is not None
        )
        return (
            _phrase(_cut(tail), fact, turn, before, verb=True)
            if about_it and undone and not _some_left(tail, fact)
            else None
        )
    if ender.form == "taken":
        return _phrase(_cut(tail), fact, turn, before, verb=False) if told and _OWN.search(tail) else None
    if ender.form == "free":
        return _phrase(head.split()[-1] if head.split() else "", fact, turn, None, verb=False) if about_it else None
    if ender.form == "negation":
        return _negated(turn, fact, plain, clause, before, match) if about_it else None
    if ender.form == "self":
        rest = _BOUNDARY.split(f" {tail}", maxsplit=1)[0]
        free = frozenset(stems(rest)) - _NEUTRAL <= _about(fact) and not re.match(
            r"\s*(?:to|from|as|with|at|by)\b", tail
        )
        return frozenset() if about_it and free else None
    return _thing(turn, fact, plain, clause, head, ender, about_it)


def _some_left(tail: str, fact: KnownFact) -> bool:
    """Tell whether what follows leaves some of it: "on Fridays", "so much"; not where the fact itself says so."""
    about = _about(fact)
    return any(
        not (words := frozenset(stems(found.group()))) or not words <= about for found in _STILL_SOME.finditer(tail)
    )


def _narrowed(rest: str, fact: KnownFact) -> bool:
    """Tell whether what follows narrows what ended: "swimming in the indoor pool", "tennis with Tom"."""
    if fact.attribute not in ("habit", "hobby", "likes", "dislikes", "diet", "skill", "preference"):
        return False
    found = _WHERE.match(rest)
    return found is not None and not frozenset(stems(found["where"] or "x")) <= _about(fact)


def _spoken(turn: SaidTurn, fact: KnownFact, clause: Clause) -> bool:
    """Tell whether a clause speaks plainly, and not of a time before the fact began."""
    why = mood(clause, lambda who: hearsay(who, fact.subject, turn.speaker))
    if why in ("temporary", "plan") and fact.kind == "plan":
        why = ""  # "we cancelled the trip": the plan itself is for a time
    return why == "" and not older(clause, turn.said_at, fact.valid_from)


def _negated(
    turn: SaidTurn, fact: KnownFact, plain: str, clause: Clause, before: Clause | None, match: re.Match[str]
) -> frozenset[str] | None:
    """Read "no longer X", "don't X any more" and, where nothing follows that narrows it, "don't X"."""
    tail = clause.text[match.end() :]
    longer = match.group().lower().endswith("longer")
    marked = longer or _TEMPORAL.search(tail) is not None
    perfect = _MARKED.search(match.group()) is not None and not longer and match.group().lower() != "never"
    if (match.group().lower() == "never" and not marked) or (
        perfect and not re.search(r"\bgot\b", tail) and not match.group().lower().endswith(" no")
    ):
        if not _PARTICIPLE.match(tail + clause.after):
            return None
        tail = re.sub(r"^\W*\w+", "", tail)
        marked = True
    if (
        _DOUBLED.search(clause.text[: match.start()])
        or _some_left(tail, fact)
        or _ON_A_DAY.search(tail)
        or _LOUDER.search(plain[clause.end : clause.end + 60])
    ):
        return None
    tail = re.sub(r"^\W*got\b", "", tail)
    cut = _cut(tail)
    if _narrowed(tail[len(cut) :], fact):
        return None
    if not marked:
        rest = tail[len(cut) :]
        if re.search(r"\w", rest) or re.match(
            r"\W*(?:just|only|merely|even|really|always|mean|think|know|believe)\b", tail
        ):
            return None
    return _phrase(cut, fact, turn, before, verb=True)


def _thing(
    turn: SaidTurn, fact: KnownFact, plain: str, clause: Clause, head: str, ender: Ender, about_it: bool
) -> frozenset[str] | None:
    """Read "Biscuit died", "the wedding is off", "they let me go", "Luca and I have split up"."""
    told = same(fact.subject, turn.speaker)
    head = re.sub(r"^.*\b(?:says|said|confirmed|reckons|thinks)(?: that)?\b", "", head, flags=re.IGNORECASE)
    words = re.sub(
        r"\b(?:and|but|so|then|me|i|we|us|have|has|had|'ve|'s|is|are|was|both)\b", " ", head, flags=re.IGNORECASE
    )
    if ender.form == "both":
        with_me = re.search(r"\b(?:i|we)\b", head, re.IGNORECASE) is not None
        others = frozenset(stems(words)) - _NEUTRAL - frozenset(stems(fact.subject))
        involved = with_me if told else frozenset(stems(fact.subject)) <= frozenset(stems(head))
        if not involved or _ANOTHERS.search(head):
            return None
        if not others:
            return frozenset() if fact.attribute in ("partner", "marital_status") else None
        return (
            others
            if others <= _about(fact) | frozenset(stems("husband wife partner boyfriend girlfriend"))
            and (others & _about(fact) or fact.attribute in ("partner", "marital_status"))
            else None
        )
    if ender.form == "me":
        if not told:
            return None
        if re.fullmatch(
            r"\W*(?:and |so |but |well )*(?:they|he|she|the company|my boss|my company|the firm)(?:'ve| have|'s| has)?\W*",
            head,
            re.IGNORECASE,
        ):
            return frozenset()
        return _phrase(words, fact, turn, None, verb=False)
    if not told and not about_it and not frozenset(stems(fact.subject)) & frozenset(stems(head)):
        return None
    if re.search(r"\b(?:i|we)\b", re.sub(r"^.*\bthat\b", "", head), re.IGNORECASE):
        return None
    return _phrase(words, fact, turn, None, verb=False)


def _became(turn: SaidTurn, fact: KnownFact, plain: str, clause: Clause) -> re.Match[str] | None:
    """Find "went vegan" and its like, by which a taste for cheese ended."""
    found = _BECAME.search(clause.text)
    if (
        found is None
        or fact.attribute not in ("likes", "habit")
        or fact.kind == "event"
        or _DOUBLED.search(clause.text)
    ):
        return None
    if not _spoken(turn, fact, clause):
        return None
    if speaks_of(fact.subject, turn.speaker, plain, clause, clause.start + found.start()) != "subject":
        return None
    about = _core(fact)
    return found if any(covers(word, about) for word in stems(IMPLIED[found["what"].lower()])) else None


def _cut(tail: str) -> str:
    """Return what ended, from what follows the words that end it: "working for X because" gives "working for X"."""
    lead = _LEAD.match(tail)
    at = lead.end() if lead else 0
    found = _BOUNDARY.search(tail, at)
    return tail[: found.start()] if found else tail


def _phrase(text: str, fact: KnownFact, turn: SaidTurn, before: Clause | None, *, verb: bool) -> frozenset[str] | None:
    """Return the stems of a phrase if it names the fact's object or topic and nothing narrower, else None."""
    told = same(fact.subject, turn.speaker)
    if any(told or found["name"] is None and found.group().lower() not in ("his", "her", "their")
           for found in _ANOTHERS.finditer(text) if not _of_subject(found, fact)):  # fmt: skip
        return None
    if not told and _OWN.search(text):
        return None
    words = stems(text)
    subject = frozenset(stems(fact.subject))
    about, core = _about(fact), _core(fact)
    while verb and words and words[0] in VERB_STEMS and words[0] not in core:
        if fact.attribute not in VERB_STEMS[words[0]].split() and fact.attribute != "other" and words[0] not in about:
            return None
        if len(words) == 1 and not _PRONOUN_LAST.search(text):
            break
        words = words[1:]
    content = [word for word in words if word not in _NEUTRAL and word not in subject]
    if not content:
        pronoun = _PRONOUN.match(
            re.sub(
                r"^.*\b(?:\w+ing|for|at|in|with|of|on|live|work|to|eat|drink|have|like|own|drive|play|use|mind)\s+(?=\w+\W*$)",
                "",
                text,
            )
        )
        if pronoun is None or before is None:
            return None
        named = frozenset(stems(before.text))
        return frozenset() if named & core or any(covers(word, core) for word in named) else None
    if fact.attribute in ("hobby", "habit", "skill", "language", "study", "likes"):
        content = [word for word in content if word not in _GEAR or word in about]
    if not all(_near(word, about) or covers(word, core) or names(word, fact.attribute) for word in content):
        return None
    if not any(_near(word, core) or covers(word, core) or names(word, fact.attribute) for word in content):
        return None
    return frozenset(content)


def _near(word: str, about: frozenset[str]) -> bool:
    """Tell whether a stem is among others, or begins as one does: "anaemic" and "anaemia"."""
    return word in about or (
        len(word) > 4 and any(len(one) > 4 and (one.startswith(word) or word.startswith(one)) for one in about)
    )


def _of_subject(found: re.Match[str], fact: KnownFact) -> bool:
    """Tell whether a possessive names the subject itself, or stands in the object's own name."""
    name = found["name"]
    return name is not None and (key(name) in key(fact.subject).split() or key(name) in key(fact.object).split())


def _words(text: str, subject: str) -> frozenset[str]:
    return frozenset(stems(text)) - frozenset(stems(subject)) - _NEUTRAL


def _about(fact: KnownFact) -> frozenset[str]:
    """Return every content stem of a fact."""
    return (_words(fact.object, fact.subject) | _words(fact.text, fact.subject)) - frozenset(stems("no not longer"))


def _core(fact: KnownFact) -> frozenset[str]:
    """Return the stems of what a fact is about, without what places or times it: "10 km" of "10 km before breakfast"."""
    about = _about(fact)
    if fact.attribute in ("health", "pet", "possession", "plan", "partner", "residence", "friend", "family"):
        return about
    said = fact.object + " . " + re.sub(rf"^\W*{re.escape(fact.subject)}\W+", "", fact.text)
    parts = [
        re.split(rf"\s(?:{_PREPOSITIONS})\s", part, maxsplit=1)[0] for part in (fact.object, *said.split(" . ")[1:])
    ]
    return (frozenset(stem for part in parts for stem in stems(part)) & about) or about
