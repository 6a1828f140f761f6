"""Rules for what came to an end, what happened and what is intended."""

from __future__ import annotations

from typing import Final

from memgraph.writing import lexicon
from memgraph.writing.rules import (
    ADV,
    ANY,
    BE,
    DONE,
    KIN,
    MY,
    NAME,
    NP,
    PLACE,
    PROPER,
    SHORT,
    STOP,
    Rule,
    says,
)

_GONE: Final = r"(?: any ?more| any longer| now| these days| nowadays)"
_STATIVE: Final = (
    "wanted|needed|liked|loved|hated|hoped|seemed|believed|used|wished|planned|preferred|remembered|assumed"
    "|expected|wondered"
    "|mentioned|realised|realized|agreed|promised|lived|worked|existed|belonged|owned|feared|doubted|supposed"
    "|looked like"
    "|appeared|tended|guessed|figured|meant|married|engaged|divorced|separated|widowed|need|supposed|tired|bored"
    "|excited"
)
_TURNS: Final = frozenset(
    "had been gone quit stopped got turned promoted married divorced separated set spent moved joined left started"
    " adopted"
    " learned learnt became rescued switched swapped retired resigned hired began enrolled enlisted rented leased lived"
    " stayed worked".split()
)
"""Verbs that begin or end a state: a rule for the state takes them, or none does."""
_SPENT: Final = "|".join(sorted(lexicon.PAST - _TURNS))
_NO_EVENT: Final = f"{_STATIVE}|{'|'.join(sorted(word for word in _TURNS if word.endswith('ed')))}"
_ASKING: Final = (
    r"(?! (?:know|ask|see|say|make sure|understand|hear|check|talk|tell|be|believe|think|thank"
    r"|apologise|avoid|go back|hear|miss|admit)\b)"
)
_NOTHING: Final = (
    r"(?! (?:it|that|this|them|you|to be|me|laughing|thinking|wondering|out of|like|as|about it|what|how|why|something"
    r"|anything|nothing|everything|your|yours)\b)"
)

_DIET: Final = "|".join(word.replace("\\ ", " ") for word in lexicon.DIETS)

ENDINGS: Final = (
    Rule(
        "allergy",
        says(
            f"{BE}(?P<o> (?:not|no longer)(?: \\w+)?? allergic to [^.,;:!?()\u2014\u2013\u2026\\0]+?){STOP}",
            f"{ADV}(?P<o> (?:isn['’]t|aren['’]t) allergic to [^.,;:!?()\u2014\u2013\u2026\\0]+?){STOP}",
        ),
        who=ANY,
        confidence=0.85,
        importance=0.9,
    ),
    Rule(
        "diet",
        says(
            rf"{BE} (?:not|no longer)(?: an?)?{ADV} (?P<o>(?:{_DIET}))\b(?! (?:restaurant|food|place|meal|shop"
            rf"|option))",
        ),
        who=ANY,
        confidence=0.88,
        importance=0.8,
    ),
    Rule(
        "preference",
        says(
            f"{ADV} no longer (?:want|prefer|need|like)(?! to\\b) {SHORT}",
            f"{ADV} (?:don['’]t|do not) (?:want|prefer|need)(?! to\\b) {SHORT}{_GONE}",
        ),
        confidence=0.8,
    ),
    Rule(
        "diet",
        says(
            f"{DONE} (?:stopped|quit|given up|gave up|cut out|gone off|packed in|sworn"
            " off)(?: eating| drinking)? (?P<o>meat|dairy|gluten|sugar|fish|bread|chocolate"
            r"|cheese|eggs|red meat|pork|beef)\b",
        ),
        who=ANY,
        confidence=0.9,
        importance=0.7,
    ),
    Rule(
        "diet",
        says(
            f"{DONE} (?:stopped|quit|given up|gave up) eating {SHORT}",
        ),
        who=ANY,
        confidence=0.88,
    ),
    Rule(
        "medication",
        says(
            f"{DONE} (?:stopped|quit|finished) taking (?:the |my |any )(?P<o>(?!bus|train|tube|car|lift|stairs|tram"
            f"|ferry"
            r"|metro|dog|kids|bins|minutes|class|lessons|blame|rubbish|piss|children|boat|bike|same|exams?|driving"
            r"|finals|photos|part|courses|orders)[a-z]+)\b(?! (?:to|out))",
        ),
        who=ANY,
        confidence=0.85,
        importance=0.7,
    ),
    Rule(
        "habit",
        says(
            f"{DONE} (?:stopped|quit|given up|gave up|packed in|cut out|sworn off)(?: drinking)?"
            " (?P<o>smoking|cigarettes|vaping|energy drinks|social media|alcohol|coffee"
            f"|caffeine|booze|wine|beer|drinking|[a-z]+ing(?: [^.,;:!?]+?)??){STOP}",
            " quit (?!my|the job)(?P<o>[a-z]+(?: [a-z]+)??) cold",
        ),
        who=ANY,
        confidence=0.85,
    ),
    Rule(
        "employer",
        says(
            f"{ADV} (?:don['’]t|do not|doesn['’]t|no longer) works? (?:at|for|with) (?P<o>{PROPER}"
            rf"|the [\w'’-]+(?: [\w'’-]+)?)(?:{_GONE})?",
            f"{DONE} (?:left|quit|resigned from|been (?:fired|laid off|made redundant)(?:"
            rf" from| by)?)(?: my job (?:at|with))? {NAME}(?=,|\.|!|;|$| (?:in|on|last|after"
            r"|yesterday|for|to|two)\b)",
            f"{DONE} (?P<o>quit my job|lost my job)",
        ),
        who=KIN,
        confidence=0.8,
        importance=0.7,
    ),
    Rule(
        "residence",
        says(
            f"{ADV} (?:don['’]t|do not|doesn['’]t|no longer) lives? (?:in|at|on) {PLACE}",
            f"{DONE} (?:left|moved out of) (?:the )?{PLACE} (?:flat|house)",
            f"{DONE} moved out of {PLACE}",
        ),
        who=ANY,
        confidence=0.85,
    ),
    Rule(
        "possession",
        says(
            f"{DONE} sold (?:my|our|the) {SHORT}",
            f"{ADV} (?:don['’]t|do not|doesn['’]t|no longer) (?:have|own) (?:a|an|the|my|any) {SHORT}",
        ),
        who=KIN,
        confidence=0.85,
    ),
    Rule(
        "partner",
        says(
            " and I(?:['’]ve| have)? (?P<o>split up|broken up|broke up|separated)",
        ),
        who=frozenset(("name",)),
        confidence=0.85,
    ),
    Rule(
        "hobby",
        says(
            rf"{BE} not in (?:the|a) (?P<o>[\w ]+?){_GONE}",
            rf"{DONE} left (?:the|my|our) (?P<o>(?:[\w'’-]+ ){{0,3}}(?:choir|band|club|team"
            r"|orchestra|class|group|league))\b",
        ),
        confidence=0.8,
    ),
    Rule(
        "dislikes",
        says(
            f" no longer (?:mind|hate|dislike) {NP}",
        ),
        confidence=0.8,
    ),
    Rule(
        "likes",
        says(
            f"(?: no longer| don['’]t| do not) (?:like|love|enjoy) {SHORT}{_GONE}",
            f"{DONE} gone off {NP}",
        ),
        confidence=0.8,
    ),
    Rule(
        "habit",
        says(
            " (?:no longer|doesn['’]t|don['’]t)(?P<o> (?!know|think|have|want|need|see"
            f"|feel|get|like|care|work|live|eat|own|love)[a-z]+(?: [^.,;:!?]+?)??)(?:{_GONE}"
            f"|(?<=no longer)){STOP}",
        ),
        who=ANY,
        confidence=0.75,
    ),
)
"""What was and is no more."""

RETRACTIONS: Final = (
    Rule(
        "pet",
        says(
            " was (?:joking|kidding|lying|making it up|pulling your leg)(?: about)? (?:the"
            rf" |my |having a )?(?P<o>{'|'.join(sorted(lexicon.PETS, key=len, reverse=True))})\b",
        ),
        confidence=0.9,
    ),
    Rule(
        "other",
        says(
            f" was (?:joking|kidding|lying|making it up|pulling your leg) about (?:the |my |having )?{NP}",
        ),
        confidence=0.85,
    ),
    Rule(
        "other",
        says(
            r" meant (?P<o>[^.,;:!?]+?)(?=,? not\b|,? and not\b)",
        ),
        confidence=0.8,
    ),
)
"""What was said and never true."""

PLANS: Final = (
    Rule(
        "plan",
        says(
            f"{BE}(?: going to|  ?planning (?:to|on)|planning (?:to|on)| hoping to| about"
            rf" to| due to| meant to| supposed to)(?P<o>{_ASKING} [^.;:!?()\u2014\0]+?){STOP}",
        ),
        kind="plan",
        who=ANY,
        confidence=0.8,
    ),
    Rule(
        "plan",
        says(
            f"(?:{ADV} (?:plan|intend|hope|mean|aim) to|['’]ve decided to| have decided"
            rf" to)(?P<o>{_ASKING} [^.;:!?()\u2014\0]+?){STOP}",
        ),
        kind="plan",
        who=KIN,
        confidence=0.8,
    ),
    Rule(
        "plan",
        says(
            rf"{ADV}(?:{BE}(?= \w+ing\b)(?! (?:dying|kidding|joking|feeling|thinking|hoping|expecting"
            rf"|looking forward))|['’]ll{ADV}| will{ADV})(?P<o>{_ASKING} [^.;:!?()\u2014\0]+?){STOP}",
        ),
        kind="plan",
        who=ANY,
        confidence=0.72,
        dated=True,
    ),
    Rule(
        "plan",
        says(
            f"{BE}(?P<o> (?:leaving|moving|starting|getting married|getting divorced|quitting"
            rf"|changing jobs|retiring|emigrating|expecting (?:(?:a|an|our|my|another) )?(?:(?:first|second|third"
            rf"|fourth)\b"
            rf"|(?:[a-z]+ )?(?:baby|child|boy|girl|twins|triplets)))\b[^.;:!?()\u2014\0]*?){STOP}",
        ),
        kind="plan",
        who=ANY,
        confidence=0.75,
    ),
    Rule(
        "plan",
        says(
            rf"(?:{ADV} have|['’]ve got| have got|['’]ve)(?P<o> (?:a|an|my|the)(?: [\w'’-]+){{0,4}}?"
            " (?:appointment|interview|exam|viewing|scan|check-up|race|concert|gig|flight"
            rf"|meeting|deadline|lesson|test|operation|surgery|wedding|recital|shift)\b[^.;:!?()\u2014\0]*?){STOP}",
        ),
        kind="plan",
        confidence=0.8,
    ),
    Rule(
        "plan",
        says(
            r"(?P<o>(?: [\w'’-]+){0,3}? (?:appointment|interview|exam|wedding|party|flight"
            "|operation|surgery|scan|race|test|concert|recital|viewing|course|training"
            "|holiday|housewarming|graduation|deadline|due date|lesson|class|check-up"
            "|exhibition|show|half|marathon|trip|move|train)(?:['’]s| is| are| starts"
            rf"| begins) [^.;:!?()\u2014\0]+?){STOP}",
        ),
        kind="plan",
        who=MY,
        confidence=0.75,
        dated=True,
    ),
    Rule(
        "plan",
        says(
            rf" might(?P<o>{_ASKING} [^.;:!?()\u2014\0]+?){STOP}",
        ),
        kind="plan",
        confidence=0.5,
        dated=True,
    ),
    Rule(
        "goal",
        says(
            f"(?:{ADV} want to|['’]d (?:like|love) to|['’]ve always wanted to|{BE} (?:trying"
            f"|determined|aiming|working|saving|training)(?: up)? (?:to|for|towards))(?P<o>{_ASKING}"
            rf" [^.;:!?()\u2014\0]+?){STOP}",
        ),
        kind="plan",
        who=KIN,
        confidence=0.75,
    ),
)

EVENTS: Final = (
    Rule(
        "visited",
        says(
            f"{DONE} (?:went|been|flew|travelled|traveled|drove|cycled|walked|sailed|got"
            f" back|came back|returned)(?: back| over| down| up| out)? (?:to|from) {PLACE}",
            f"{DONE} visited {PLACE}",
            f"{DONE} spent [^.,;:!?]+? in {PLACE}",
        ),
        kind="event",
        who=ANY,
        entity="place",
        relation="visited",
        confidence=0.78,
    ),
    Rule(
        "event",
        says(
            r"(?:['’]s| has)?(?P<o> (?:died|passed away|passed on))\b",
        ),
        kind="event",
        who=frozenset(("kin", "name", "my")),
        confidence=0.85,
    ),
    Rule(
        "visited",
        says(
            f"(?:{BE}| was| were) in {PLACE} (?:this|last|for|over|on) [^.,;:!?]+",
        ),
        kind="event",
        who=ANY,
        entity="place",
        relation="visited",
        confidence=0.75,
    ),
    Rule(
        "event",
        says(
            rf"{DONE}(?P<o> (?:{_SPENT}|(?!(?:{_NO_EVENT})\b)[a-z]{{2,}}ed)\b{_NOTHING}"
            rf" [^.;:!?()\u2014\0]+?){STOP}",
            f"{ADV}(?P<o> (?:got|had) (?:the|my|a|an|into|through|two|three|four|five|our"
            rf"|some)\b(?! (?:lot|feeling|idea|point|word)\b) [^.;:!?()\u2014\0]+?){STOP}",
            rf"{DONE}(?P<o> (?:cried|owned up|passed out|fainted|proposed|graduated)\b[^,.;:!?()\u2014\0]*?){STOP}",
        ),
        kind="event",
        who=ANY,
        confidence=0.75,
    ),
)
