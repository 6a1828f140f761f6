"""Words that say that something ended: "gave up", "no longer", "died", and of which attributes they may say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from memgraph.writing.patterns import Phrases, any_of

Form = Literal["object", "negation", "thing", "self", "me", "both", "free", "taken", "opposite", "back"]


@dataclass(frozen=True, slots=True)
class Ender:
    """A way to say that something ended.

    Attributes:
        form: Where it says what ended. "object": after it; "negation": after it, up to "any more" or the end;
            "thing": before it; "self": nowhere ("I resigned"); "me": before it, "me" after it;
            "both": "Ann and I split up"; "free": the word before it; "taken": after it, by others; "opposite": after
            it, with "now"; "back": after it, where the fact says that something is not done.
        attributes: The attributes whose facts it can end.
        moves: Whether it only moves a date: the plan is another one, not gone.
    """

    pattern: Phrases
    form: Form
    attributes: frozenset[str]
    moves: bool = False


def _ender(form: Form, attributes: str, *patterns: str, moves: bool = False) -> Ender:
    return Ender(Phrases(*patterns), form, frozenset(attributes.split()), moves)


_BE: Final = (
    r"(?:'s|'re|\bis|\bare|\bwas|\bwere|\bgot|\bgets|\bbeen|\bhas been|\bhave been|\bhad to be)(?: now| all| finally"
    r"| officially| just| been| completely| totally)*"
)
_PASTIMES: Final = (
    "likes habit hobby preference diet medication goal plan language skill possession employer occupation study"
    " religion other"
)
_THINGS: Final = "possession pet residence other"
_WORK: Final = "employer occupation"
_LOVE: Final = "partner marital_status"
_ANY: Final = (
    "residence employer occupation study diet religion partner marital_status likes dislikes preference allergy"
    " health medication"
    " friend colleague pet possession language hobby habit plan goal opinion skill other family"
)

_MONTHS: Final = any_of(
    "january february march april may june july august september october november december spring summer autumn winter"
)
_LEFT: Final = rf"\bleft\b(?! \w+ (?:at|in|on) (?!(?:early |late |mid-?|the )?(?:{_MONTHS}\b|\d)))"
"""Who left Acme in May is no longer there; who left Biscuit in the garden still has him."""

ENDERS: Final[tuple[Ender, ...]] = (
    _ender(
        "object",
        _PASTIMES,
        rf"\b(?:{any_of('stopped quit gave_up given_up packed_in kicked ditched')}"
        rf"|(?:{any_of('dropped swore_off sworn_off')}|{any_of('cut_out abandoned renounced jacked_in')}))\b",
        r"(?:'m|\bam|'s|\bis|'re|\bare) (?:now |finally |officially |so |totally |completely )?(?:done|finished"
        r"|through) with\b",
        r"(?:'m|\bam|'s|\bis|'re|\bare) (?:now |completely |totally |entirely )?off\b(?= (?!to\b|work\b|sick\b|for\b"
        r"|on\b))",
        rf"\b(?:{any_of('gone_off went_off weaned_myself_off come_off')}|(?:{any_of('came_off had_enough_of')}"
        rf"|{any_of('lost_interest_in fallen_out_of_love_with')}))\b",
        r"\b(?:days?|weeks?|months?|years?)(?: \w+)? without\b",
        r"\b(?:live|living|manage|managing|do|get by|getting by) without\b(?=.*\b(?:now|these days|nowadays)\b)",
        r"\b(?:called time on|turned my back on|lost (?:the|my) taste for|hung up|chucked|walked away from|waved off)",
        r"\b(?:since|after) (?:my|his|her) last\b",
        r"\b(?:days?|weeks?|months?|years?|ages) since (?:i|we|he|she) (?:last )?(?:ate|smoked|drank|played|touched"
        r"|rode|drove|swam|ran|had|went)\b",
        r"\b(?:goodbye|farewell|bye-?bye|adieu|so long)(?: to)?\b",
        r"^\W*(?:so )?no more(?= [\w -]+ for (?:me|us)\b)",
        r"\b(?:have|has|'ve|'s)(?:n't| not) (?:touched|eaten|drunk|smoked|played)(?= .{2,40}\b(?:since|in|for)\b)",
    ),
    _ender("object", "residence employer study", r"\b(?:goodbye|farewell|bye-?bye|adieu|so long)(?: to)?\b"),
    _ender("object", "medication", r"\bfinished\b"),
    _ender(
        "object",
        "medication diet habit hobby",
        r"^\W*(?:so |and |well )?no(?= [\w' -]{2,40} (?:any ?more|any longer)\W*$)",
    ),
    _ender(
        "object",
        "possession",
        r"\b(?:live|living|manage|managing|get by|getting by) without\b(?=.*\b(?:now|these days|nowadays)\b)",
    ),
    _ender(
        "object",
        "health",
        r"(?:'m|\bam|'s|\bis) (?:now |finally )?off\b(?= (?:the|my)\b)",
        r"\b(?:took|taken|had)\b(?= (?:the|my) [\w ]{2,20} off\b)",
    ),
    _ender("thing", _LOVE, rf"{_BE} (?:off|called off|cancelled)\b"),
    _ender(
        "object",
        "allergy health",
        r"\bcan (?:now |finally )?(?:eat|drink|have|touch|stroke|pet|use|move)\b(?=.{2,40}\bagain\b)",
    ),
    _ender(
        "object",
        "possession pet",
        r"\b(?:gave|given|passed|handed)\b(?= (?:my|the|our|his|her|it|him|them)\b[\w ]{0,30} (?:to|away|on)\b)",
    ),
    _ender(
        "taken",
        "possession pet",
        r"\b(?:somebody|someone|thieves|a thief|they|some \w+)(?:'s|'ve| has| have)? (?:nicked|stole|stolen|pinched"
        r"|took|swiped)\b",
    ),
    _ender("object", "likes habit hobby other", r"\b(?:deleted|deactivated|unsubscribed from|cancelled)\b"),
    _ender(
        "opposite",
        "likes habit hobby",
        r"\b(?:hate|loathe|detest|despise|can't (?:stand|bear|stomach|face|listen to))\b|(?:'m|\bam|'s"
        r"|\bis) (?:so )?(?:sick|tired|bored) of\b",
    ),
    _ender(
        "opposite",
        "dislikes opinion",
        r"\b(?:love|adore|enjoy|like|hooked on|grown to (?:like|love|enjoy)|come to (?:like|love|enjoy)|warmed to"
        r"|won over by|a fan of|fond of)\b",
    ),
    _ender(
        "back",
        "habit diet likes dislikes hobby medication preference goal",
        r"\b(?:back (?:on|to|at|in)(?: the)?|resumed|restarted|taken up|took up|started|fallen back into"
        r"|slipped back into|relapsed into)\b",
        r"(?:'m|\bam|'s|\bis)(?= \w+ing\b.{0,40}\bagain\b)",
    ),
    _ender(
        "object",
        "health",
        r"(?:'m|\bam|'s|\bis) (?:finally |well |completely |now )*(?:over|rid of|clear of|free of)\b",
        r"\b(?:shaken off|shook off)\b",
    ),
    _ender(
        "thing",
        "health allergy dislikes",
        r"\b(?:does|do|did)(?:n't| not)(?: really)? (?:hurt|ache|bother|itch|trouble|swell|flare)\w*\b"
        r"|\bno longer (?:hurt|ache|bother|itch|trouble)\w*\b",
        r"\b(?:back to normal|fine again|normal again|cleared|clear|clean|pain-free|discharged)\b",
    ),
    _ender(
        "object",
        "possession pet habit hobby likes",
        r"^\W*no(?= [\w' -]{2,40} (?:in (?:this|our|the) house|here|left|for (?:me|us))\b.*\b(?:now|any ?more"
        r"|these days)\b)",
    ),
    _ender("free", _PASTIMES, r"(?<=\w)[- ]free\b(?=\W*$| (?:for|since|now|these days)\b)"),
    _ender("object", "pet", r"\bha(?:d|ve)\b(?= [\w' ]{2,30} put (?:down|to sleep)\b)"),
    _ender(
        "object",
        _THINGS,
        rf"\b(?:{any_of('sold got_rid_of gotten_rid_of gave_away given_away')}"
        rf"|(?:{any_of('donated threw_out thrown_out')}|{any_of('threw_away thrown_away scrapped')}))\b",
        rf"\b(?:{any_of('traded_in swapped binned rehomed re-homed handed_back')}"
        rf"|(?:{any_of('gave_back pawned parted_with')}|{any_of('exchanged lost returned replaced')}))\b",
        rf"\b{any_of('deleted deactivated unsubscribed_from said_goodbye_to waved_goodbye_to flogged chucked_out')}\b",
    ),
    _ender("object", "employer occupation residence partner study hobby religion other", _LEFT),
    _ender(
        "object",
        "employer occupation hobby study",
        r"\blast (?:day|shift|week|class|lesson|rehearsal) (?:at|with|in|as|of)\b",
        r"\b(?:walked out (?:of|on)|gave notice (?:at|to|in)|given notice (?:at|to)|parted ways with"
        r"|parted company with|waved goodbye to)\b",
    ),
    _ender("object", "employer occupation", r"\blost\b(?= (?:my|his|her|the) (?:job|post|position))"),
    _ender("object", "family friend pet partner", r"\blost\b"),
    _ender(
        "object",
        "residence",
        r"\bmoved (?:out of|away from|from)\b",
        r"\bswapped\b",
        r"\bhanded back\b",
        r"\bgave up\b",
    ),
    _ender(
        "object",
        "employer occupation hobby other",
        rf"\b(?:resigned|retired|fired|sacked|laid off|let go|made redundant|stepped down"
        rf"|withdrew) {any_of('from by at as')}\b",
    ),
    _ender(
        "object", "study hobby", r"\b(?:dropped out of|graduated from|withdrew from|expelled from|flunked out of)\b"
    ),
    _ender(
        "object",
        _LOVE,
        r"\b(?:broke up|broken up|split up|split|broke it off|ended (?:it|things)|finished) with\b|\bdivorced\b"
        r"|\bseparated from\b"
        r"|\bdumped\b|\bcalled off\b",
    ),
    _ender(
        "object",
        "plan event goal hobby habit possession other",
        r"\b(?:cancelled|canceled|called off|shelved|scrapped|bailed on|pulled out of|backed out of|dropped"
        r"|abandoned)\b",
    ),
    _ender(
        "object",
        "plan event goal",
        r"\b(?:postponed|pushed back|pushed|rescheduled|brought forward|delayed|put off|put back|moved)\b",
        moves=True,
    ),
    _ender(
        "object",
        "health allergy",
        r"\b(?:recovered from|got over|gotten over|cured of|overcame|overcome|outgrown|outgrew|beaten|rid of)\b",
    ),
    _ender(
        "object",
        "dislikes opinion allergy preference",
        r"\b(?:got over|gotten over|outgrown|outgrew|come round to|came round to|changed my mind about)\b",
    ),
    _ender(
        "negation",
        _ANY,
        r"\b(?:no|not any) longer\b",
        r"\b(?:do|does|ca|is|are|have|has)n't\b|\b(?:do|does|is|are|am|have|has|can)\s*not\b|(?:'m|'s|'re|'ve) not\b"
        r"|\b(?:have|has|'ve|'s) no\b|\bnever\b",
    ),
    _ender(
        "thing",
        "pet family friend partner colleague possession",
        r"\b(?:has |have |had |just )?(?:died|passed away|passed on)\b",
    ),
    _ender(
        "negation",
        "plan",
        r"(?:n't|\bnot)(?= (?:going|coming|doing|flying|having|moving|getting|travelling|running|taking|happening"
        r"|making it)\b)",
    ),
    _ender("thing", _LOVE, r"\b(?:moved out|walked out|packed (?:his|her|their) bags)\b"),
    _ender(
        "thing",
        "likes habit hobby preference diet",
        r"\b(?:does|do) nothing for me\b|\b(?:bores|bore|disgusts?) me (?:now|these days)\b|(?:'s|\bis"
        r"|\bare) (?:all )?(?:a thing of the past|off (?:the|my) menu|behind me)\b",
    ),
    _ender(
        "thing",
        "pet",
        rf"\bcrossed the rainbow bridge\b|\bwent to a new home\b|{_BE} (?:put down|put to sleep|dead|rehomed"
        rf"|run over)\b",
        r"\b(?:ran away|went missing)\b",
    ),
    _ender(
        "thing",
        "possession pet",
        r"\b(?:went|gone) to (?:a|an|my|the|our|its|her|his|some|another)\b|\b(?:flew|flown) (?:away|off|out)\b"
        r"|\bescaped\b",
        r"(?:\bis|\bare)(?:n't| not| no longer) (?:ours|mine|with us|around)\b",
        rf"{_BE} (?:stolen|sold|gone|written off|scrapped|no more|totalled|broken beyond repair|history|dead)\b",
        r"\b(?:gave up the ghost|bit the dust|packed up for good|packed it in|expired|lapsed|got pinched|got nicked"
        r"|conked out|went to (?:the )?scrap\w*|gone to (?:the )?scrap\w*|has a new owner)\b",
    ),
    _ender(
        "thing",
        "plan event goal hobby habit",
        rf"{_BE} (?:cancelled|canceled|called off|off|scrapped|shelved|not happening|dead)\b",
        r"\bfell through\b|\b(?:isn't|not) happening\b|\bfallen through\b|\brained off\b|\bcame to nothing\b"
        r"|\bnothing came of\b",
    ),
    _ender(
        "thing",
        "plan event",
        rf"(?:{_BE}|\bgot) (?:pushed back|postponed|rescheduled|brought forward|delayed|put back|put off|bumped|moved"
        rf"|shifted|pushed)\b",
        moves=True,
    ),
    _ender(
        "thing",
        "plan",
        r"(?:'s|\bis|\bare) now (?:on|at|in)\b|(?:'s|\bis|\bare) (?:on|at|in) [\w ]{2,25} (?:now|instead)\b",
        moves=True,
    ),
    _ender(
        "thing",
        f"{_LOVE} {_WORK} plan study hobby habit health medication residence diet",
        rf"{_BE} (?:over|finished|history|done|behind (?:me|us))\b|\b(?:has |have )?ended\b|\bfell apart\b"
        rf"|\bran out\b|\bcame to an end\b",
    ),
    _ender(
        "thing",
        "health allergy medication",
        rf"{_BE} (?:healed|cured|gone|better|back to normal|in remission|cleared up|off|mended|fine|sorted"
        rf"|as good as new)\b",
        r"\b(?:healed|cleared up|came off|come off|went away|gone away|disappeared|vanished|has mended|mended"
        r"|came out|lifted|let up)\b|\bstopped\b(?=\W*$| (?:since|after|on|in|last|completely|altogether))",
    ),
    _ender(
        "thing",
        f"{_WORK} hobby study",
        rf"\b(?:closed down|shut down|folded|disbanded|went bust|went under|went bankrupt|closed its doors)\b"
        rf"|{_BE} (?:disbanded|bankrupt|closed down)\b",
    ),
    _ender(
        "self",
        _WORK,
        r"\b(?:resigned|retired|handed in my notice|handed in his notice|handed in her notice|quit my job"
        r"|lost my job)\b",
        rf"{_BE} (?:fired|sacked|laid off|made redundant|let go|out of (?:work|a job)|unemployed|jobless)\b",
    ),
    _ender(
        "thing",
        "residence",
        r"(?:\bis|\bare)(?:n't| not| no longer) (?:ours|mine|my home|home)\b",
        rf"{_BE} (?:sold|let to others)\b",
    ),
    _ender("thing", _ANY, rf"{_BE} (?:no more|a thing of the past|no longer (?:part of|with us))\b"),
    _ender(
        "object",
        _PASTIMES + " possession pet health",
        r"\b(?:got|have|'ve|has|there's|there is) no(?: more)?\b(?=.*\b(?:any ?more|now|these days|left)\b)",
    ),
    _ender(
        "object",
        "health",
        r"\bno (?:trace|sign) of\b|\b(?:walk|walking|run|running|sleep|sleeping|see|breathe|manage) (?:\w+ )?without\b",
    ),
    _ender("object", "health", r"(?:'m|\bam|'s|\bis) (?:finally |now |at last )?out of\b"),
    _ender(
        "object",
        "pet",
        r"\b(?:let|put)\b(?= [\w' ]{2,25} go\b)",
        r"\b(?:said (?:our |my )?(?:goodbyes? to|farewell to)|buried|gave up)\b",
    ),
    _ender(
        "thing",
        "pet",
        r"\b(?:did|does)(?:n't| not) (?:wake up|make it|survive|come back|come home)\b|\bfell asleep for good\b",
        r"\b(?:lives?|living) (?:with|at) (?:my|a|the|his|her|our) [\w' ]{2,25}now\b",
    ),
    _ender("self", "residence", r"\bmoved out\b(?! of)"),
    _ender(
        "self",
        _LOVE,
        r"\b(?:divorced|split up|broke up|broken up|separated|called it quits|single again|called it a day)\b",
    ),
    _ender("self", "study", r"\b(?:dropped out|graduated)\b(?! (?:of|from))"),
    _ender(
        "self",
        "health",
        r"\b(?:got the all clear|been given the all clear|fully recovered|in remission|all-clear|tested negative"
        r"|recovered(?! from))\b",
    ),
    _ender(
        "me", _WORK, r"\b(?:let me go|laid me off|fired me|sacked me|made me redundant|gave me the (?:sack|boot))\b"
    ),
    _ender(
        "me",
        _LOVE,
        r"\b(?:dumped me|left me(?=\W*$| for | in | last | on )|divorced me|broke up with me|walked out on me"
        r"|ended (?:it|things))\b",
    ),
    _ender(
        "both",
        "partner marital_status friend",
        r"\b(?:have |has |'ve |just |finally )*(?:split up|split(?=\W*$| in| last| on| this)|broke up|broken up"
        r"|separated|got divorced|divorced|are over|are done"
        r"|called it quits|called it a day|parted ways|went our separate ways|aren't together|don't (?:talk|speak"
        r"|see each other)|fell out|aren't (?:friends|speaking|talking)|are no longer together|are history)\b",
    ),
)

VERBS: Final[dict[str, str]] = {
    verb: attributes
    for verbs, attributes in (
        ("touch touching", "likes diet habit"),
        ("live living lives reside", "residence"),
        ("work working works", "employer occupation"),
        ("eat eating eats drink drinking drinks order ordering", "likes diet habit preference dislikes"),
        ("like liking love loving enjoy enjoying fancy", "likes hobby preference"),
        ("prefer preferring favour favouring", "likes preference"),
        ("hate hating mind minding dislike avoid avoiding", "dislikes"),
        ("have having has own owning", "possession pet allergy health hobby partner"),
        ("keep keeping", "possession pet hobby habit diet religion"),
        ("drive driving ride riding use using carry", "possession habit"),
        (
            "play playing do doing practise practising go going sing singing attend attending train training",
            "hobby habit skill",
        ),
        ("study studying learn learning", "study language hobby skill"),
        ("date dating see seeing", "partner marital_status"),
        ("take taking", "medication habit hobby"),
        ("speak speaking", "language"),
        ("listen listening watch watching read reading follow following", "likes habit hobby"),
        ("run running swim swimming", "habit hobby plan"),
        ("buy buying", "habit"),
        ("want wanting", "goal plan preference"),
        ("need needing wear wearing", "goal plan preference possession medication health habit"),
        ("teach teaching", "occupation employer"),
        ("rent renting", "residence"),
        ("suffer", "health"),
    )
    for verb in verbs.split()
}
"""Verbs that say little of what ended but of which attribute it is."""
