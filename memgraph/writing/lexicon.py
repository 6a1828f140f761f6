"""Closed lists of English words that the rules of extraction rest on."""

from __future__ import annotations

from typing import Final

FAMILY: Final = {
    **{"sister": "sibling_of", "brother": "sibling_of", "mother": "child_of", "father": "child_of", "mum": "child_of"},
    **{"mom": "child_of", "dad": "child_of", "son": "parent_of", "daughter": "parent_of"},
    **dict.fromkeys(
        "aunt uncle cousin niece nephew grandmother grandfather gran grandma granny nan grandpa grandad granddad"
        " granddaughter grandson stepmother stepfather stepson stepdaughter stepsister stepbrother godmother godfather"
        " goddaughter godson sister-in-law brother-in-law mother-in-law father-in-law twin kid child".split(),
        "related_to",
    ),
}
"""Words of kinship and the relation in which the speaker stands to who is called so."""

PARENTS: Final = frozenset(
    "mum mom mam dad mother father gran grandma granny grandpa grandad granddad grandmother grandfather nan".split()
)
PARTNERS: Final = frozenset(
    "wife husband partner boyfriend girlfriend fianc\u00e9 fianc\u00e9e fiance fiancee spouse".split()
)
FRIENDS: Final = frozenset(("friend", "mate", "pal", "neighbour", "neighbor", "flatmate", "roommate", "housemate"))
WORKMATES: Final = frozenset(
    "colleague boss manager coworker co-worker workmate supervisor line-manager teammate".split()
)
PETS: Final = frozenset(
    "dog cat puppy kitten rabbit hamster parrot horse pony tortoise goldfish budgie greyhound spaniel labrador terrier"
    " retriever collie poodle dachshund whippet beagle lurcher bulldog husky lizard snake ferret gecko hen guinea-pig"
    " canary duck goat donkey pup tabby".split()
)

JOBS: Final = (
    "nurse vet doctor gp surgeon dentist midwife paramedic pharmacist physio physiotherapist therapist psychologist"
    " psychiatrist carer teacher lecturer professor tutor librarian translator interpreter journalist editor writer"
    " author"
    " poet novelist reporter photographer filmmaker director producer actor actress musician composer singer drummer"
    " guitarist violinist pianist dancer painter sculptor artist illustrator designer architect engineer developer"
    " programmer analyst scientist researcher chemist biologist physicist mathematician statistician geologist"
    " ecologist"
    " historian archaeologist economist accountant bookkeeper auditor banker actuary broker lawyer solicitor barrister"
    " judge paralegal clerk secretary receptionist administrator manager consultant recruiter buyer salesman saleswoman"
    " cashier barista waiter waitress bartender barman cook chef baker butcher brewer farmer gardener landscaper"
    " florist"
    " carpenter joiner plumber electrician builder bricklayer roofer plasterer welder mechanic machinist technician"
    " driver courier pilot captain sailor fisherman conductor steward stewardess firefighter policeman policewoman"
    " officer"
    " soldier guard plasterer tailor seamstress hairdresser barber beautician cleaner caretaker janitor postman"
    " optician"
    " radiographer optometrist statistician surveyor planner inspector curator archivist conservator luthier potter"
    " blacksmith jeweller student apprentice intern trainee freelancer welder underwriter coordinator supervisor"
    " apothecary coach trainer instructor lifeguard ranger forester beekeeper shepherd winemaker hydrologist geographer"
    " cartographer meteorologist astronomer botanist zoologist arborist podiatrist dietitian nutritionist"
    " counsellor librarian assistant lead head programmer cto ceo cfo founder landlord undertaker locksmith glazier"
    " glassblower bookbinder typesetter printer upholsterer restorer weaver"
).split()

NATIONALITIES: Final = (
    "American Argentinian Armenian Australian Austrian Belgian Brazilian British Bulgarian Canadian Catalan Chilean"
    " Chinese"
    " Colombian Croatian Cuban Czech Danish Dutch Egyptian English Estonian Ethiopian Filipino Finnish French Georgian"
    " German Ghanaian Greek Hungarian Icelandic Indian Indonesian Iranian Iraqi Irish Israeli Italian Jamaican Japanese"
    " Jordanian Kenyan Korean Latvian Lebanese Lithuanian Malaysian Maltese Mexican Moroccan Nepali Nigerian Norwegian"
    " Pakistani Palestinian Peruvian Polish Portuguese Romanian Russian Scottish Serbian Slovak Slovenian Spanish"
    " Swedish"
    " Swiss Syrian Taiwanese Tanzanian Thai Tunisian Turkish Ugandan Ukrainian Uruguayan Venezuelan Vietnamese Welsh"
).split()
LANGUAGES: Final = (
    "Arabic Basque Bengali Bulgarian Cantonese Catalan Croatian Czech Danish Dutch English Estonian Finnish French"
    " Gaelic Galician Georgian German Greek Gujarati Hebrew Hindi Hungarian Icelandic Indonesian Irish Italian Japanese"
    " Korean Latin Latvian Lithuanian Malay Mandarin Marathi Nepali Norwegian Persian Polish Portuguese Punjabi"
    " Romanian"
    " Russian Serbian Slovak Slovenian Somali Spanish Swahili Swedish Tagalog Tamil Thai Turkish Ukrainian Urdu"
    " Vietnamese Welsh Wolof Yoruba Zulu BSL Esperanto"
).split()

DIETS: Final = (
    "vegan vegetarian pescatarian veggie plant-based gluten-free dairy-free lactose-free halal kosher teetotal coeliac"
    " celiac lactose\\ intolerant gluten\\ intolerant"
).split(" ")
CONDITIONS: Final = (
    "asthma diabetes migraines? ADHD ADD dyslexia dyspraxia autism eczema psoriasis hay\\ fever arthritis epilepsy"
    " anaemia"
    " anemia hypertension high\\ blood\\ pressure insomnia anxiety depression tinnitus vertigo sciatica scoliosis"
    " covid flu"
    " (?:the\\ )?flu a\\ cold a\\ bad\\ back shin\\ splints tendonitis tendinitis plantar\\ fasciitis IBS"
    " Crohn['\u2019]?s"
    " endometriosis PCOS osteoporosis glaucoma cataracts long\\ covid pneumonia bronchitis tonsillitis shingles"
    " concussion a\\ concussion a\\ stress\\ fracture a\\ hernia a\\ slipped\\ disc an?\\ \\w+\\ injury a\\ torn\\ \\w+"
    " a\\ broken\\ \\w+ a\\ sprained\\ \\w+ type\\ [12]\\ diabetes an\\ underactive\\ thyroid reflux gout"
)
BODY: Final = (
    "ankle wrist knee arm leg foot toe finger thumb shoulder hip elbow rib ribs back neck collarbone achilles hamstring"
    " calf shin nose jaw tooth hand heel tendon ligament meniscus ACL kneecap tailbone"
).split()
OWNED: Final = (
    "car bike bicycle motorbike motorcycle van campervan caravan boat dinghy kayak canoe house flat cottage cabin"
    " allotment piano guitar violin cello fiddle ukulele drum\\ kit accordion banjo laptop phone tablet camera"
    " telescope"
    " sewing\\ machine record\\ player typewriter greenhouse shed tent wetsuit surfboard canoe watch e-bike scooter"
    " moped narrowboat oven kiln loom printer synth keyboard saxophone trumpet clarinet flute harp tractor lorry pickup"
    " wheel coat jacket fridge freezer sofa dishwasher"
).split(" ")
INSTRUMENTS: Final = (
    "piano guitar violin cello fiddle ukulele drums accordion banjo saxophone sax trumpet clarinet flute harp bass"
    " viola trombone tuba organ harmonica bagpipes mandolin recorder oboe bassoon lute sitar concertina keyboard"
)
SPORTS: Final = (
    "football tennis squash badminton chess bridge rugby cricket hockey netball basketball volleyball golf darts"
    " snooker"
    " pool poker handball padel bowls baseball softball lacrosse go scrabble video\\ games board\\ games"
)

PAST: Final = frozenset(
    "moved started joined left quit got bought sold adopted married went visited finished ran swam entered signed"
    " booked"
    " met saw made won lost passed failed broke sprained tore twisted injured hurt flew drove cycled hiked climbed"
    " walked"
    " cooked baked applied attended hosted presented submitted planted painted built fixed ordered learned learnt tried"
    " completed gave took became accepted retired resigned graduated celebrated launched published recorded performed"
    " volunteered donated dropped switched swapped upgraded replaced repaired renovated rented leased enrolled"
    " registered"
    " enlisted qualified earned received inherited found travelled traveled sailed kayaked skied surfed camped"
    " stayed spent"
    " played sang taught led organised organized gone been proposed split divorced separated promoted turned caught had"
    " handed stopped cancelled canceled paid sent wrote read watched listened tested burned burnt fell crashed picked"
    " ate cried told came brought chose drank dug forgot grew heard lent rode shook showed slept slipped spoke"
    " stood stole"
    " stuck swore woke wore blew bit bent began swept froze held hit shot sat dropped drank"
    " glazed fired threw carved knitted sewed wove rescued fostered offered opened closed set hired".split()
)
"""Past forms that may begin a clause whose subject is left out, and that tell of an event."""
