"""Rules for who somebody is: name and age, home, work and study, family."""

from __future__ import annotations

from typing import Final

from memgraph.writing import lexicon
from memgraph.writing.rules import (
    ADV,
    ANY,
    BE,
    DO,
    DONE,
    END,
    HAS,
    KIN,
    MY,
    NAME,
    NP,
    OTHERS,
    PLACE,
    PROPER,
    SHORT,
    STOP,
    Rule,
    says,
)

_JOB: Final = "|".join(sorted(set(lexicon.JOBS), key=len, reverse=True))
_PET: Final = "|".join(sorted(lexicon.PETS, key=len, reverse=True))
_FAMILY: Final = "|".join(sorted(lexicon.FAMILY, key=len, reverse=True))
_NATION: Final = "|".join(lexicon.NATIONALITIES)
_LANGUAGE: Final = "|".join(lexicon.LANGUAGES)
_NUMBER: Final = (
    r"(?:\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|eleven|twelve)"
)
_HOME: Final = (
    r"(?: (?:a|an|the|our|my)(?: [\w-]+){0,4}? (?:flat|house|studio|room|cottage|apartment|bungalow"
    r"|bedsit|place|boat|village|town|city|bit))?"
)


def _home(*ways: str) -> Rule:
    """Return a rule for where somebody plainly says that they live."""
    return Rule("residence", says(*ways), who=ANY, entity="place", relation="lives_in", importance=0.8, confidence=0.92)


PERSON: Final = (
    # Who they are.
    Rule(
        "name",
        says(
            f"(?: full| real| legal| first)? name(?:['’]s| is) {NAME}",
        ),
        who=MY,
        confidence=0.95,
    ),
    Rule(
        "name",
        says(
            f"{BE} called {NAME}",
            f"{ADV} go by {NAME}",
        ),
    ),
    Rule(
        "age",
        says(
            f"{BE} (?P<o>{_NUMBER})(?: years old| years of age)?{END}(?! (?:minutes|miles|km|hours|days|weeks))",
        ),
        who=ANY,
    ),
    Rule(
        "age",
        says(
            "(?:['’]s| is) (?P<o>one|two|three|four|five|six|seven|eight|nine|ten)(?="
            " *(?:[.,;!]|$|and wants|and a half|months|years old))",
        ),
        who=OTHERS,
        confidence=0.8,
    ),
    Rule(
        "age",
        says(
            rf"{DONE} (?:turned|will be|['’]ll be) (?P<o>{_NUMBER})\b",
        ),
        who=ANY,
        confidence=0.8,
    ),
    Rule("age", says(rf"{ADV} turn (?P<o>{_NUMBER})\b"), confidence=0.8),
    Rule("age", says(rf"{ADV} turns (?P<o>{_NUMBER})\b"), who=OTHERS, confidence=0.8),
    Rule(
        "birthday",
        says(
            f" birthday(?:['’]s| is| falls)(?: on)? {NP}",
        ),
        who=MY,
        confidence=0.95,
    ),
    Rule(
        "birthday",
        says(
            r" was born on (?P<o>(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z]\w+(?:,?"
            r" \d{4})?|[A-Z]\w+ \d{1,2}(?:,? \d{4})?)",
        ),
    ),
    Rule(
        "birthplace",
        says(
            f" was born(?: and (?:raised|bred))?(?: and grew up)? (?:in|near) {PLACE}",
            f"{BE} originally from {PLACE}",
            f"{BE} from {PLACE} originally",
        ),
        who=ANY,
        entity="place",
    ),
    Rule(
        "native_language",
        says(
            f" (?:native language|mother tongue|first language)(?:['’]s| is) (?P<o>{_LANGUAGE})",
        ),
        who=MY,
    ),
    Rule(
        "nationality",
        says(
            f"{BE}(?: an?)?(?: half)? (?P<o>(?:{_NATION})(?:[- ](?:{_NATION}))?)(?: citizen| national)?{END}",
        ),
        who=ANY,
    ),
    Rule(
        "religion",
        says(
            f"{BE}(?: an?)? (?P<o>(?:practising |devout )?(?:Catholic|Muslim|Hindu|Buddhist"
            r"|Jewish|Sikh|Quaker|Protestant|Lutheran|atheist|agnostic|Methodist|Anglican))\b",
        ),
        who=ANY,
    ),
    Rule(
        "email",
        says(
            r" (?:new )?e-?mail(?: address)?(?: for [a-z ]{1,20})?(?:['’]s| is)(?: now)?"
            r" (?P<o>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
        ),
        who=MY,
        confidence=0.95,
    ),
    Rule(
        "phone",
        says(
            r" (?:new )?(?:phone |mobile )?(?:number|phone|mobile)(?:['’]s| is) (?P<o>\+?[\d][\d"
            r" ()-]{5,18}\d)",
        ),
        who=MY,
        confidence=0.95,
    ),
    # Where they live.
    _home(
        f"(?:{BE}|{DONE} been)?{DO} (?:live|lives|living|based|lodging)(?: alone| together"
        r"| out| over| up| down| back| here)?(?: with [\w ]{2,20})? (?:in|at|near"
        f"|on|outside){_HOME}(?: (?:in|near|on|outside|of))? {PLACE}",
        f"(?:['’]ve|['’]s| have| has){ADV} lived (?:in|near|at|on) {PLACE}",
    ),
    _home(
        f"{DONE} (?:moved|relocated)(?: back| over| out| up| down| house| on| in together)?(?:"
        f" from {PROPER})?(?: (?:back|over|up|down))?(?: to| into){_HOME}(?: (?:in"
        f"|near|on|outside|of))? {PLACE}",
    ),
    Rule(
        "residence",
        says(
            rf"{DO} (?:rent|rents|renting|own|owns)(?: (?:a|an|the|my|our))?(?: [\w-]+){{0,3}}"
            f" (?:flat|house|studio|room|cottage|apartment|place) (?:in|on|near) {PLACE}",
        ),
        who=ANY,
        entity="place",
        relation="lives_in",
        confidence=0.85,
    ),
    Rule(
        "residence",
        says(
            f"{BE} at the (?:flat|house) (?:on|in) {PLACE}",
            f"{BE} (?:settled|settling) in {PLACE}",
            f"{BE} in {PLACE} (?:for good|now)",
        ),
        entity="place",
        relation="lives_in",
        confidence=0.75,
    ),
    Rule(
        "residence",
        says(
            f" (?:lived|grew up) in {PLACE}",
        ),
        who=ANY,
        entity="place",
        over=True,
        confidence=0.8,
    ),
    Rule(
        "residence",
        says(
            f" (?:new )?(?:address|home)(?:['’]s| is)(?: now)?(?: in| at)? {PLACE}",
        ),
        who=MY,
        entity="place",
        relation="lives_in",
    ),
    Rule(
        "residence",
        says(
            f"{DONE} moved in(?: together)? (?P<o>with (?:my|a|an|the|some|two|three)? ?[^.,;:!?]+?){STOP}",
            f"{DONE} moved into (?P<o>(?:a|an|the|my|our|his|her) [^.,;:!?]+?){STOP}",
        ),
        who=ANY,
        confidence=0.8,
        importance=0.7,
    ),
    # Work and study.
    Rule(
        "occupation",
        says(
            rf"{BE}(?: (?:a|an|the))?(?P<o>(?: [\w-]+){{0,3}}? (?:{_JOB})(?: (?:{_JOB}))*)(?!"
            rf" of mine)(?:{END}|(?= \w))",
            f"{DO} (?:work|works|working|worked) as (?:a|an|the) {SHORT}",
            f"{BE} working as (?:a|an) {SHORT}",
            r" (?P<o>[a-z]+ [^.,;:!?]+?) for a living\b",
            f"(?:{BE}|{DONE}(?: been)?)(?: now)? (?:work|works|working|started|begun|began|joined|hired|taken"
            f" on)(?: work"
            f"| working| a job| a new job| the new job)?(?: (?:at|for|with|by|in))? {PROPER} as (?:a|an|the"
            f"|their) {SHORT}",
        ),
        who=ANY,
        confidence=0.88,
        importance=0.7,
    ),
    Rule(
        "occupation",
        says(
            f"{DONE}(?: (?:got|been|was|were|be))? (?:promoted|made up) to {SHORT}",
            rf" (?:became|become) (?:a|an|the) (?P<o>(?:[\w-]+ ){{0,3}}(?:{_JOB}))",
        ),
        who=ANY,
        importance=0.7,
    ),
    Rule(
        "occupation",
        says(
            rf"{DO} (?P<o>(?:teach|teaches) (?!my|your|the|them|him|her|you|us)\w+(?: \w+)??)(?="
            rf" (?:at|in|to|for)\b|{STOP})",
        ),
        who=ANY,
        confidence=0.8,
    ),
    Rule(
        "employer",
        says(
            rf"(?:{BE}|{DONE} been)?{DO} (?:work|works|working|employed)(?: [\w-]+ly| part-time"
            f"| full-time| nights| days)? (?:(?:for|at|by|with) |in (?!{PROPER})|in (?=[Tt]he ))(?P<o>{PROPER}|(?:the|a"
            "|an) (?!moment|time|bit|lot|week|morning|evening|afternoon|minute|same|dark"
            rf"|team)[\w'’-]+(?: [\w'’-]+){{0,2}}?)(?= (?:in|on|as|for|at)\b|{STOP})",
        ),
        who=ANY,
        entity="organisation",
        relation="works_at",
        importance=0.7,
        confidence=0.9,
    ),
    Rule(
        "employer",
        says(
            rf"{BE}(?: an?| the)(?: [\w-]+){{1,4}} (?:at|for|with) {NAME}",
            f"{BE} with {NAME} (?:now|these days)",
            f"(?:{BE})(?<=still) at {NAME}",
        ),
        who=KIN,
        entity="organisation",
        relation="works_at",
        confidence=0.8,
        importance=0.7,
    ),
    Rule(
        "employer",
        says(
            rf"{DO} (?:work|works|working|started) as (?:a|an|the)(?: [\w-]+){{1,4}} (?:(?:at"
            rf"|for|with) |in (?=the ))(?P<o>{PROPER}|the [\w'’-]+(?: [\w'’-]+)?)(?={STOP}| (?:in"
            r"|on)\b)",
            rf"{DONE} (?:found|got|landed|taken|took) (?:a|an|the)(?: [\w-]+){{0,3}} (?:job"
            rf"|post|position|role) (?:(?:at|with) (?={PROPER})|(?:in|at|with) (?=the ))"
            rf"(?P<o>the(?: [\w'’-]+){{1,3}}?|{PROPER})(?={STOP})",
        ),
        who=ANY,
        entity="organisation",
        relation="works_at",
        confidence=0.85,
        importance=0.7,
    ),
    Rule(
        "employer",
        says(
            rf"{DONE} (?:started|began)(?: work| working| (?:a|my|the) (?:[\w-]+ ){{0,3}}(?:job"
            r"|role|post|position))?(?: as (?:a|an|the)(?: [\w-]+){1,4})? (?:at|with"
            f"|for) {NAME}",
            f"{DONE} joined {NAME}(?! (?:club|choir|band))",
            f"{DONE} been (?:hired|taken on) (?:by|at) {NAME}",
        ),
        who=ANY,
        entity="organisation",
        relation="works_at",
        importance=0.7,
        confidence=0.85,
    ),
    Rule(
        "employer",
        says(
            rf" worked (?:for|at) (?P<o>{PROPER}|the [\w'’-]+(?: [\w'’-]+){{0,2}}?)(?={STOP}"
            r"| (?:in|on|as|for|from)\b)",
        ),
        who=ANY,
        entity="organisation",
        over=True,
        confidence=0.8,
    ),
    Rule(
        "study",
        says(
            f"(?:{BE}|{DONE} been)?{DO} (?:study|studies|studying|reading|majoring in)(?: for (?:a|my))? {NP}",
            rf"{BE} (?:doing|starting|finishing|writing) (?:a|an|my) (?P<o>(?:[\w-]+ )?(?:PhD"
            "|doctorate|master['’]?s|MSc|BSc|MA|degree|thesis|diploma|apprenticeship|GCSE"
            f"|A-level)[^.,;:!?]*?){STOP}",
            f"{DONE} (?:graduated|enrolled|enroled)(?: from| in| on| at)? {NP}",
            rf"{DONE} (?:signed up for|started) (?:a|an|the) (?P<o>(?:[\w-]+ ){{0,3}}(?:course"
            f"|degree|apprenticeship|diploma|class|evening class)[^.,;:!?]*?){STOP}",
        ),
        who=ANY,
        confidence=0.82,
    ),
    # With whom.
    Rule(
        "marital_status",
        says(
            f"(?:{BE}|{DONE}(?: been| got| gotten)?) (?P<o>married|engaged|divorced|widowed"
            r"|separated)\b(?! to (?:the|my) (?:job|sea|work))",
            f"{BE} (?P<o>single){END}",
        ),
        who=ANY,
        confidence=0.88,
        importance=0.7,
    ),
    Rule(
        "partner",
        says(
            f"(?:{BE}|{DONE}(?: been| got)?) (?:married|engaged) to {NAME}",
            f"{BE} (?:dating|seeing|going out with) {NAME}",
        ),
        who=ANY,
        entity="person",
        relation="married_to",
    ),
    Rule(
        "family",
        says(
            rf"{HAS} (?P<o>(?:a|an|one|two|three|four|five|six)(?: [\w-]+){{0,2}}? (?:{_FAMILY}"
            "|sisters|brothers|sons|daughters|kids|children|grandchildren|cousins|siblings"
            r"|nieces|nephews|twins))\b",
        ),
        who=ANY,
        confidence=0.85,
    ),
    Rule(
        "pet",
        says(
            f"(?:{HAS}|{DONE} (?:got|adopted|rescued|bought)) (?P<o>(?:a|an|two|three|four)(?:"
            rf" [\w-]+){{0,3}}? (?:{_PET}|dogs|cats|rabbits|hens|kittens|puppies|goldfish"
            r"|chickens)(?:,? (?:called|named) [A-Z]\w+)?)\b",
            f"{DONE} (?:adopted|rescued|rehomed) (?P<o>[^.,;:!?]+?){STOP}",
        ),
        confidence=0.88,
        importance=0.6,
    ),
)
"""In this order: of one attribute the first that matches is taken."""
