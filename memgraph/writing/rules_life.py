"""Rules for how somebody lives: body and diet, tastes, what they can, do and have."""

from __future__ import annotations

from typing import Final

from memgraph.writing import lexicon
from memgraph.writing.rules import (
    ADV,
    ANY,
    BE,
    DO,
    DONE,
    HAS,
    KIN,
    MY,
    NOT,
    NP,
    PHRASE,
    STOP,
    WAS,
    Rule,
    says,
)

_LANGUAGE: Final = "|".join(lexicon.LANGUAGES)
_DIET: Final = "|".join(word.replace("\\ ", " ") for word in lexicon.DIETS)
_OWNED: Final = "|".join(word.replace("\\ ", " ") for word in lexicon.OWNED)
_ILL: Final = "|".join(lexicon.CONDITIONS.replace("\\ ", "\0").split()).replace("\0", " ")
_BODY: Final = "|".join(lexicon.BODY)
_MUSIC: Final = "|".join(lexicon.INSTRUMENTS.split())
_SPORT: Final = "|".join(lexicon.SPORTS.replace("\\ ", "\0").split()).replace("\0", " ")
_DAYS: Final = r"(?:Mondays|Tuesdays|Wednesdays|Thursdays|Fridays|Saturdays|Sundays|weekdays|weekends)"
_OFTEN: Final = (
    rf"(?:every|each) (?:\w+ )?(?:day|morning|night|evening|afternoon|week|weekend|month|year|summer|winter|spring"
    rf"|autumn|{_DAYS[3:-1]}"
    rf"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)|on {_DAYS}|(?:once|twice|three times|four times"
    rf"|five times) a"
    r" (?:day|week|month|year)|most (?:days|mornings|evenings|nights|weekends)|in the (?:mornings|evenings)|before"
    r" breakfast"
    r"|before work|after work|at (?:the )?weekends?|daily|nightly"
)

LIFE: Final = (
    # Body and diet.
    Rule(
        "allergy",
        says(
            f"{BE} allergic to {NP}",
            rf"{HAS} (?:an? )?(?:[a-z]+ )?(?P<o>[\w-]+) allergy",
            f"{HAS} (?:an? )?(?:[a-z]+ )?allergy to {NP}",
        ),
        who=ANY,
        confidence=0.95,
        importance=0.95,
    ),
    Rule(
        "allergy",
        says(
            f"{NOT} (?:eat|have|touch|tolerate|digest) (?P<o>nuts|peanuts|hazelnuts|almonds"
            r"|shellfish|prawns|gluten|dairy|lactose|eggs|soya?|sesame|wheat)\b",
        ),
        confidence=0.7,
        importance=0.9,
    ),
    Rule(
        "health",
        says(
            f"(?:{HAS}|{BE} (?:living|down|off|in bed|ill) with|{ADV} suffer from|{WAS}"
            f" diagnosed with|['’]ve been diagnosed with|{DONE} (?:caught|been diagnosed"
            rf" with|come down with|developed)) (?P<o>(?:an? |the )?(?:[\w-]+ )?(?:{_ILL}))\b",
        ),
        who=ANY,
        confidence=0.9,
        importance=0.8,
    ),
    Rule(
        "health",
        says(
            rf"{HAS} (?P<o>(?:an? |my )?(?:bad|dodgy|weak|stiff|frozen|sore|swollen|gammy|trapped)(?: left| right|"
            rf" lower| upper)?"
            rf" (?:{_BODY}))\b",
        ),
        who=ANY,
        confidence=0.85,
        importance=0.7,
    ),
    Rule(
        "health",
        says(
            f"{DONE} (?P<o>(?:broke|broken|sprained|tore|torn|twisted|injured|hurt|dislocated"
            "|fractured|pulled|strained|done in|did in|bruised|ruptured) (?:my|the|his"
            rf"|her|a)(?: [\w-]+)?? (?:{_BODY}|muscle|rib|ribs)s?)\b",
        ),
        kind="event",
        who=ANY,
        confidence=0.88,
        importance=0.7,
    ),
    Rule(
        "health",
        says(
            f"(?: (?:left|right|bad|poor|stupid|old))? (?P<o>(?:{_BODY})s?(?:['’]s| is"
            "| are)?(?: been| has been| have been| started)? (?:hurting|hurts?|aching"
            "|aches|swollen|sore|in plaster|broken|playing up|killing me|torn|sprained"
            r"|fractured))\b",
        ),
        who=MY,
        confidence=0.85,
        importance=0.7,
    ),
    Rule(
        "medication",
        says(
            f"(?:{BE} (?:on|taking)|{DO} (?:take|takes)|{DONE} (?:started|been prescribed"
            rf"|been put on|been taking|started taking)|{WAS} prescribed) (?P<o>(?:[\w-]+"
            " )?(?:antibiotics|insulin|statins|antihistamines|beta blockers|steroids|painkillers"
            "|antidepressants|blood thinners|iron tablets|metformin|ibuprofen|paracetamol"
            r"|warfarin|sertraline|levothyroxine|\w+(?:pril|olol|statin|cillin|pine|oxetine"
            r"|azole|profen|dipine|formin|thyroxine|mycin|tadine|rizine))|\d+ ?mg of [\w-]+)\b",
            rf"{DO} (?:take|takes) (?P<o>(?!care|time|days?|weeks?|it\b|this|that|them|turns|lessons|classes"
            rf"|responsibility"
            r"|photos|pictures|credit|notes|part|me\b|him|her\b|us\b|orders|months|years|hours|steps)[a-z]{4,}) for"
            rf" (?:it|(?:my|the|his|her) (?:[\w-]+ )?(?:{_BODY}|{_ILL}|blood pressure|heart|pain|nerves"
            rf"|cholesterol))\b",
        ),
        who=ANY,
        confidence=0.85,
        importance=0.8,
    ),
    Rule(
        "diet",
        says(
            rf"(?:{BE}|{DONE}(?: been| gone| turned| become))(?: an?)?{ADV} (?P<o>(?:{_DIET}))\b",
        ),
        who=ANY,
        confidence=0.92,
        importance=0.8,
    ),
    Rule(
        "diet",
        says(
            f"{ADV}(?P<o> (?:don['’]t|do not|never|doesn['’]t|no longer) (?:eat|drink)"
            rf" (?!it|that|this|them|enough|much|out|well)[\w'’-]+(?: [\w'’-]+)?){STOP}",
        ),
        who=ANY,
        confidence=0.85,
        importance=0.7,
    ),
    # Tastes.
    Rule(
        "likes",
        says(
            r" (?:(?:all-time|absolute|personal|new|current|number one) )?favou?rite [\w ]+?(?:['’]s| is| are| has"
            r" to be| has always been) " + NP,
        ),
        who=MY,
        confidence=0.88,
    ),
    Rule(
        "likes",
        says(
            f"(?:{BE}|{DONE}(?: become| got))(?: a)?(?: big| huge| massive| great)?{ADV}"
            " (?:fond of|fan of|into|obsessed with|mad about|crazy about|partial to|hooked"
            f" on|addicted to|in love with) {NP}",
            f"{ADV} can['’]t get enough of {NP}",
        ),
        who=KIN,
        confidence=0.85,
    ),
    Rule(
        "likes",
        says(
            f"{DO}(?: always| have always|['’]ve always)? (?:love|loves|adore|adores|enjoy"
            "|enjoys|like|likes|loved)(?! (?:to (?:think|say|know|believe)|how|that|it"
            r"|them|you|this|those|these|what|him|her|the (?:idea|sound|thought|look)|your)\b)"
            f" {NP}",
        ),
        who=KIN,
        confidence=0.85,
    ),
    Rule(
        "dislikes",
        says(
            f"{DO} (?:hate|hates|loathe|detest|dislike|dislikes|(?:can['’]t|couldn['’]t)"
            " (?:stand|bear|abide|face)|cannot (?:stand|bear)|can['’]t be doing with)(?!"
            rf" (?:to|how|that|it|them|you|this|those|these|when|what|him|her)\b) {NP}",
            f"{ADV} (?:don['’]t|do not|doesn['’]t|never){ADV} (?:like|likes|enjoy|care"
            r" for|get on with)(?! (?:to|how|that|it|them|you|this|when|what|him|her)\b)"
            f" {NP}",
            rf"{BE} not(?: \w+)?? (?:fond of|keen on|a fan of|into) {NP}",
        ),
        who=KIN,
        confidence=0.85,
    ),
    Rule(
        "preference",
        says(
            f"(?:{DO} (?:prefer|prefers|favour)|['’]d (?:rather|prefer)| would (?:rather"
            f"|prefer)(?: to)?)(?! not to say) {PHRASE}",
            f"['’]d like you to {PHRASE}",
        ),
        who=KIN,
        confidence=0.85,
        importance=0.7,
    ),
    # What they can and do.
    Rule(
        "language",
        says(
            f"{DO} (?:speak|speaks)(?: [a-z]+){{0,3}} (?P<o>(?:{_LANGUAGE})(?:(?:,| and"
            rf"|, and) (?:{_LANGUAGE}))*)\b",
            f"(?:{BE}|{DONE} (?:been|started))(?: (?:learning|studying|fluent in|brushing"
            rf" up(?: on)?))(?: my| some)? (?P<o>{_LANGUAGE})\b",
        ),
        who=ANY,
        confidence=0.9,
    ),
    Rule(
        "skill",
        says(
            f"{DONE} (?:learned|learnt)(?: how)? to (?P<o>(?!love|like|live|accept|be|hate)[^.,;:!?]+?){STOP}",
            f"(?:{ADV} can|{ADV} know how to|{BE} able to|{BE} (?:good|great|brilliant)"
            f" at)(?:{ADV}) (?P<o>(?:play|speak|sew|knit|weld|code|program|juggle|bake"
            "|swim|ski|drive|sail|cook|type|read music|solder|throw|touch-type|surf|dive"
            rf"|draw|paint|sewing|cooking|baking|drawing|welding|knitting|maths)\b[^.,;:!?]*?){STOP}",
        ),
        who=KIN,
        confidence=0.8,
    ),
    Rule(
        "hobby",
        says(
            f"(?:{DO}|{BE} learning(?: to)?|{DONE} (?:taken up|took up|started(?: playing"
            f"| learning)?|been learning(?: to)?|been playing)|{BE} teaching myself) (?:play"
            rf" |plays |playing )?(?P<o>(?:the |a )?(?:{_MUSIC}))\b",
            rf"{DO} (?:play|plays) (?P<o>(?:{_SPORT})\b[^.,;:!?]*?){STOP}",
            rf"{DO} (?:sing|sings|dance|row|rows|play|plays) (?P<o>(?:\w+ )?(?:in|with|for)"
            f" (?:a|the|our|my) [^.,;:!?]+?){STOP}",
        ),
        who=ANY,
        confidence=0.85,
    ),
    Rule(
        "hobby",
        says(
            f"{DONE} (?:taken up|took up|got into|gotten into) (?P<o>[^.,;:!?]+?){STOP}",
            rf"{DO} (?:go|goes) (?P<o>(?:\w+ )?(?:swimming|climbing|running|cycling|hiking"
            "|sailing|kayaking|bouldering|fishing|dancing|birdwatching|surfing|riding"
            rf"|skating|bowling|rowing|paddleboarding|foraging)\b[^.,;:!?]*?){STOP}",
            rf"{DO} do (?P<o>(?:\w+ )?(?:yoga|pilates|karate|judo|pottery|parkrun|ceramics"
            rf"|crossfit|aikido|calligraphy|origami|improv)\b[^.,;:!?]*?){STOP}",
            rf"{DONE} joined (?P<o>(?:a|the|our|an)(?: [\w'’-]+){{0,4}} (?:club|choir|band"
            rf"|orchestra|team|group|class|league|society|crew)\b[^.,;:!?]*?){STOP}",
        ),
        who=ANY,
        confidence=0.85,
    ),
    Rule(
        "hobby",
        says(
            f"{DONE} (?:started|begun|began|been)(?: doing)? (?P<o>(?:sea |open-water "
            "|cold-water |wild |rock )?(?:swimming|climbing|running|cycling|hiking|sailing"
            "|kayaking|bouldering|knitting|painting|baking|sewing|gardening|birdwatching"
            rf"|surfing|yoga|pottery|drawing|boxing|rowing)\b[^.,;:!?]*?){STOP}",
        ),
        who=ANY,
        confidence=0.8,
    ),
    Rule(
        "habit",
        says(
            "(?! (?:am|was|were|had|have|has|did|will|would|can|could|need|want|think"
            r"|know|hope|started|might|should|must|feel)\b)(?P<o> [a-z]+(?: [^.,;:!?]+?)?"
            rf" (?:{_OFTEN}))\b",
            " (?:usually|always|normally|tend to|never)(?P<o> (?!been|had|wanted|thought"
            "|mind|said|seen|heard|knew|loved|felt|wondered|did|got|want|liked|know|know"
            f"|forget)[a-z]+ [^.,;:!?]+?){STOP}",
        ),
        who=KIN,
        confidence=0.75,
    ),
    Rule(
        "habit",
        says(
            f"{ADV}(?P<o> (?:sleep|eat|drink|cook|bake|walk|run|cycle|swim|commute|drive"
            "|wear|carry|collect|read|work (?:nights|weekends|from home|shifts|mornings)"
            "|wake up|get up|answer|grow|knit|sew|smoke|meditate|volunteer|sing|paint"
            rf"|write|fish|train)s?\b(?! (?:it|that|this|them|you|your)\b)(?: [^.,;:!?]+?)?){STOP}",
        ),
        who=KIN,
        confidence=0.72,
    ),
    Rule(
        "habit",
        says(
            f"{BE} (?P<o>(?:looking after|caring for|working (?:nights|shifts|weekends|from home))[^.,;:!?]*?){STOP}",
            f"{DONE} started (?P<o>(?:going|walking|getting up|waking|cooking|writing|reading"
            rf"|taking|saving|cycling to|making)\b[^.,;:!?]*?){STOP}",
        ),
        who=KIN,
        confidence=0.75,
    ),
    Rule(
        "possession",
        says(
            f"(?:{HAS}|{DO} drive|{DONE} (?:bought|got|inherited)) (?:myself |ourselves"
            rf" )?(?P<o>(?:a|an|two|our|my|the|your)(?: [\w'’-]+){{0,4}}? (?:{_OWNED}))(?!"
            r" (?:keys?|insurance|to|trip|booked|appointment|lesson|share|tour)\b)\b",
            f"{HAS} (?P<o>(?:the|a|an|my|our) (?:(?:old|new|little|blue|red|green|white"
            rf"|black|battered|second-hand) )?[A-Z]\w+(?: [A-Z]?\w*\d+)?)(?={STOP})",
            rf"{DONE} bought (?:myself |ourselves )?(?P<o>an? (?:(?:old|new|used|second-hand) )?\d{{4}} [A-Z]\w+(?:"
            rf" [A-Z]\w+)*)"
            rf"(?={STOP})",
        ),
        who=ANY,
        confidence=0.82,
    ),
    Rule(
        "goal",
        says(
            r"(?: (?:dream|goal|aim|ambition|target|resolution)(?: for \w+(?: \w+)?)?(?:['’]s"
            f"| is)(?: to)?) {PHRASE}",
        ),
        who=MY,
        confidence=0.85,
        kind="plan",
    ),
)
"""In this order: of one attribute the first that matches is taken."""
