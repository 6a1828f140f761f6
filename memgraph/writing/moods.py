"""In what mood a clause speaks: plainly, or as a question, a wish, a plan, a joke, about the past, for a time.

The rules know English and are meant to doubt too often rather than too rarely: what is doubted closes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from memgraph.writing.clauses import LOOK, Clause, unquoted
from memgraph.writing.patterns import Phrases, any_of, compiled
from memgraph.writing.remembered import of_turns

Mood = Literal[
    "",
    "joke",
    "question",
    "quote",
    "hypothesis",
    "plan",
    "past",
    "temporary",
    "report",
    "negated",
    "other person",
    "assistant",
    "untrusted",
    "not said",
]
"""Why a clause does not plainly say something now; "" where it does."""

_UNITS: Final = any_of(
    "day night week weekend fortnight month term semester season summer winter spring autumn bit while"
)
_COUNT: Final = any_of(
    "a an the one two three four five six seven eight nine ten few couple_of another some several \\d+ the_whole"
    " the_next"
)
_DATES: Final = any_of(
    "january february march april may june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday"
)

_NOBODY: Final = any_of(
    "pirate wizard witch unicorn mermaid vampire superhero dragon alien robot emperor hobbit jedi viking ninja goblin"
    " troll sloth potato"
    " hermit zombie ghost clown astronaut rock_?star lion_tamer knight duke duchess princess prince sorcerer cyborg"
    " cave_?man bear squirrel"
    " hamster doormat slave servant monarch spy legend saint genius_inventor millionaire billionaire"
)
_JOKE: Final = Phrases(
    rf"\b{any_of('haha+ hehe+ lol lmao rofl jk j/k arr+ arrgh ahoy')}\b",
    rf"\b{any_of('just only totally obviously clearly merely')} {any_of('joking kidding messing teasing trolling')}\b",
    rf"\bi(?:'m| am|'d be) {any_of('joking kidding')}\b|\bkidding[!.,]|\bnot really[!.]|\bsaid no one\b|\bapril fool"
    rf"|\bas if[!.]",
    # What nobody is, nowhere anybody lives, nothing anybody marries.
    rf"\b(?:an?|full-time|professional|official|officially|resident|the \w+|become|became) (?:\w+ )?{_NOBODY}s?\b",
    r"\b(?:cowboy|king|queen|god|goddess|lord|ruler|empress|sultan|supreme leader) of\b"
    r"|\b(?:on|to|in) (?:the moon|mars|narnia|hogwarts|mordor|atlantis|middle-earth|cloud nine|denial|outer space"
    r"|orbit)\b",
    rf"\b(?:full-time|professional|world-class|certified|chief|resident) (?:\w+ )?"
    rf"(?:{any_of('napper sleeper hermit couch sofa procrastinator hobo')}"
    rf"|{any_of('layabout worrier lounger biscuit snack cat dog nap')})\b",
    r"\b(?:married|wedded|engaged) to (?:the|this|that) (?!man|woman|love|best|most|guy|girl|kindest|person|one)\w",
    rf"\b(?:married|engaged|wedded|divorced|dating|divorcing) (?:to )?(?:my|the|this|a|our|to) (?:\w+ ){{0,2}}"
    rf"(?:{any_of('job work sofa couch bed gym laptop desk phone')}|(?:{any_of('cat dog sourdough fridge kettle')}"
    rf"|{any_of('spreadsheet coffee inbox tv pillow')}))\b",
    # What animals, children and machines give nobody: a post.
    rf"\b(?:cat|dog|toddler|baby|kids|kid|kitten|puppy|goat|hens|fridge|kettle|sourdough|algorithm|weather)(?:'s"
    rf"|s)? (?:has |have |just |now )*"
    rf"{any_of('hired promoted fired made appointed employs employed sacked named elected demoted divorced')}\b",
    rf"\b(?:head|minister|ceo|director|chief|manager|president|mayor|officer|secretary|professor|master"
    rf"|vice-president) of (?:\w+ )?"
    rf"(?:(?:{any_of('biscuits snacks naps socks')}|{any_of('laundry dishes washing dishwashers')})"
    rf"|(?:{any_of('bins crumbs nappies cuddles')}|{any_of('tea cake procrastination nothing')}))\b",
    rf"\b(?:work|working|works|employed|hired|butler|chef|chauffeur|driver|servant|slave|staff|valet|secretary|pillow"
    rf"|landlord|doorman) "
    rf"(?:to|for|of|by|at) (?:my|the|our|a) (?:\w+ )?(?:{any_of('cat dog toddler kitten puppy baby')}"
    rf"|{any_of('hens goat kids teenagers devil sourdough')})\b",
    # A comic conclusion: "so obviously I'm a plumber now".
    r"\bso (?:obviously|clearly|evidently|naturally|technically|basically) i(?:'m| am)\b"
    r"|\b(?:that|which|this) makes me an?\b|\baddress me (?:as|accordingly)\b|\bby (?:that|this) logic\b",
    r"\b(?:taxi service|full-time taxi|unpaid)\b|\bchief \w+ (?:peeler|washer|picker|taster|officer of)\b",
    rf"\b(?:live|living|moved|sleep|sleeping) (?:\w+ )?(?:in|at|on|into|to) (?:my|the|this|our) (?:\w+ )?"
    rf"(?:(?:{any_of('office gym library lab car kitchen bath')}"
    rf"|{any_of('airport sofa couch bed fridge garage supermarket')})"
    rf"|(?:{any_of('pub ikea shed garden tent attic basement')}"
    rf"|{any_of('cellar tub bathtub hammock lift queue inbox')}))\b",
)
_SMILEY: Final = compiled(
    r"[\U0001f602\U0001f923\U0001f61c\U0001f609\U0001f61d\U0001f643]|(?:[;:]|(?<!\S)8)[-']?[)PpD](?!\w)"
)
_FICTION: Final = Phrases(
    rf"\b{any_of('dreamt dreamed nightmare daydream daydreaming')}\b|\b(?:in|had) (?:my|a|the"
    rf"|this) (?:\w+ ){{0,2}}dream\b",
    rf"\bin (?:my|the|a|this|our) (?:\w+ )?(?:{any_of('game novel story play film movie')}"
    rf"|{any_of('book show series song campaign musical sketch')})\b",
    r"\bmy character\b|\brole-?play|\bplaying (?:the )?(?:part|role) of\b|\bthe sims\b|\bd&d\b|\blyrics?\b",
)
_HYPOTHESIS: Final = Phrases(
    rf"\b(?:{any_of('would might could should')}(?:n't)?|{any_of('maybe perhaps probably possibly likely ought')})\b",
    r"(?-i:\bmay\b)|\b(?:almost|nearly|practically|basically|virtually|sort of|kind of)\b(?! everyone| all)"
    r"|\bhalf[- ](?!the\b|an?\b|of\b|my\b|our\b|past\b|term\b|price\b)\w",
    rf"\b(?:{any_of('tempted considering debating')}|{any_of('contemplating wondering weighing')})\b"
    rf"|\btoy(?:ing)? with\b|\bfe(?:els?|lt) like\b",
    r"\b(?:part|half) of (?:me|us)\b|\bmy (?:heart|soul|mind)\b|\bin (?:my (?:head|mind|heart)|spirit)\b|\bat heart\b"
    r"|\b(?:some|most) days\b|\bsometimes\b",
    r"\bon paper\b",
    r"\bthinking (?:of|about)\b|\bas (?:though|if)\b|\bmight as well\b|\bnot sure\b|\bwere i\b|\blet's say\b"
    r"|\bin an ideal\b",
    r"\b(?:i|we|you|he|she|they)'d (?!\w+ed\b|been\b|gone\b|had\b|left\b|sold\b|quit\b|given\b|got\b|become\b"
    r"|better not\b)",
)
_SAYS_SELF: Final = any_of("think guess suppose reckon believe imagine assume presume figure gather suspect fancy feel")
_DOUBT: Final = Phrases(
    r"\bwhether\b|\b(?:i|we) wonder\b",
    # "I think I live in Bergen": not "I think that's great".
    rf"\b(?:i|we) (?:\w+ly |do |still |now |just |kind of |sort of )*{_SAYS_SELF}(?: that| like)? (?=(?:i|we|my"
    rf"|our|he|she"
    r"|they|(?-i:[A-Z][a-z]+))\b)",
    r"\b(?:seems?|appears?) (?:to|that|like|as if|as though)\b|\bi must (?!say|admit|confess|tell|have|go|be off)\w+"
    r"|\b(?:i|we) (?:\w+ )?feel\b(?! (?:better|great|fine|well|good|at home|free))|\bi'd say\b|\bas far as\b"
    r"|\b(?:if )?memory serves\b|\bor so it (?:seems|feels)\b",
)
"""What the speaker does not vouch for, in what a clause says itself."""
_FIGURE: Final = Phrases(
    r"\bas (?:though|if)\b|\binwardly\b|\bin effect\b|\bas good as (?!new|it|ever|any|the)|\ball but (?!one|two"
    r"|the|my)\w"
    r"|\bwith one foot\b|\b(?:officially|formally|legally|administratively),? at least\b"
    r"|\bat least (?:officially|formally|legally|in theory|in spirit)\b",
    r"\bin (?:my|our|his|her|their) (?:own )?(?:head|mind|heart|dreams?|imagination|thoughts|fantas(?:y|ies)|soul"
    r"|daydreams?|opinion|own eyes)\b",
    r"\bin (?:spirit|name only|a sense|a way|a manner of speaking|thought)\b|\bat heart\b|\bdeep down\b"
    r"|\bso to speak\b|\b(?:my|our) (?:brain|thoughts|imagination|head (?:is|lives|works))\b|\bas it were\b"
    r"|\b(?:figuratively|metaphorically|mentally|emotionally|spiritually"
    r"|theoretically|nominally|notionally|technically|virtually)\b",
    r"\b(?:more or less|pretty much|a bit of an?|by training)\b"
    r"|(?:'m|\bam|'s|\bis|'re|\bare) (?:now )?like (?:an?|the|my)\b",
)
"""What is not meant as it stands, wherever in a sentence it says so."""
_AFTERTHOUGHT: Final = re.compile(
    rf"^[\s,;:.\u2013\u2014(-]*(?:at least |or so )?(?:i|we) {_SAYS_SELF}\b(?=\W*$|[,;)])", re.IGNORECASE
)
_FORETHOUGHT: Final = re.compile(rf"\b(?:i|we) {_SAYS_SELF}\W*$", re.IGNORECASE)
_AT_LAST: Final = re.compile(rf"\w (?:i|we) {_SAYS_SELF}\W*$", re.IGNORECASE)
_SCOPING: Final = Phrases(
    rf"\bif\b(?! (?:you (?:{any_of('want like need ever are fancy')}|{any_of('know hear see ask must wonder care')})"
    rf"|only you|that's ok))",
    rf"\b(?:{any_of('unless imagine imagining suppose supposing wish')}|(?:{any_of('wishing pretend pretending')}"
    rf"|{any_of('hypothetically fantasise fantasize')}))\b",
    r"\bhad i\b|\bif only\b|\b(?:parallel|alternative|another|other) (?:universe|life|world|timeline)\b|\bnext life\b"
    r"|\bsee myself\b"
    r"|\bthought experiment\b|\blottery\b|\bin a world\b|\bwould you\b|\bdaydream\w*",
    r"\bwhat if\b|\bin theory\b|\bin another life\b|\bsay (?:i|we)\b|\bpicture (?:it|this|me)\b|\bwere (?:i|we) to\b"
    r"|\bprovided\b|\bassuming\b|\bin case\b|\bdepends? on\b",
)
_PLAN: Final = Phrases(
    rf"\bwon't\b|\b(?:{any_of('will shall gonna wanna tomorrow soon someday')}"
    rf"|{any_of('eventually intend intends hope hopes hoping hopefully')})\b",
    r"\w'll\b|\bgoing to (?!the\b|a\b|my\b|(?-i:[A-Z])|\w+(?:s|ing)\b|church\b|mass\b|work\b|school\b|yoga\b|choir\b"
    r"|therapy\b|football\b|bingo\b)|\b(?:one|some) day\b|\babout to\b|\blooking (?:for|at|to|into"
    r"|forward)\b",
    r"\b(?:plan|plans|planned|planning|want|wants|wanted|would like|would love|need|needs|ready|set|due|supposed"
    r"|trying|try"
    r"|tried|decided|promised|promise|aim|aiming|dying|hoped|have|has|got|able|free|offered|invited|asked|about|meant"
    r"|vowed"
    r"|resolved|swore|time|thought) to \w",
    rf"\bnext (?:week|weekend|month|year|spring|summer|autumn|fall|winter|term|semester|{_DATES})\b|\bcan't wait\b",
    r"\b(?:appl(?:y|ied|ying)|interview(?:ed|ing|s)?|offer(?:ed|s|ing)?|shortlisted|in the running"
    r"|on the waiting list)\b",
    r"\b(?:once|when|as soon as|the day|the moment|after|before|by the time|until|till) (?:i|we|he|she|they)(?:'m| am"
    r"|'re| are|'ve| have)?"
    rf" (?:{any_of('move get start retire finish leave join settle quit sell graduate marry')})\b",
    r"\b(?:once|as soon as|by the time|until|till|(?:when|after|before|the day|the moment)(?= \w+(?:'ve| have)\b))"
    rf" (?:i|we|he|she|they)(?:'ve| have)? {any_of('moved retired finished settled')}\b",
    rf"\b(?:am|'m|are|'re|is|'s) (?:\w+ )?(?:{any_of('moving joining starting leaving')}"
    rf"|{any_of('quitting selling giving_up stopping switching')})\b",
    rf"\b(?:am|'m|are|'re|is|'s) (?:\w+ )?(?:{any_of('becoming retiring changing')}"
    rf"|{any_of('cancelling canceling returning transferring')})\b",
    r"\b(?:am|'m|are|'re|is|'s) (?:\w+ )?getting (?:\w+ )?(?:married|divorced|engaged|rid|hitched|a new)\b",
    rf"\b(?:i|we|they) (?:\w+ly )?(?:{any_of('move join start leave begin retire')}"
    rf"|{any_of('marry sell give_up stop resign switch')})\b",
    also=("has to", "have to"),
)
_PAST: Final = Phrases(
    r"\bused to\b|\bback (?:then|when|in (?:the|my|19|20|those))|\bin those days\b|\bat the time\b|\bin the old days\b",
    r"\b(?:when|while|after|before|where|since) (?:i|we|he|she|they) (?:was|were|lived|worked|studied|had|did)\b",
    r"\bas an? (?:\w+ )?(?:kid|child|student|teenager|teen|boy|girl|baby|youngster|intern|apprentice|undergraduate)\b",
    r"\bin my (?:\w+ )?(?:twenties|thirties|forties|youth|childhood|teens|days?|years|past|student|school|first"
    r"|former)\b",
    r"\b(?:a (?:decade|lifetime|century)|decades|ages|many years|years(?! old)) (?:ago|back)\b|\blong ago\b"
    r"|\bonce upon\b",
    r"\boriginally\b|\bgrew up\b|\bgrowing up\b|\bformerly\b|\bpreviously\b|\bformer\b|\bex-|\bmy (?:first|old"
    r"|previous|last) (?:job|home|flat|house|employer|school|boss|husband|wife)\b|\bfor a time\b|\bpreviously\b",
    r"\b(?:i|we|he|she|they) once\b|\bonce (?:lived|worked|owned|had|dated|was|studied)\b|\bat one point\b",
    r"\b(?:19|20)\d\d\s*(?:to|-|\u2013|until|till|through)\s*(?:19|20)?\d\d\b|\b(?:until|till|in the early"
    r"|in the late) (?:19|20)\d\d",
)
_TEMPORARY: Final = Phrases(
    rf"(?<!been )\bfor (?:just |only |about |around |at least )?(?:{_COUNT} )?(?:(?:more|long|short|whole|full|entire"
    rf"|next|coming|odd|good) )?{_UNITS}s?\b(?! shift)",
    rf"\bfor (?:lent|ramadan|advent|today|the day|the (?:time being|duration|evening|holidays?|moment)|now|{_DATES}"
    rf"|a change|once|charity)\b",
    r"\bat (?:my|his|her|our|their) (?:\w+ )?\w+'s\b",
    r"\b(?:dry|sober) (?:january|july|october|month)\b|\bveganuary\b|\b(?:until|till|'til)\b(?! now| recently)",
    r"\b(?:visiting|visited|on a visit|holidays?|vacation|city break|on leave|layover|conference|workshop|summit|trip"
    r"|on tour"
    r"|temporar(?:y|ily)|temping|temp|short[- ]term|crash(?:ed|ing)|(?:house|cat|dog|pet)-?sit\w*|passing through"
    r"|stint|interim)\b",
    r"\b(?:staying|stopping|sleeping|kipping|camping|parked|stuck) (?:over |here |there )?(?:with|at|in|on)\b"
    r"|\bsecond(?:ment|ed)\b"
    r"|\bhoneymoon|\b(?:covering|filling in|standing in|subbing|stepping in|deputising|acting)(?: for| as|,)"
    r"|\bmaternity cover\b",
    r"\b(?:airbnb|hostel|guest ?room|spare room|hotel room|on loan|break from|taking a break"
    r"|paus(?:e|ed|ing)|on hold|for practice|on probation|a trial|as an experiment|as a favou?r)\b",
    also=("'s",),
)
_LASTING: Final = compiled(r"(?:\bhave|\bhas|'ve|'s) (?:\w+ )?been\b|\bbeen\b.*\bfor\b|\bnow\b|\balready\b")
_THIS: Final = Phrases(
    rf"\b(?:this|all) (?:(?:{any_of('week weekend month summer winter spring')}"
    rf"|{any_of('autumn fall term semester season year evening')}))\b",
    r"\b(?:today|tonight|at the moment|right now)\b|\bborrow\w*",
)
_CHANGED: Final = Phrases(
    r"\b(?:(?!stayed|rented|visited|worked|lived|camped|looked|enjoyed|travelled|toured|crashed|borrowed|needed"
    r"|wanted|tried|helped|booked"
    r"|stopped over|played|watched|cooked)\w{2,}ed|became|become|quit|sold|left|gave|given|split|made|went|gone|got"
    r"|let|began|bought|as of|since|officially|first|new"
    r"|now|finally|put|took|taken|came|woke|slept|hung|done|started|back)\b",
    also=("as of",),
)
_CITED: Final = Phrases(
    r"\b(?:quote|unquote|quoting|verbatim|word for word|forwarded|fwd|copied from|pasted|translation|translate"
    r"|dictation|subtitles?)\b"
)
_REPORT: Final = re.compile(
    rf"(?P<who>\b\w+\b)(?:'s| has| have| had| just| always| once| also| still| keeps?| kept)*\s+"
    rf"(?:(?:{any_of('says said saying thinks thought claims claimed')}"
    rf"|{any_of('told tells reckons reckoned insists insisted swears swore')})"
    rf"|(?:{any_of('believes believed assumes assumed jokes joked texted')}"
    rf"|{any_of('wrote writes announces announced heard suggests suggested')}))\b",
    re.IGNORECASE,
)
_HEARSAY: Final = Phrases(
    r"\b(?:people|everyone|everybody|some|many|others|they|you|most) (?:all )?(?:think|say|believe|assume|claim"
    r"|reckon)\b",
    r"\b(?:apparently|supposedly|allegedly|rumou?rs?|rumou?red|according to|word is|they say|people say|i heard"
    r"|i hear|gossip|reportedly"
    r"|as (?:my|the) \w+ (?:put|puts|says|said)|headline|lyrics?|caption|the saying|proverb|horoscope|fortune cookie)\b"
    r"|\b(?:was|is|were|'s|be|all) like,|\b(?:goes|went),|\bin (?:her|his|their) words\b",
    r"\b(?:one|bit|part|line|verse|thing|ones|words) (?:that|which|where it) (?:goes|go|says?|runs|reads)\b"
    r"|\b(?:singing|sings|sang|humming|chanting|reciting):? (?:i|i'm|i've|we|my)\b",
    rf"\b{any_of('tune jingle ballad refrain ditty earworm lullaby carol melody track shanty riff ringtone')}\b"
    r"[^:.!?]{0,60}(?::|\b(?:reads?|goes|says|went|saying|runs)\b)",
    rf"\b(?:{any_of('song chorus t-?shirt mug sticker sign graffiti postcard')}"
    rf"|(?:{any_of('note voicemail text message')}|{any_of('letter e-?mail words motto slogan')}))"
    r"\b[^:.!?]{0,60}(?::|\b(?:reads?|goes|says|went|saying|runs)\b)",
    rf"\b{any_of('advert ad poster caption status profile poem line tattoo hymn anthem rhyme limerick')}"
    r"\b[^:.!?]{0,60}(?::|\b(?:reads?|goes|says|went|saying|runs)\b)",
)
_TAKEN_BACK: Final = Phrases(
    r"\b(?:apparently|supposedly|allegedly|reportedly|in theory|on paper|hopefully|fingers crossed|touch wood"
    r"|knock on wood|or so|not really"
    r"|according to|if all goes|god willing|inshallah|(?:said|says|sings|sang) (?:my|the|his|her|he|she|everyone"
    r"|(?-i:[A-Z])\w+)|they say|i (?:wish|hope|dream)|in my dreams|one day|joking|kidding|sort of|maybe"
    rf"|perhaps|probably)\b|\bif\b(?! (?:you (?:{any_of('want like need ever are fancy')}"
    rf"|{any_of('know hear see ask must wonder care')})|only you|that's ok))",
)
_ASKS: Final = re.compile(
    rf"^\s*(?:and |so |or |but |well |hey )?(?:{any_of('should shall could would can do does did')}"
    rf"|{any_of('is are was were have has had will may')})"
    rf"(?:n't)? (?:i|we|you|he|she|they|it|the|my)\b",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(
    r"\b(?:in|since|from|of|during|summer|autumn|spring|winter|way back in|around)\s+((?:19|20)\d\d)\b", re.IGNORECASE
)
_AGO: Final = re.compile(r"\b(\w+) (year|month|week|day)s? (?:ago|back)\b", re.IGNORECASE)
_NUMBERS: Final = {
    word: count
    for count, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
} | {"a": 1, "an": 1, "last": 1, "few": 3, "couple": 2, "several": 4}
_DAYS: Final = {"year": 365, "month": 30, "week": 7, "day": 1}


def cited(text: str) -> bool:
    """Tell whether a turn says that it hands on the words of others."""
    return _cited(text[:LOOK])


def joking(text: str) -> bool:
    """Tell whether a turn shows that it is not meant, or tells a dream or a story."""
    return _joking(text[:LOOK])


# A turn is asked about once for every fact that it could end.
@of_turns
def _cited(text: str) -> bool:
    return _CITED.stands_in(text)


@of_turns
def _joking(text: str) -> bool:
    plain = unquoted(text)
    return _JOKE.stands_in(plain) or _FICTION.stands_in(plain) or _SMILEY.search(plain) is not None


def mood(clause: Clause, hearsay: Callable[[str], bool] = lambda who: True) -> Mood:
    """Tell in what mood a clause speaks. Negation and the person are looked at elsewhere.

    Args:
        clause: The clause.
        hearsay: Tells of a word that stands before "says" whether it is somebody whose word counts for nothing here.
    """
    said = clause.text
    scope = clause.before + said
    if clause.asked or _ASKS.match(said):
        return "question"
    if _HYPOTHESIS.stands_in(said) or _SCOPING.stands_in(scope) or _TAKEN_BACK.stands_in(clause.after):
        return "hypothesis"
    if hedged(clause):
        return "hypothesis"
    if _PAST.stands_in(said) or _PAST.stands_in(clause.before):
        return "past"
    if _PLAN.stands_in(said):
        return "plan"
    if any(not (found.group().startswith("for") and _LASTING.search(said)) for found in _TEMPORARY.finditer(said)) or (
        _THIS.stands_in(said) and not _CHANGED.stands_in(said)
    ):
        return "temporary"
    if _HEARSAY.stands_in(scope) or any(hearsay(found["who"]) for found in _REPORT.finditer(scope)):
        return "report"
    return ""


def hedged(clause: Clause) -> bool:
    """Tell whether the speaker only thinks so, or means it otherwise: "I live there, I think", "in my head"."""
    return (
        _FIGURE.stands_in(clause.before + clause.text)
        or _FIGURE.stands_in(clause.after)
        or _DOUBT.stands_in(clause.text)
        or _AT_LAST.search(clause.text) is not None
        or _AFTERTHOUGHT.search(clause.after) is not None
        or _FORETHOUGHT.search(clause.before) is not None
    )


def older(clause: Clause, said_at: int, than: int) -> bool:
    """Tell whether a clause dates what it says before a moment (microseconds UTC): "in 2019", "ten years ago"."""
    scope = clause.before + clause.text
    moment = _utc(than)
    if any(int(found) < moment.year for found in _YEAR.findall(scope)):
        return True
    for count, unit in _AGO.findall(scope):
        number = int(count) if count.isdecimal() and len(count) < 4 else _NUMBERS.get(count.lower(), 0)
        if number and _utc(said_at) - timedelta(days=number * _DAYS.get(unit.lower(), 1)) < moment:
            return True
    return False


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 2_000 * 365 * 86_400 * 1_000_000


def _utc(us: int) -> datetime:
    """Return a time as a datetime, kept within what one can hold with room to subtract."""
    return _EPOCH + timedelta(microseconds=max(min(us, _LONGEST), -_LONGEST // 3))
