"""What falls under a word: whoever stopped eating meat also stopped eating chicken wings.

A topic has heads, the words that name all of it, and members. Ending a head ends every member; ending one member
says nothing of another, nor of the whole: who sold the caravan still has the motorbike.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import cache
from typing import Final

from memgraph.projections.tokenizer import tokenize

_ANIMALS: Final = "animals animal pets pet"
_MEAT: Final = (
    "meat flesh chicken wing wings steak beef pork bacon ham sausage sausages burger burgers hamburger lamb mutton"
    " turkey"
    " ribs kebab brisket salami pepperoni mince bolognese schnitzel barbecue bbq duck veal venison chorizo meatball"
    " meatballs pastrami liver goose poultry prosciutto gammon carnivore drumstick drumsticks wurst bratwurst goulash"
)
_FISH: Final = (
    "fish seafood salmon tuna cod sushi sashimi prawn prawns shrimp mackerel herring sardine sardines anchovy anchovies"
    " haddock trout lobster crab mussel mussels oyster oysters squid calamari eel halibut kipper kippers ceviche"
)
_DAIRY: Final = (
    "dairy lactose milk cheese yoghurt yogurt brie cheddar mozzarella feta butter cream camembert gouda halloumi"
    " parmesan milkshake custard"
)
_ALCOHOL: Final = (
    "alcohol booze drinking boozing wine wines beer beers whisky whiskey gin vodka cocktail cocktails pint pints ale"
    " ales lager"
    " stout cider rum prosecco champagne tequila brandy sherry port rioja merlot riesling negroni martini bourbon ipa"
)
_COFFEE: Final = "coffee coffees espresso latte cappuccino americano macchiato mocha cortado"
_CAFFEINE: Final = f"caffeine {_COFFEE} tea matcha cola coke energy redbull"
_TOBACCO: Final = (
    "tobacco smoking smoke smokes smoker cigarettes cigarette nicotine cigar cigars cigarillo rollups vape vaping"
    " vapes pipe fags"
)
_GLUTEN: Final = "gluten wheat bread pasta pizza baguette croissant sourdough bagel noodles couscous toast spaghetti"
_SUGAR: Final = (
    "sugar sweets sweet chocolate cake cakes candy dessert desserts biscuit biscuits cookies doughnut doughnuts fudge"
    " toffee"
)
_CARS: Final = (
    "car cars automobile clio golf polo fiesta corolla fiat ford toyota volvo skoda tesla honda civic bmw audi"
    " mercedes peugeot"
    " renault mini mazda hyundai kia nissan micra yaris astra corsa passat citroen opel vauxhall subaru jeep hatchback"
    " estate saloon convertible twingo panda octavia fabia beetle prius"
)
_MOTORBIKES: Final = "motorbike motorcycle motorbikes guzzi vespa ducati harley triumph yamaha kawasaki scooter moped"
_BIKES: Final = "bike bikes bicycle bicycles brompton tandem roadbike ebike"
_DOGS: Final = (
    "dog dogs puppy pup spaniel labrador terrier greyhound collie dachshund beagle poodle retriever whippet corgi husky"
    " alsatian setter lurcher pug bulldog rottweiler dalmatian"
)
_CATS: Final = "cat cats kitten kittens tabby siamese tomcat tortoiseshell ragdoll"
_PHONES: Final = "phone mobile smartphone pixel iphone galaxy fairphone nokia oneplus motorola xiaomi huawei samsung"
_LAPTOPS: Final = "laptop computer pc macbook thinkpad chromebook notebook imac"

_TOPICS: Final[tuple[tuple[str, str], ...]] = (
    ("meat", _MEAT),
    ("poultry", "chicken wing wings turkey duck goose drumstick drumsticks"),
    ("fish seafood", _FISH),
    ("dairy lactose", _DAIRY),
    ("eggs egg", "egg eggs omelette omelettes frittata quiche shakshuka"),
    ("alcohol booze boozing drinking", _ALCOHOL),
    ("wine wines", "wine rioja merlot riesling prosecco champagne malbec chianti"),
    ("beer beers", "beer ale ales lager stout ipa pint pints pilsner"),
    ("coffee", _COFFEE),
    ("caffeine", _CAFFEINE),
    ("tobacco smoking cigarettes cigarette nicotine smoke", _TOBACCO),
    ("vaping", "vape vaping vapes"),
    ("gluten wheat", _GLUTEN),
    ("sugar sweets", _SUGAR),
    ("car cars", _CARS),
    ("motorbike motorcycle", _MOTORBIKES),
    ("bike bicycle cycling", f"{_BIKES} cycling cycle cycles cyclist"),
    ("vehicle vehicles driving", f"{_CARS} {_MOTORBIKES} van caravan campervan"),
    ("dog dogs puppy", _DOGS),
    ("cat cats kitten", _CATS),
    (
        _ANIMALS,
        f"{_ANIMALS} {_DOGS} {_CATS} tortoise hamster rabbit parrot budgie goldfish gerbil guinea ferret pony horse"
        f" hens",
    ),
    ("phone mobile smartphone", _PHONES),
    ("laptop computer pc", _LAPTOPS),
    ("running jogging run", "running run runs runner jog jogs jogging marathon parkrun 5k 10k"),
    ("gym", "gym weights weightlifting treadmill crossfit deadlift deadlifts squats bench spinning"),
    (
        "sport sports exercise exercising",
        "sport sports football tennis squash badminton running run jogging gym swimming cycling rugby basketball"
        " volleyball"
        " hockey cricket climbing rowing crossfit boxing judo karate golf handball netball",
    ),
    ("social", "twitter instagram facebook tiktok snapchat mastodon bluesky linkedin reddit"),
    ("gaming games", "gaming games fortnite minecraft playstation xbox nintendo warcraft"),
    ("gambling betting", "gambling betting poker casino bets roulette lottery"),
    ("television tv telly", "television tv telly netflix series"),
)

_OF_ATTRIBUTE: Final[dict[str, str]] = {
    "employer": "job work post position employment company firm contract gig placement shift",
    "occupation": "job profession trade career",
    "residence": "flat house apartment place home town city lease tenancy room rooms digs"
    " bedsit cottage bungalow houseboat studio",
    "partner": "relationship marriage engagement partner husband wife boyfriend girlfriend",
    "marital_status": "relationship marriage engagement wedding husband wife boyfriend girlfriend",
    "study": "course degree university uni college school studies studying",
    "medication": "pills tablets medication meds medicine",
    "religion": "faith religion church",
    "allergy": "allergy allergic intolerance intolerant",
    "diet": "diet",
}

IMPLIED: Final[dict[str, str]] = {
    "vegan": "meat fish dairy egg",
    "vegetarian": "meat fish",
    "veggie": "meat fish",
    "pescatarian": "meat",
    "teetotal": "alcohol",
    "sober": "alcohol",
}
"""What somebody no longer takes who says that they became one of these."""


@cache
def _implied() -> dict[str, frozenset[str]]:
    return {stem: frozenset(tokenize(words)) for word, words in IMPLIED.items() for stem in tokenize(word)}


@cache
def _topics() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    return tuple((frozenset(tokenize(heads)), frozenset(tokenize(f"{heads} {members}"))) for heads, members in _TOPICS)


@cache
def _by_head() -> dict[str, tuple[frozenset[str], ...]]:
    words = {word for heads, _ in _topics() for word in heads}
    return {word: tuple(members for heads, members in _topics() if word in heads) for word in words}


@cache
def _by_member() -> dict[str, frozenset[int]]:
    words = {word for _, members in _topics() for word in members}
    return {word: frozenset(at for at, (_, members) in enumerate(_topics()) if word in members) for word in words}


@cache
def _heads(attribute: str) -> frozenset[str]:
    return frozenset(tokenize(_OF_ATTRIBUTE.get(attribute, "")))


def covers(word: str, about: AbstractSet[str]) -> bool:
    """Tell whether a stem names a topic under which one of the stems of a fact falls."""
    return any(not members.isdisjoint(about) for members in _by_head().get(word, ()))


def names(word: str, attribute: str) -> bool:
    """Tell whether a stem names the value of an attribute in general: "my job" of an employer."""
    return word in _heads(attribute)


def _with_implied(found: AbstractSet[str]) -> frozenset[str]:
    more = [_implied()[word] for word in found if word in _implied()]
    return frozenset(found).union(*more)


def related(one: AbstractSet[str], other: AbstractSet[str]) -> bool:
    """Tell whether two sets of stems meet, or fall under one topic."""
    return not reach(one).isdisjoint(reach(other))


def reach(words: AbstractSet[str]) -> frozenset[str | int]:
    """Return stems, what they imply, and the numbers of the topics under which they fall; related sets share one."""
    known, found = _by_member(), _with_implied(words)
    return found.union(at for word in found if word in known for at in known[word])
