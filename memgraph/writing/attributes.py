"""What a fact may say of its subject: the closed list of attributes, and of relation types.

The list is closed so that what may replace what is decided by structure. A subject has one value of a "one"
attribute at a time, so a new value can end the old one; of a "many" attribute it has as many as there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Cardinality = Literal["one", "many"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One kind of statement.

    Attributes:
        cardinality: "one": a new value changes the old one; "many": values stand side by side.
        description: One line, for a prompt and for the reader.
    """

    name: str
    cardinality: Cardinality
    description: str


_ONE: Final = {
    "name": "what they are called",
    "age": "how old they are, in years",
    "birthday": "the day they were born",
    "birthplace": "where they were born or come from",
    "residence": "where they live",
    "nationality": "the country they are a citizen of",
    "marital_status": "single, engaged, married, separated, divorced, widowed",
    "partner": "the person they are together with",
    "employer": "the firm or institution they work for",
    "occupation": "their job or its title",
    "study": "the school, course or degree they are enrolled in",
    "diet": "how they eat: vegan, vegetarian, no meat",
    "religion": "the faith they hold or practise",
    "email": "their mail address",
    "phone": "their telephone number",
    "native_language": "the language they grew up with",
}
_MANY: Final = {
    "likes": "what they like or enjoy",
    "dislikes": "what they dislike or avoid by taste",
    "preference": "how they want things done; standing instructions",
    "allergy": "what they are allergic to or do not tolerate",
    "health": "a condition, illness or injury",
    "medication": "a medicine or treatment they take",
    "family": 'a relative: "sister Solveig"',
    "friend": "a friend",
    "colleague": "somebody they work with",
    "pet": "an animal they keep",
    "possession": "something they own or use: a car, a phone, a flat",
    "skill": "something they can do",
    "language": "a language they speak or learn",
    "hobby": "an activity they pursue, a club or choir they belong to",
    "habit": "what they do regularly",
    "visited": "a place they have been to",
    "event": "something that happened to them",
    "plan": "something intended, often with a date",
    "goal": "what they want to reach",
    "opinion": "what they think of something",
    "experience": "what they have done or lived through",
    "other": "a statement that fits none of these",
}

ATTRIBUTES: Final[Mapping[str, Attribute]] = MappingProxyType(
    {name: Attribute(name, "one", text) for name, text in _ONE.items()}
    | {name: Attribute(name, "many", text) for name, text in _MANY.items()}
)
"""Every attribute by name. A name is stored with each fact: add some, never rename one."""

RELATIONS: Final = (
    "lives_in",
    "works_at",
    "married_to",
    "sibling_of",
    "parent_of",
    "child_of",
    "friend_of",
    "owns",
    "likes",
    "visited",
    "member_of",
    "located_in",
    "related_to",
)
"""How two entities may stand to each other; `related_to` where no other fits."""


def single(name: str) -> bool:
    """Tell whether a subject has one value of this attribute at a time; False for an unknown one."""
    attribute = ATTRIBUTES.get(name)
    return attribute is not None and attribute.cardinality == "one"
