"""What the context of an entity says of its name: other names, agreement, contradiction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from memgraph.writing.lexicon import FAMILY
from memgraph.writing.names import LONGEST, SMALL, WORD, Name, folded, parse
from memgraph.writing.remembered import of_facts


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that is known by name.

    Attributes:
        type: person, place, organisation, pet, thing, event or other ("other" agrees with every type).
        aliases: Other names it is known by.
        context: What was said of it: "sister of Maren, vet nurse in Leeds".
    """

    name: str
    type: str = "other"
    aliases: tuple[str, ...] = ()
    context: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Why two entities are one.

    Attributes:
        score: 0 to 1.
        reason: The rule, with the names it was applied to: the evidence by which a merge can be judged and undone.
    """

    score: float
    reason: str


_CALLED: Final = (
    r"(?:nee|born|formerly|aka|a\.k\.a\.|known as|called|alias|short for|stands for|nicknamed|renamed|rebranded"
    r"|goes by|abbreviated"
    r"|calls? (?:him|her|it|them|me)|(?:whom|which|that) (?:\w+ ){1,5}calls?|(?:maiden|married|full|real|pen|stage"
    r"|old|former) name"
    r"|used to be|in full|signs(?: \w+self)?|writes|trading as)"
    r"(?: (?:is|was|as|to|for|called|the|just|simply))*\W{0,3}"
)
"""What stands before another name of somebody, folded."""
_AFTER: Final = r"\W{0,3} (?:for short|to (?:the|his|her|my|our|most|all|every)\w*|on (?:his|her) passport|in full)\b"
_ROLES: Final = frozenset(
    "sister brother mother father mum mom dad aunt uncle cousin niece nephew grandmother grandfather grandma grandpa "
    "daughter son wife husband boss manager colleague dentist doctor physio therapist neighbour neighbor landlord "
    "landlady teacher tutor coach barber hairdresser plumber lawyer accountant vet nurse professor instructor "
    "roommate flatmate classmate roommate baker butcher singer actor author footballer politician".split()
)
_COMMON: Final = SMALL | frozenset(
    "is was are who that which with his her their my our your from by he she it works work lives live has have also "
    "said one same person place name called known man woman friend speaker user".split()
)
_READ: Final = 1_000
"""Characters of a context that are read."""
_BEFORE: Final = 40
"""Characters before a name that are read."""
_ANOTHER: Final = re.compile(
    r"\b(?:another|a different|a second|not (?:my|our|the|your)(?: \w+)?|the other|no relation to) ?$", re.IGNORECASE
)
_FROM: Final = re.compile(r" (?:down )?(?:from|at|in) the (?P<what>[a-z]+)\b")
_RELATIVE: Final = re.compile(rf"(?:\w's|\b[Mm]y|\b[Oo]ur|\b[Hh]is|\b[Hh]er) (?:{'|'.join(FAMILY)}),? $")
_CAPITALS: Final = r"[A-Z\u00c0-\u00de]\w+(?: [A-Z\u00c0-\u00de]\w+)*"
_IN: Final = re.compile(rf"(?: in|,) (?P<of>{_CAPITALS})")
_DATES: Final = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday sunday christmas easter spring summer autumn winter".split()
)
_BORN: Final = re.compile(r"\bnee (\w{3,})|\bmaiden name (?:is |was )?(\w{3,})")


def explained(a: Entity, b: Entity) -> Match | None:
    """Tell whether the context of one says that it is also called by the name of the other."""
    one, two = parse(a.name).tokens, parse(b.name).tokens
    told = _folded(a.context)
    # Patterns of names are made for few: most contexts do not hold both.
    if not one or not two or one == two or any(word not in told for word in (*one, *two)):
        return None
    mine, other = (r"\W+".join(map(re.escape, words)) for words in (one, two))
    called = rf"{_CALLED}\b{other}\b|\b{other}\b{_AFTER}|\b{mine}\W{{0,3}}\({other}\)|\b{other}\W{{0,3}}\({mine}\)"
    if re.search(rf"\b{mine}\b", told) is None or re.search(called, told) is None:
        return None
    return Match(0.9, f"the context calls it so: `{parse(a.name).key}` and `{parse(b.name).key}`")


def agree(a: Entity, b: Entity) -> bool:
    """Tell whether what was said of two entities agrees in a word, or of one names what the other's name adds."""
    words_a, words_b = _words(a.context), _words(b.context)
    tokens_a = {word for name in names_of(a) for word in name.tokens}
    tokens_b = {word for name in names_of(b) for word in name.tokens}
    if (words_a & words_b) - _COMMON - tokens_a - tokens_b:
        return True
    added = (tokens_b - tokens_a) - _COMMON
    lost = (tokens_a - tokens_b) - _COMMON
    return bool(added & words_a or lost & words_b)


def conflict(a: str, b: str) -> bool:
    """Tell whether two contexts give two roles: a sister and a dentist of one name are two people."""
    words_a, words_b = _words(a), _words(b)
    roles_a, roles_b = words_a & _ROLES, words_b & _ROLES
    return bool(roles_a and roles_b and not roles_a & roles_b)


def elsewhere(a: Entity, b: Entity) -> bool:
    """Tell whether two of one name are introduced by where they are: "Newport in Wales", "Clara from the bakery"."""
    if "place" in (a.type, b.type):
        one, other = _lies(a), _lies(b)
        return bool(one and other and not (one <= other or other <= one))
    if "person" not in (a.type, b.type) or len(parse(a.name).tokens) > 1 or len(parse(b.name).tokens) > 1:
        return False
    one, other = _met(a), _met(b)
    if one and other:
        return one.isdisjoint(other)
    return bool((one and _kin(b)) or (other and _kin(a)))


def _lies(place: Entity) -> frozenset[str]:
    """Return the words of the place in which a context puts another: "Newport, Rhode Island"."""
    for end in _ends(place):
        if found := _IN.match(place.context, end):
            return frozenset(WORD.findall(folded(found["of"]))) - _DATES
    return frozenset()


def _met(person: Entity) -> frozenset[str]:
    """Return by which place somebody is told from others: "Clara from the bakery"."""
    for end in _ends(person):
        if found := _FROM.match(person.context, end):
            return frozenset((found["what"],))
    return frozenset()


def _kin(person: Entity) -> bool:
    """Tell whether somebody is introduced as a relative: "my niece Clara"."""
    size = len(person.name[:LONGEST].strip())
    before = (person.context[max(0, end - size - _BEFORE) : end - size] for end in _ends(person))
    return any(_RELATIVE.search(words) for words in before)


def _ends(entity: Entity, *, folded: bool = False) -> Iterator[int]:
    """Yield where the name ends in the context, wherever it stands as a word."""
    name, context = entity.name[:LONGEST].strip(), entity.context[:_READ]
    if folded:
        name, context = name.lower(), context.lower()
    at = context.find(name) if name else -1
    while at >= 0:
        end = at + len(name)
        if not context[max(0, at - 1) : at].isalnum() and not context[end : end + 1].isalnum():
            yield end
        at = context.find(name, end)


def another(entity: Entity) -> bool:
    """Tell whether the context says that this is a namesake: "another Jamie", "a different Anna"."""
    size = len(entity.name[:LONGEST].strip())
    before = (entity.context[max(0, end - size - _BEFORE) : end - size] for end in _ends(entity, folded=True))
    return "namesake" in entity.context or any(_ANOTHER.search(words) for words in before)


def names_of(entity: Entity) -> list[Name]:
    """Return the names an entity is known by, taken apart, its own first."""
    names = [parse(name) for name in (entity.name, *entity.aliases[:20])]
    if entity.type == "person":  # "Whitlock, James"
        turned = [name for name in names if name.place and len(name.tokens) == 1]
        names += [Name((*name.place, *name.tokens), name.title, name.suffix, ()) for name in turned]
        born = _BORN.search(folded(f"{entity.name} {entity.context}"))
        if born and len(names[0].tokens) > 1:
            names.append(Name((*names[0].tokens[:-1], born[1] or born[2]), names[0].title, names[0].suffix, ()))
    return names


@of_facts
def _words(context: str) -> frozenset[str]:
    return frozenset(WORD.findall(_folded(context)))


@of_facts
def _folded(context: str) -> str:
    return folded(context)
