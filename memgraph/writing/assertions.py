"""Does a turn itself plainly say that a fact holds now?

Only the turn's own words count, not what was drafted from them. Questions, hypotheses, plans, jokes, words of
others, what is over, what is for a time and what is said of somebody else assert nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from memgraph.drafts import FactDraft, SaidTurn
from memgraph.writing.clauses import LOOK, Clause, clauses, stems, unquoted
from memgraph.writing.moods import Mood, cited, joking, mood, older
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.persons import named_in, same, speaks_of

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_NEGATED: Final = compiled(r"\b(?:not(?! only)|never|no|nor|neither|hardly|barely|without|nobody)\b|n't\b(?! believe)")
_NEGATED_AFTER: Final = compiled(r"^\W*(?:no longer|not me|not\b|any ?more\b|never\b)")
_OVER: Final = compiled(
    r"\b(?:i|we|he|she|they|[a-z]+) (?:also |even |only |always |mostly )?"
    r"(?:lived|worked|studied|dated|taught|owned|smoked|attended|belonged|rented|ate|spoke|drank)\b",
    r"\b(?:i|we|he|she|they) (?:was|were|had)(?! (?:\w+ )?(?:promoted|hired|made|appointed|transferred|accepted|baptised|named|granted"
    r"|naturalised|received|confirmed|sworn|admitted|ordained|elected|headhunted|given|taken on|upgraded|married|our wedding|the wedding)\b)",
)
_STILL: Final = compiled(r"(?:'ve|\bhave|'s|\bhas) (?:\w+ )?(?:lived|worked|studied|taught|owned|attended)\b")
_BESIDES: Final = compiled(
    r"\b(?:also|as well|on the side|part-time|weekends|evenings|moonlight\w*|besides|additional|extra|in addition|sideline|side job"
    r"|(?:second|another|other) (?:job|flat|home|house|place|apartment|phone|number|degree|post|email|address|e-mail|passport|language|name)"
    r"|rent(?:ed|ing)? (?:it )?out|let(?:ting)? (?:it )?out|volunteer\w*|investment|holiday (?:home|flat|house)|dual)\b|\btoo[.!]?\s*$"
)
_CUES: Final = {
    "name": r"\b(?:name|surname|called|call(?:s)? me|named|go by|goes by|known as)\b",
    "age": r"\b(?:turned|turn|'m|am|is|'s|years|birthday|age|aged|hit)\b|'m\b|'s\b",
    "birthday": r"\b(?:birthday|born|birth)\b",
    "birthplace": r"\b(?:born|from|native of)\b",
    "residence": r"\b(?:moved|live|lives|living|settled|relocated|based|home|address|flat|apartment|house|keys|unpack\w*|lease|tenancy"
    r"|resident|now|for good|person|people|landed|ended up|swapped|traded|place|permanent\w*|emigrated|front door|postcode|upped sticks"
    r"|been in|since|packed up|boxes|landlord|landlady|mortgage|balcony|kitchen|roof|housewarming|neighbours?|left|these days|lorry|van"
    r"|rent|renting|street|settling|local|locals|roots|sleep|door|window|girl|boy|crossed|back in|back to|returned|hello from|greetings from|bought|signed)\b",
    "nationality": r"\b(?:citizen\w*|passport|nationality|naturalised|naturalized|became|sworn)\b",
    "marital_status": r"",
    "partner": r"\b(?:dating|together|girlfriend|boyfriend|wife|husband|married|engaged|partner|seeing|going out|couple|fianc\w+"
    r"|in love|moved in|love of my life|an item|lover|other half|date)\b",
    "employer": r"\b(?:work|works|working|employed|joined|hired|job|started|position|employer|signed|payroll|contract|badge|desk|payslip"
    r"|with|now|poached|boss|salary|post|pays|paid|wages|clock|taken on|these days|as of|uniform|lanyard|traded|swapped|switched|desk"
    r"|first day|office|role|career|hire|left|moved|jumped|onboard\w*|took (?:me|us) on|gone over|went over|over to|snapped|poached|teach|run|runs|freelance|self-employed|my own)\b|\bat\b",
    "occupation": r"(?:'m\b|'s\b)|\b(?:am|is|as|made|promoted|became|become|qualified|title|job|work|now|position|appointed|retrained"
    r"|trained|lanyard|badge|retired|new|role|made|call me|put me|these days|as of|done|teach|run|hat|letter|business card|door)\b",
    "study": r"\b(?:study|studies|studying|enrolled|course|degree|started|university|uni|college|school|switched|transferred|class"
    r"|reading|phd|master\w*|student|doing|major|changed|thesis|lectures?|semester|term|campus|swapped|now)\b",
    "diet": r"(?:'m\b|'s\b)|\b(?:am|is|gone|went|eat|eats|eating|diet|turned|became|become|back|now|switched"
    r"|cut|stopped|gave up|given up|without|free|avoid\w*|no|quit|started|plant-based|again|menu|plate|wagon|only|off|these days|since|as of|again)\b",
    "religion": r"(?:'m\b|'s\b)|\b(?:converted|became|become|baptised|am|is|now|practi[sc]\w+|confirmed|received|joined|church|mosque|synagogue|temple)\b",
    "email": r"\b(?:e-?mail\w*|mail|address|inbox|reach|write)\b",
    "phone": r"\b(?:phone|number|mobile|cell|call|text|ring|reach)\b",
    "native_language": r"\b(?:native|mother tongue|first language)\b",
}
_NO_CUE: Final = {
    "employer": compiled(
        rf"\b{any_of('choir club band gym class course church committee board league library orchestra party union society troupe group')}\b"
    ),
    "occupation": compiled(
        r"\b(?:at home|kids|toddlers?|twins|household|in our house|school play|by night|of the family|the family)\b"
    ),
}
_KIND_OF_PLACE: Final = compiled(
    r"\b(?:house ?boat|narrow ?boat|boat|flat|apartment|cottage|farm\w*|bungalow|dorm\w*|hostel|care home|caravan|van|coast|country\w*|village"
    r"|city|town|island|suburbs?|mountains?|sea|lake|hill|commune|halls|house|mill|barn|studio|loft|council|hospital|school|university|college"
    r"|bakery|ministry|railway|clinic|bank|library|museum|theatre|zoo|newspaper|charity|police|army|navy|post office|hotel|restaurant|cafe|caf\u00e9"
    r"|firm|company|agency|start-?up|shop|store|garage|brewery|factory|ferry|ferries|airline|airport|harbour|port|brigade|station|court|church"
    r"|bookshop|laundry|nursery|kindergarten|pharmacy|surgery|practice|lab\w*|institute|studio|co-?op\w*|self|myself|freelance\w*|own|council"
    r"|garden centre|botanic\w*|observatory|archive|foundation|union|department|office|service|authority|board|publisher|paper|radio|television)s?\b"
)
_NO_VALUE: Final = frozenset(
    stems("quit left leaving stop stopped none nothing gone ended over former lost sold gave no not longer ex")
)
_CUE: Final = {name: re.compile(cue, re.IGNORECASE) for name, cue in _CUES.items()}
_OTHER_WORDS: Final = {
    "marri": compiled(
        r"\b(?:wed|wedded|hitched|tied the knot|said i do|our wedding|newlyweds?|eloped|remarried|made it official|registry office|mrs now|my (?:\w+ )?(?:husband|wife)|husband and wife|honeymoon(?:ed)?)\b"
    ),
    "engag": compiled(
        r"\b(?:proposed|said yes|popped the question|fianc\w+|getting married|asked me to marry|ring on)\b"
    ),
    "divorc": compiled(r"\b(?:divorce|decree)\b"),
    "singl": compiled(r"\b(?:split up|broke up|broken up|on my own again|no longer together|single)\b"),
    "widow": compiled(r"\b(?:lost my (?:husband|wife)|passed away|died|buried|funeral)\b"),
    "separ": compiled(r"\b(?:living apart|time apart|no longer together|moved out)\b"),
}
_WHO_KNOW: Final = frozenset(
    "doctor allergist doctors gp surgeon allergist physio consultant nurse vet dentist hospital test tests scan court judge registrar specialist clinic".split()
)
_DOUBTED: Final[tuple[Mood, ...]] = ("joke", "question", "quote", "hypothesis", "report", "assistant", "negated")


@dataclass(frozen=True, slots=True)
class Assertion:
    """How a turn says a value.

    Attributes:
        mood: "" where it plainly says it, else why not.
        clause: The clause that says it, None where none does.
    """

    mood: Mood
    clause: Clause | None = None

    @property
    def plain(self) -> bool:
        """Whether it is said plainly, of the subject, now."""
        return self.mood == ""

    @property
    def doubted(self) -> bool:
        """Whether the turn doesn't vouch for it at all, at no time: a joke, a question, words of others."""
        return self.mood in _DOUBTED


def asserts(draft: FactDraft, turn: SaidTurn) -> Assertion:
    """Tell how a turn says what a draft claims. Never raises.

    Args:
        draft: Its subject, attribute and object are looked for; nothing else of it is believed.
        turn: The turn that is said to say it.
    """
    if turn.role == "assistant" or turn.origin == "assistant":
        return Assertion("assistant")
    if joking(turn.text):
        return Assertion("joke")
    if cited(turn.text):
        return Assertion("quote")
    plain = unquoted(turn.text)
    wanted = frozenset(stems(draft.object))
    if not wanted <= _NO_VALUE:
        wanted -= _NO_VALUE
    else:
        return Assertion("not said")
    found = _places(wanted, plain)
    if not found:
        quoted = bool(wanted) and wanted <= frozenset(stems(turn.text[:LOOK]))
        return Assertion("quote" if quoted else "not said")
    moods = [(_mood(draft, turn, plain, clause, place), clause) for clause, place in found]
    for why, clause in moods:
        if why == "":
            return Assertion("", clause)
    return Assertion(*moods[0])


def cued(attribute: str, clause: Clause) -> bool:
    """Tell whether a clause speaks of an attribute at all: a town without "live" or "moved" is no home."""
    cue = _CUE.get(attribute)
    scope = clause.before + clause.text
    other = _NO_CUE.get(attribute)
    return cue is not None and cue.search(scope) is not None and not (other and other.search(scope))


def besides(clause: Clause) -> bool:
    """Tell whether a clause adds to what there is: "also", "a second job"."""
    return _BESIDES.search(clause.before + clause.text) is not None


def dated_before(clause: Clause, turn: SaidTurn, moment: int) -> bool:
    """Tell whether a clause itself dates what it says before a moment (microseconds UTC)."""
    return older(clause, turn.said_at, moment)


def _places(wanted: frozenset[str], plain: str) -> list[tuple[Clause, int]]:
    """Return the clauses that say most of a value, and where in the turn each begins to."""
    said = frozenset(stems(plain))
    missing = len(wanted - said)
    others = [pattern for stem, pattern in _OTHER_WORDS.items() if stem in wanted]
    if others and missing:
        matches = [(clause, pattern.search(clause.text)) for clause in clauses(plain) for pattern in others]
        return [(clause, clause.start + match.start()) for clause, match in matches if match]
    if not wanted or missing * 5 > len(wanted) * 2 or (len(wanted) < 3 and missing):
        return []
    places: list[tuple[int, Clause, int]] = []
    for clause in clauses(plain):
        at = [
            (clause.start + word.start(), stem)
            for word in _WORD.finditer(clause.text)
            for stem in stems(word.group())
            if stem in wanted
        ]
        if at:
            places.append((len({stem for _, stem in at}), clause, at[0][0]))
    most = max((count for count, _, _ in places), default=0)
    return [(clause, place) for count, clause, place in places if count == most]


def _mood(draft: FactDraft, turn: SaidTurn, plain: str, clause: Clause, place: int) -> Mood:
    """Tell in what mood, and of whom, a clause says a value that begins at a place of the turn."""
    if (why := mood(clause, lambda who: hearsay(who, draft.subject, turn.speaker))) != "":
        return why
    if draft.attribute in ("residence", "employer") and not _placed(draft, plain, clause):
        return "joke"
    before, after = plain[clause.start : place], plain[place : clause.end]
    if _NEGATED.search(before) or _NEGATED_AFTER.search(re.sub(r"^\w+", "", after)):
        return "negated"
    if speaks_of(draft.subject, turn.speaker, plain, clause, place) != "subject":
        return "other person"
    if _OVER.search(before) and not _STILL.search(before):
        return "past"
    return ""


def _placed(draft: FactDraft, plain: str, clause: Clause) -> bool:
    """Tell whether a home or an employer is named, or of a kind that one can have: nobody lives in a "doorway"."""
    wanted = frozenset(stems(draft.object))
    said = [word.group() for word in _WORD.finditer(clause.text) if not wanted.isdisjoint(stems(word.group()))]
    return any(not word[0].islower() for word in said) or _KIND_OF_PLACE.search(draft.object) is not None


def hearsay(who: str, subject: str, speaker: str) -> bool:
    """Tell whether "`who` says" makes what follows the word of somebody else than the subject or the speaker."""
    if who.casefold() in ("i", "we", "ve", "d") or who.casefold() in _WHO_KNOW:
        return False
    return same(subject, speaker) or not (named_in(who, subject) or who.casefold() in ("he", "she", "they", "s"))
