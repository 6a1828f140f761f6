"""Rules for what holds of somebody: who they are, where they live, what they have, like and do."""

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
    NOT,
    NP,
    OTHERS,
    PHRASE,
    PLACE,
    PROPER,
    SHORT,
    STOP,
    WAS,
    I,
    Rule,
    says,
)

_JOB: Final = "|".join(sorted(set(lexicon.JOBS), key=len, reverse=True))
_PET: Final = "|".join(sorted(lexicon.PETS, key=len, reverse=True))
_FAMILY: Final = "|".join(sorted(lexicon.FAMILY, key=len, reverse=True))
_NATION: Final = "|".join(lexicon.NATIONALITIES)
_LANGUAGE: Final = "|".join(lexicon.LANGUAGES)
_DIET: Final = "|".join(word.replace("\\ ", " ") for word in lexicon.DIETS)
_OWNED: Final = "|".join(word.replace("\\ ", " ") for word in lexicon.OWNED)
_ILL: Final = "|".join(lexicon.CONDITIONS.replace("\\ ", "\0").split()).replace("\0", " ")
_BODY: Final = "|".join(lexicon.BODY)
_MUSIC: Final = "|".join(lexicon.INSTRUMENTS.split())
_SPORT: Final = "|".join(lexicon.SPORTS.replace("\\ ", "\0").split()).replace("\0", " ")
_NUMBER: Final = (
    r"(?:\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|eleven|twelve)"
)
_HOME: Final = r"(?: (?:a|an|the|our|my)(?: [\w-]+){0,4}? (?:flat|house|studio|room|cottage|apartment|bungalow|bedsit|place|boat|village|town|city|bit))?"
_DAYS: Final = r"(?:Mondays|Tuesdays|Wednesdays|Thursdays|Fridays|Saturdays|Sundays|weekdays|weekends)"
_OFTEN: Final = (
    rf"(?:every|each) (?:\w+ )?(?:day|morning|night|evening|afternoon|week|weekend|month|year|summer|winter|spring|autumn|{_DAYS[3:-1]}"
    rf"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)|on {_DAYS}|(?:once|twice|three times|four times|five times) a"
    r" (?:day|week|month|year)|most (?:days|mornings|evenings|nights|weekends)|in the (?:mornings|evenings)|before breakfast"
    r"|before work|after work|at (?:the )?weekends?|daily|nightly"
)

STATES: Final = (
    # Who they are.
    Rule("name", says(rf"(?: full| real| legal| first)? name(?:['’]s| is) {NAME}"), who=MY, confidence=0.95),
    Rule("name", says(rf"{BE} called {NAME}", rf"{ADV} go by {NAME}")),
    Rule("age", says(rf"{BE} (?P<o>{_NUMBER})(?: years old| years of age)?{END}(?! (?:minutes|miles|km|hours|days|weeks))"), who=ANY),
    Rule("age", says(rf"(?:['’]s| is) (?P<o>one|two|three|four|five|six|seven|eight|nine|ten)(?= *(?:[.,;!]|$|and wants|and a half|months|years old))"), who=OTHERS, confidence=0.8),
    Rule("age", says(rf"{DONE} (?:turned|turns?|will be|['’]ll be) (?P<o>{_NUMBER})\b"), who=ANY, confidence=0.8),
    Rule("birthday", says(rf" birthday(?:['’]s| is| falls)(?: on)? {NP}"), who=MY, confidence=0.95),
    Rule("birthday", says(r" was born on (?P<o>(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z]\w+(?:,? \d{4})?|[A-Z]\w+ \d{1,2}(?:,? \d{4})?)")),
    Rule("birthplace", says(rf" was born(?: and (?:raised|bred))?(?: and grew up)? (?:in|near) {PLACE}", rf"{BE} originally from {PLACE}", rf"{BE} from {PLACE} originally"), who=ANY, entity="place"),
    Rule("native_language", says(rf" (?:native language|mother tongue|first language)(?:['’]s| is) (?P<o>{_LANGUAGE})"), who=MY),
    Rule("nationality", says(rf"{BE}(?: an?)?(?: half)? (?P<o>(?:{_NATION})(?:[- ](?:{_NATION}))?)(?: citizen| national)?{END}"), who=ANY),
    Rule("religion", says(rf"{BE}(?: an?)? (?P<o>(?:practising |devout )?(?:Catholic|Muslim|Hindu|Buddhist|Jewish|Sikh|Quaker|Protestant|Lutheran|atheist|agnostic|Methodist|Anglican))\b"), who=ANY),
    Rule("email", says(r" (?:new )?e-?mail(?: address)?(?:['’]s| is) (?P<o>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"), who=MY, confidence=0.95),
    Rule("phone", says(r" (?:new )?(?:phone |mobile )?(?:number|phone|mobile)(?:['’]s| is) (?P<o>\+?[\d][\d ()-]{5,18}\d)"), who=MY, confidence=0.95),
    # Where they live.
    Rule("residence", says(rf"(?:{BE}|{DONE} been)?{DO} (?:live|lives|living|based|lodging)(?: alone| together| out| over| up| down| back| here)?(?: with [\w ]{{2,20}})? (?:in|at|near|on|outside){_HOME}(?: (?:in|near|on|outside|of))? {PLACE}", rf"(?:['’]ve|['’]s| have| has){ADV} lived (?:in|near|at|on) {PLACE}"), who=ANY, entity="place", relation="lives_in", importance=0.8, confidence=0.92),
    Rule("residence", says(rf"{DONE} (?:moved|relocated)(?: back| over| out| up| down| house| on| in together)?(?: from {PROPER})?(?: (?:back|over|up|down))?(?: to| into){_HOME}(?: (?:in|near|on|outside|of))? {PLACE}"), who=ANY, entity="place", relation="lives_in", importance=0.8, confidence=0.92),
    Rule("residence", says(rf"{DO} (?:rent|rents|renting|own|owns)(?: (?:a|an|the|my|our))?(?: [\w-]+){{0,3}} (?:flat|house|studio|room|cottage|apartment|place) (?:in|on|near) {PLACE}"), who=ANY, entity="place", relation="lives_in", confidence=0.85),
    Rule("residence", says(rf"{BE} at the (?:flat|house) (?:on|in) {PLACE}", rf"{BE} (?:settled|settling) in {PLACE}", rf"{BE} in {PLACE} (?:for good|now)"), entity="place", relation="lives_in", confidence=0.75),
    Rule("residence", says(rf" (?:lived|grew up) in {PLACE}"), who=ANY, entity="place", over=True, confidence=0.8),
    Rule("residence", says(rf" (?:new )?(?:address|home)(?:['’]s| is)(?: now)?(?: in| at)? {PLACE}"), who=MY, entity="place", relation="lives_in"),
    Rule("residence", says(rf"{DONE} moved in(?: together)? (?P<o>with (?:my|a|an|the|some|two|three)? ?[^.,;:!?]+?){STOP}", rf"{DONE} moved into (?P<o>(?:a|an|the|my|our|his|her) [^.,;:!?]+?){STOP}"), who=ANY, confidence=0.8, importance=0.7),
    # Work and study.
    Rule("occupation", says(rf"{BE}(?: (?:a|an|the))?(?P<o>(?: [\w-]+){{0,3}}? (?:{_JOB})(?: (?:{_JOB}))*)(?! of mine)(?:{END}|(?= \w))", rf"{DO} (?:work|works|working|worked) as (?:a|an|the) {SHORT}", rf"{BE} working as (?:a|an) {SHORT}"), who=ANY, confidence=0.88, importance=0.7),
    Rule("occupation", says(rf"{DONE}(?: (?:got|been|was|were|be))? (?:promoted|made up) to {SHORT}", rf" (?:became|become) (?:a|an|the) (?P<o>(?:[\w-]+ ){{0,3}}(?:{_JOB}))"), who=ANY, importance=0.7),
    Rule("occupation", says(rf"{DO} (?P<o>(?:teach|teaches) (?!my|your|the|them|him|her|you|us)\w+(?: \w+)??)(?= (?:at|in|to|for)\b|{STOP})"), who=ANY, confidence=0.8),
    Rule("employer", says(rf"(?:{BE}|{DONE} been)?{DO} (?:work|works|working|employed)(?: [\w-]+ly| part-time| full-time| nights| days)? (?:for|at|by|with|in) (?P<o>{PROPER}|(?:the|a|an) (?!moment|time|bit|lot|week|morning|evening|afternoon|minute|same|dark|team)[\w'’-]+(?: [\w'’-]+){{0,2}}?)(?= (?:in|on|as|for|at)\b|{STOP})"), who=ANY, entity="organisation", relation="works_at", importance=0.7, confidence=0.9),
    Rule("employer", says(rf"{BE}(?: an?| the)(?: [\w-]+){{1,4}} (?:at|for|with) {NAME}", rf"{BE} with {NAME} (?:now|these days)", rf"(?:{BE})(?<=still) at {NAME}"), who=KIN, entity="organisation", relation="works_at", confidence=0.8, importance=0.7),
    Rule("employer", says(rf"{DO} (?:work|works|working|started) as (?:a|an|the)(?: [\w-]+){{1,4}} (?:at|for|with|in) (?P<o>{PROPER}|the [\w'’-]+(?: [\w'’-]+)?)(?={STOP}| (?:in|on)\b)", rf"{DONE} (?:found|got|landed|taken|took) (?:a|an|the)(?: [\w-]+){{0,3}} (?:job|post|position|role) (?:in|at|with) (?P<o>the(?: [\w'’-]+){{1,3}}?|{PROPER})(?={STOP})"), who=ANY, entity="organisation", relation="works_at", confidence=0.85, importance=0.7),
    Rule("employer", says(rf"{DONE} (?:started|began)(?: work| working| (?:a|my|the) (?:[\w-]+ ){{0,3}}(?:job|role|post|position))?(?: as (?:a|an|the)(?: [\w-]+){{1,4}})? (?:at|with|for) {NAME}", rf"{DONE} joined {NAME}(?! (?:club|choir|band))", rf"{DONE} been (?:hired|taken on) (?:by|at) {NAME}"), who=ANY, entity="organisation", relation="works_at", importance=0.7, confidence=0.85),
    Rule("employer", says(rf" worked (?:for|at) (?P<o>{PROPER}|the [\w'’-]+(?: [\w'’-]+){{0,2}}?)(?={STOP}| (?:in|on|as|for|from)\b)"), who=ANY, entity="organisation", over=True, confidence=0.8),
    Rule("study", says(rf"(?:{BE}|{DONE} been)?{DO} (?:study|studies|studying|reading|majoring in)(?: for (?:a|my))? {NP}", rf"{BE} (?:doing|starting|finishing|writing) (?:a|an|my) (?P<o>(?:[\w-]+ )?(?:PhD|doctorate|master['’]?s|MSc|BSc|MA|degree|thesis|diploma|apprenticeship|GCSE|A-level)[^.,;:!?]*?){STOP}", rf"{DONE} (?:graduated|enrolled|enroled)(?: from| in| on| at)? {NP}", rf"{DONE} (?:signed up for|started) (?:a|an|the) (?P<o>(?:[\w-]+ ){{0,3}}(?:course|degree|apprenticeship|diploma|class|evening class)[^.,;:!?]*?){STOP}"), who=ANY, confidence=0.82),
    # With whom.
    Rule("marital_status", says(rf"(?:{BE}|{DONE}(?: been| got| gotten)?) (?P<o>married|engaged|divorced|widowed|separated)\b(?! to (?:the|my) (?:job|sea|work))", rf"{BE} (?P<o>single){END}"), who=ANY, confidence=0.88, importance=0.7),
    Rule("partner", says(rf"(?:{BE}|{DONE}(?: been| got)?) (?:married|engaged) to {NAME}", rf"{BE} (?:dating|seeing|going out with) {NAME}"), who=ANY, entity="person", relation="married_to"),
    Rule("family", says(rf"{HAS} (?P<o>(?:a|an|one|two|three|four|five|six)(?: [\w-]+){{0,2}}? (?:{_FAMILY}|sisters|brothers|sons|daughters|kids|children|grandchildren|cousins|siblings|nieces|nephews|twins))\b"), who=ANY, confidence=0.85),
    Rule("pet", says(rf"(?:{HAS}|{DONE} (?:got|adopted|rescued|bought)) (?P<o>(?:a|an|two|three|four)(?: [\w-]+){{0,3}}? (?:{_PET}|dogs|cats|rabbits|hens|kittens|puppies|goldfish|chickens)(?:,? (?:called|named) [A-Z]\w+)?)\b", rf"{DONE} (?:adopted|rescued|rehomed) (?P<o>[^.,;:!?]+?){STOP}"), confidence=0.88, importance=0.6),
    # Body and diet.
    Rule("allergy", says(rf"{BE} allergic to {NP}", rf"{HAS} (?:an? )?(?:[a-z]+ )?(?P<o>[\w-]+) allergy", rf"{HAS} (?:an? )?(?:[a-z]+ )?allergy to {NP}"), who=ANY, confidence=0.95, importance=0.95),
    Rule("allergy", says(rf"{NOT} (?:eat|have|touch|tolerate|digest) (?P<o>nuts|peanuts|hazelnuts|almonds|shellfish|prawns|gluten|dairy|lactose|eggs|soya?|sesame|wheat)\b"), confidence=0.7, importance=0.9),
    Rule("health", says(rf"(?:{HAS}|{BE} (?:living|down|off|in bed|ill) with|{ADV} suffer from|{WAS} diagnosed with|['’]ve been diagnosed with|{DONE} (?:caught|been diagnosed with|come down with|developed)) (?P<o>(?:an? |the )?(?:[\w-]+ )?(?:{_ILL}))\b"), who=ANY, confidence=0.9, importance=0.8),
    Rule("health", says(rf"{DONE} (?P<o>(?:broke|broken|sprained|tore|torn|twisted|injured|hurt|dislocated|fractured|pulled|strained|done in|did in|bruised|ruptured) (?:my|the|his|her|a)(?: [\w-]+)?? (?:{_BODY}|muscle|rib|ribs)s?)\b"), kind="event", who=ANY, confidence=0.88, importance=0.7),
    Rule("health", says(rf"(?: (?:left|right|bad|poor|stupid|old))? (?P<o>(?:{_BODY})s?(?:['’]s| is| are)?(?: been| has been| have been| started)? (?:hurting|hurts?|aching|aches|swollen|sore|in plaster|broken|playing up|killing me|torn|sprained|fractured))\b"), who=MY, confidence=0.85, importance=0.7),
    Rule("medication", says(rf"(?:{BE} (?:on|taking)|{DO} (?:take|takes)|{DONE} (?:started|been prescribed|been put on|been taking|started taking)|{WAS} prescribed) (?P<o>(?:[\w-]+ )?(?:antibiotics|insulin|statins|antihistamines|beta blockers|steroids|painkillers|antidepressants|blood thinners|iron tablets|metformin|ibuprofen|paracetamol|warfarin|sertraline|levothyroxine|\w+(?:pril|olol|statin|cillin|pine|oxetine|azole|profen|dipine|formin|thyroxine|mycin|tadine|rizine))|\d+ ?mg of [\w-]+)\b"), who=ANY, confidence=0.85, importance=0.8),
    Rule("diet", says(rf"(?:{BE}|{DONE}(?: been| gone| turned| become))(?: an?)?{ADV} (?P<o>(?:{_DIET}))\b"), who=ANY, confidence=0.92, importance=0.8),
    Rule("diet", says(rf"{ADV}(?P<o> (?:don['’]t|do not|never|doesn['’]t|no longer) (?:eat|drink) (?!it|that|this|them|enough|much|out|well)[\w'’-]+(?: [\w'’-]+)?){STOP}"), who=ANY, confidence=0.85, importance=0.7),
    # Tastes.
    Rule("likes", says(r" (?:(?:all-time|absolute|personal|new|current|number one) )?favou?rite [\w ]+?(?:['’]s| is| are| has to be| has always been) " + NP), who=MY, confidence=0.88),
    Rule("likes", says(rf"(?:{BE}|{DONE}(?: become| got))(?: a)?(?: big| huge| massive| great)?{ADV} (?:fond of|fan of|into|obsessed with|mad about|crazy about|partial to|hooked on|addicted to|in love with) {NP}", rf"{ADV} can['’]t get enough of {NP}"), who=KIN, confidence=0.85),
    Rule("likes", says(rf"{DO}(?: always| have always|['’]ve always)? (?:love|loves|adore|adores|enjoy|enjoys|like|likes|loved)(?! (?:to (?:think|say|know|believe)|how|that|it|them|you|this|those|these|what|him|her|the (?:idea|sound|thought|look)|your)\b) {NP}"), who=KIN, confidence=0.85),
    Rule("dislikes", says(rf"{DO} (?:hate|hates|loathe|detest|dislike|dislikes|(?:can['’]t|couldn['’]t) (?:stand|bear|abide|face)|cannot (?:stand|bear)|can['’]t be doing with)(?! (?:to|how|that|it|them|you|this|those|these|when|what|him|her)\b) {NP}", rf"{ADV} (?:don['’]t|do not|doesn['’]t|never){ADV} (?:like|likes|enjoy|care for|get on with)(?! (?:to|how|that|it|them|you|this|when|what|him|her)\b) {NP}", rf"{BE} not(?: \w+)?? (?:fond of|keen on|a fan of|into) {NP}"), who=KIN, confidence=0.85),
    Rule("preference", says(rf"(?:{DO} (?:prefer|prefers|favour)|['’]d (?:rather|prefer)| would (?:rather|prefer)(?: to)?)(?! not to say) {PHRASE}", rf"['’]d like you to {PHRASE}"), who=KIN, confidence=0.85, importance=0.7),
    # What they can and do.
    Rule("language", says(rf"{DO} (?:speak|speaks)(?: [a-z]+){{0,3}} (?P<o>(?:{_LANGUAGE})(?:(?:,| and|, and) (?:{_LANGUAGE}))*)\b", rf"(?:{BE}|{DONE} (?:been|started))(?: (?:learning|studying|fluent in|brushing up(?: on)?))(?: my| some)? (?P<o>{_LANGUAGE})\b"), who=ANY, confidence=0.9),
    Rule("skill", says(rf"{DONE} (?:learned|learnt)(?: how)? to (?P<o>(?!love|like|live|accept|be|hate)[^.,;:!?]+?){STOP}", rf"(?:{ADV} can|{ADV} know how to|{BE} able to|{BE} (?:good|great|brilliant) at)(?:{ADV}) (?P<o>(?:play|speak|sew|knit|weld|code|program|juggle|bake|swim|ski|drive|sail|cook|type|read music|solder|throw|touch-type|surf|dive|draw|paint|sewing|cooking|baking|drawing|welding|knitting|maths)\b[^.,;:!?]*?){STOP}"), who=KIN, confidence=0.8),
    Rule("hobby", says(rf"(?:{DO}|{BE} learning(?: to)?|{DONE} (?:taken up|took up|started(?: playing| learning)?|been learning(?: to)?|been playing)|{BE} teaching myself) (?:play |plays |playing )?(?P<o>(?:the |a )?(?:{_MUSIC}))\b", rf"{DO} (?:play|plays) (?P<o>(?:{_SPORT})\b[^.,;:!?]*?){STOP}", rf"{DO} (?:sing|sings|dance|row|rows|play|plays) (?P<o>(?:\w+ )?(?:in|with|for) (?:a|the|our|my) [^.,;:!?]+?){STOP}"), who=ANY, confidence=0.85),
    Rule("hobby", says(rf"{DONE} (?:taken up|took up|got into|gotten into) (?P<o>[^.,;:!?]+?){STOP}", rf"{DO} (?:go|goes) (?P<o>(?:\w+ )?(?:swimming|climbing|running|cycling|hiking|sailing|kayaking|bouldering|fishing|dancing|birdwatching|surfing|riding|skating|bowling|rowing|paddleboarding|foraging)\b[^.,;:!?]*?){STOP}", rf"{DO} do (?P<o>(?:\w+ )?(?:yoga|pilates|karate|judo|pottery|parkrun|ceramics|crossfit|aikido|calligraphy|origami|improv)\b[^.,;:!?]*?){STOP}", rf"{DONE} joined (?P<o>(?:a|the|our|an)(?: [\w'’-]+){{0,4}} (?:club|choir|band|orchestra|team|group|class|league|society|crew)\b[^.,;:!?]*?){STOP}"), who=ANY, confidence=0.85),
    Rule("hobby", says(rf"{DONE} (?:started|begun|began|been)(?: doing)? (?P<o>(?:sea |open-water |cold-water |wild |rock )?(?:swimming|climbing|running|cycling|hiking|sailing|kayaking|bouldering|knitting|painting|baking|sewing|gardening|birdwatching|surfing|yoga|pottery|drawing|boxing|rowing)\b[^.,;:!?]*?){STOP}"), who=ANY, confidence=0.8),
    Rule("habit", says(rf"{ADV}(?P<o> (?:sleep|eat|drink|cook|bake|walk|run|cycle|swim|commute|drive|wear|carry|collect|read|work (?:nights|weekends|from home|shifts|mornings)|wake up|get up|answer|grow|knit|sew|smoke|meditate|volunteer|sing|paint|write|fish|train)s?\b(?! (?:it|that|this|them|you|your)\b)(?: [^.,;:!?]+?)?){STOP}"), who=KIN, confidence=0.72),
    Rule("habit", says(rf"{BE} (?P<o>(?:looking after|caring for|working (?:nights|shifts|weekends|from home))[^.,;:!?]*?){STOP}", rf"{DONE} started (?P<o>(?:going|walking|getting up|waking|cooking|writing|reading|taking|saving|cycling to|making)\b[^.,;:!?]*?){STOP}"), who=KIN, confidence=0.75),
    Rule("habit", says(rf"(?! (?:am|was|were|had|have|has|did|will|would|can|could|need|want|think|know|hope|started|might|should|must|feel)\b)(?P<o> [a-z]+(?: [^.,;:!?]+?)? (?:{_OFTEN}))\b", rf" (?:usually|always|normally|tend to|never)(?P<o> (?!been|had|wanted|thought|mind|said|seen|heard|knew|loved|felt|wondered|did|got|want|liked|know|know|forget)[a-z]+ [^.,;:!?]+?){STOP}"), who=KIN, confidence=0.75),
    Rule("possession", says(rf"(?:{HAS}|{DO} drive|{DONE} (?:bought|got|inherited)) (?:myself |ourselves )?(?P<o>(?:a|an|two|our|my|the|your)(?: [\w'’-]+){{0,4}}? (?:{_OWNED}))(?! (?:keys?|insurance|to|trip|booked|appointment|lesson|share|tour)\b)\b", rf"{HAS} (?P<o>(?:the|a|an|my|our) (?:(?:old|new|little|blue|red|green|white|black|battered|second-hand) )?[A-Z]\w+(?: [A-Z]?\w*\d+)?)(?={STOP})"), who=ANY, confidence=0.82),
    Rule("goal", says(rf"(?: (?:dream|goal|aim|ambition|target|resolution)(?: for \w+(?: \w+)?)?(?:['’]s| is)(?: to)?) {PHRASE}"), who=MY, confidence=0.85, kind="plan"),
)
"""In this order: of one attribute the first that matches is taken."""

__all__ = ["I", "MY", "STATES"]
