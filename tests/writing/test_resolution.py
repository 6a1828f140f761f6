"""Names in a batch of facts become entities: the same in any order, and nobody is joined through a chain."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import FactDraft, Mention, RelationDraft
from memgraph.writing.contexts import Entity
from memgraph.writing.entities import candidates, same
from memgraph.writing.names import TITLES, identifiers, parse
from memgraph.writing.nearness import Near
from memgraph.writing.resolution import Alias, Merge, New, Resolved, alias_key, names, resolve, shortlist


@dataclass(frozen=True)
class Known:
    row: int
    name: str
    type: str = "person"
    aliases: tuple[str, ...] = ()
    context: str = ""
    recent: int = 0


def fact(
    *mentions: tuple[str, str],
    subject: str = "user",
    text: str = "",
    attribute: str = "other",
    object: str = "",
    relations: tuple[RelationDraft, ...] = (),
) -> FactDraft:
    entities = tuple(Mention(*one) for one in mentions)
    return FactDraft(subject, attribute, object, text, entities=entities, relations=relations)


def placed(resolved: Resolved, draft: int = 0) -> set[int]:
    return {one.entity for one in resolved.mentions if one.draft == draft}


def groups(resolved: Resolved) -> list[set[str]]:
    """The names of each group of new entities that are one."""
    into = {merge.entity: merge.into for merge in resolved.merges}
    found: defaultdict[int, set[str]] = defaultdict(set)
    for at, new in enumerate(resolved.new):
        found[into.get(~at, ~at)].add(f"{new.name}/{new.type}")
    return sorted(found.values(), key=sorted)


def test_the_subject_of_a_fact_is_a_person_that_speaks() -> None:
    resolved = resolve([(4, fact(attribute="age", object="30"))], [])
    assert resolved.new == (New("user", "person"),)
    assert placed(resolved, 4) == {-1}
    assert resolve([(0, fact(subject="Ada", attribute="employer"))], []).new == (New("Ada", "person"),)
    assert resolve([(0, fact(subject="Biscuit", attribute="age"))], []).new == (New("Biscuit", "other"),)
    assert resolve([(0, fact(subject="Ada", attribute="age"))], [], speakers=["ada"]).new == (New("Ada", "person"),)
    assert resolve([(0, fact(("Biscuit", "pet"), subject="Biscuit"))], []).new == (New("Biscuit", "pet"),)


def test_the_very_name_is_the_known_one() -> None:
    known = [Known(3, "Solveig"), Known(9, "Solveig", "place"), Known(5, "Robert Lang", aliases=("Bob",))]
    assert 3 in placed(resolve([(0, fact(("solveig's", "person")))], known))
    assert 5 in placed(resolve([(0, fact(("Bob", "other")))], known))
    assert resolve([(0, fact(("BOB", "person"), ("Solveig", "place")))], known).merges == ()


def test_of_namesakes_the_one_of_whom_the_same_is_said_else_the_one_named_last() -> None:
    known = [Known(3, "Anna", context="plays the cello"), Known(4, "Anna", context="sails", recent=8)]
    assert 3 in placed(resolve([(0, fact(("Anna", "person"), text="Anna bought a cello."))], known))
    assert 4 in placed(resolve([(0, fact(("Anna", "person"), text="Anna called."))], known))
    told = resolve([(0, fact(("Anna", "person"), text="Another Anna called."))], known)
    assert placed(told) == {~[new.name for new in told.new].index("Anna"), ~[n.name for n in told.new].index("user")}


def test_a_role_tells_namesakes_apart_but_not_in_what_is_said_of_somebody() -> None:
    known = [Known(3, "Anna", context="Anna is my sister")]
    assert 3 not in placed(resolve([(0, fact(("Anna", "person"), text="My dentist Anna called."))], known))
    assert 3 in placed(resolve([(0, fact(subject="Anna", attribute="employer", text="Anna's boss left."))], known))


def test_another_spelling_is_a_new_entity_that_is_merged() -> None:
    resolved = resolve([(7, fact(("Bob Smith", "person")))], [Known(3, "Robert Smith"), Known(4, "Roberta Smythe")])
    assert resolved.new[0] == New("Bob Smith", "person")
    assert resolved.merges == (Merge(-1, 3, 0.94, "a nickname and the same surname", 7),)
    assert Resolved.row(-1, [40, 41]) == 40
    assert Resolved.row(3, [40]) == 3


def test_an_acronym_a_home_name_and_a_name_that_is_told_are_found() -> None:
    known = [
        Known(1, "World Health Organization", "organisation"),
        Known(2, "Munich", "place"),
        Known(3, "Zawadi Mwangi", context="Zawadi Mwangi, known as Mama Zawadi, feeds half the market."),
    ]
    drafts = [
        (0, fact(("WHO", "organisation"))),
        (1, fact(("München", "place"))),
        (2, fact(("Mama Zawadi", "person"), text="Everyone says Mama Zawadi, her name is Zawadi Mwangi.")),
    ]
    assert {merge.into for merge in resolve(drafts, known).merges} == {1, 2, 3}
    assert resolve([(0, fact(("Margaret", "person"), text="Margaret is called Bunny."))], [Known(1, "Bunny")]).merges


def test_whoever_is_introduced_is_not_who_introduces_them() -> None:
    told = "Maren has a sister called Solveig Aune."
    people = (("Maren", "person"), ("Solveig Aune", "person"))
    first = resolve(
        [(0, fact(*people, subject="Maren", attribute="family", object="sister Solveig Aune", text=told))], []
    )
    assert first.merges == ()
    assert [one.type for one in first.relations] == ["sibling_of"]
    known = [Known(1, "Maren", context=told), Known(2, "Solveig Aune", context=told)]
    later = fact(("Solveig", "person"), subject="Solveig", text="Maren's sister Solveig lives in Leeds.")
    assert [merge.into for merge in resolve([(0, later)], known).merges] == [2]
    pet = fact(("Ada", "person"), ("Rex", "pet"), subject="Ada", text="Ada has a black dog named Rex.")
    assert resolve([(0, pet)], [Known(1, "Rex", "other", context="Ada has a black dog named Rex.")]).merges[0].into == 1
    assert len(resolve([(0, pet)], []).new) == 2


def test_two_that_are_as_likely_are_neither() -> None:
    known = [Known(1, "Anna Keller", context="rows"), Known(2, "Anna Brandt", context="rows")]
    assert resolve([(0, fact(("Anna", "person"), text="Anna rows."))], known).merges == ()
    assert len(resolve([(0, fact(("Anna", "person"), text="Anna rows."))], known[:1]).merges) == 1


def test_a_name_whose_kind_becomes_known_is_merged_and_settles_the_kind() -> None:
    known = [Known(1, "Paris", "other")]
    resolved = resolve([(0, fact(("Paris", "place"))), (1, fact(("Paris", "person")))], known)
    assert [(merge.into, merge.score) for merge in resolved.merges] == [(1, 1.0)]
    assert New("Paris", "person") in resolved.new
    assert New("Paris", "place") in resolved.new
    assert resolve([(0, fact(("Paris", "other")))], [Known(1, "Paris", "place")]).new == (New("user", "person"),)


def test_what_is_near_by_other_means_is_compared_too() -> None:
    known = [Known(at, f"Anna{at}", "place") for at in range(20)] + [Known(99, "Cologne", "place")]
    assert resolve([(0, fact(("Köln", "place")))], known).merges == ()
    assert resolve([(0, fact(("Köln", "place")))], known, similar={"Köln": [99, 98]}).merges[0].into == 99
    assert known[-1] in shortlist([(0, fact(("Köln", "place")))], known, similar={"Köln": [99]})


def test_a_name_that_is_said_to_be_somebodys_is_an_alias() -> None:
    resolved = resolve([(2, fact(("Ada", "person"), attribute="name", object="Ada", text="The user is Ada."))], [])
    assert resolved.new == (New("user", "person"),)
    assert resolved.aliases == (Alias(2, -1, "Ada"),)
    both = resolve([(2, fact(attribute="name", object="Ada")), (1, fact(subject="Ada", attribute="employer"))], [])
    assert placed(both, 1) == placed(both, 2) == {-1}
    taken = resolve([(0, fact(attribute="name", object="Ada"))], [Known(1, "Ada")])
    assert taken.aliases == ()
    assert resolve([(0, fact(attribute="name", object="!"))], []).aliases == ()
    assert resolve([(0, fact(subject="Room 2", attribute="name", object="Room 3"))], []).aliases == ()


@pytest.mark.parametrize(
    ("attribute", "value", "text", "kind", "relation"),
    [
        ("residence", "Hull", "", "place", "lives_in"),
        ("employer", "Hull", "", "organisation", "works_at"),
        ("study", "Hull", "", "organisation", "member_of"),
        ("friend", "Hull", "", "person", "friend_of"),
        ("pet", "cat Hull", "", "pet", "owns"),
        ("possession", "Hull", "", "thing", "owns"),
        ("likes", "Hull", "", "place", "likes"),
        ("visited", "Hull", "", "place", "visited"),
        ("hobby", "Hull", "", "organisation", "member_of"),
        ("hobby", "Hull", "", "thing", "likes"),
        ("partner", "Hull", "", "person", "related_to"),
        ("partner", "Hull", "The user is married to Hull.", "person", "married_to"),
        ("family", "sister Hull", "", "person", "sibling_of"),
        ("family", "Hull", "Hull is the user's mother.", "person", "child_of"),
        ("family", "Hull", "", "person", "related_to"),
        ("birthplace", "Hull", "", "place", "related_to"),
    ],
)
def test_a_relation_is_derived_where_the_object_is_named(
    attribute: str, value: str, text: str, kind: str, relation: str
) -> None:
    draft = fact(("Hull", kind), attribute=attribute, object=value, text=text)
    [related] = resolve([(0, draft)], []).relations
    assert (related.type, related.source == related.target) == (relation, False)
    assert resolve([(0, fact(("Leeds", kind), attribute=attribute, object=value))], []).relations == ()


def test_relations_that_are_named_are_taken_within_the_closed_list() -> None:
    given = (RelationDraft("Ada", "owns", "Biscuit"), RelationDraft("Ada", "feeds", "Hull"))
    loop = RelationDraft("Ada", "likes", "ada")
    resolved = resolve([(0, fact(("Ada", "person"), relations=(*given, loop, RelationDraft("", "owns", "Ada"))))], [])
    assert [one.type for one in resolved.relations] == ["owns", "related_to"]
    assert {new.name: new.type for new in resolved.new}["Biscuit"] == "other"


def test_names_without_a_letter_are_nobodys() -> None:
    assert resolve([(0, fact(("!!!", "person"), subject=""))], []) == Resolved((), (), (), (), ())
    assert names([(0, fact(("Ada", "person"), ("!!", "thing")))]) == ["user", "Ada"]
    assert Near([]).find("!", "person", "") == []
    assert alias_key(b"k", "The Dart") == alias_key(b"k", "dart") != alias_key(b"l", "dart")


SAID = st.sampled_from(
    "Anna|Anna Keller|Anna Brandt|Dr Anna Keller|Mr Smith|Mrs Smith|Smith|Robert Smith|Robert Smith Jr|Bob Smith|Bob|"
    "Robert|Room 12|Room 21|Room Twelve|Tamar|Tamar Marine Station|Tamar Bridge Club|WHO|World Health Organization|"
    "Paris|Paris, Texas|Platform A|Platform B|North Street|South Street|J. Smith|Jane Smith|John Smith|user".split("|")
)
TYPES = st.sampled_from(("person", "place", "organisation", "thing", "other"))
CONTEXTS = st.sampled_from(("", "rows in Hull", "rows in Leeds", "sister", "my dentist", "another Anna"))


def drafted(mentions: list[tuple[str, str]], subject: str, text: str) -> FactDraft:
    return fact(*mentions, subject=subject, text=text)


FACTS = st.lists(
    st.builds(drafted, st.lists(st.tuples(SAID, TYPES), min_size=1, max_size=3), SAID, CONTEXTS), max_size=6
)


@given(FACTS, st.randoms(use_true_random=False))
def test_the_order_of_facts_and_known_changes_nothing(drafts: list[FactDraft], random: Any) -> None:
    known = [Known(1, "Robert Smith"), Known(2, "Anna", context="rows in Hull"), Known(3, "Paris", "other")]
    shuffled, turned = list(enumerate(drafts)), list(known)
    random.shuffle(shuffled)
    random.shuffle(turned)
    one, other = resolve(list(enumerate(drafts)), known), resolve(shuffled, turned)
    assert one == other
    assert groups(resolve([(9 - at, draft) for at, draft in enumerate(drafts)], known)) == groups(one)


@given(FACTS)
def test_nobody_who_is_told_apart_is_joined_through_others(drafts: list[FactDraft]) -> None:
    resolved = resolve(list(enumerate(drafts)), [])
    for group in groups(resolved):
        for one, other in combinations(group, 2):
            (x, kind_x), (y, kind_y) = (text.rsplit("/", 1) for text in (one, other))
            assert kind_x == kind_y or "other" in (kind_x, kind_y)
            a, b = parse(x), parse(y)
            assert a.suffix == b.suffix
            assert len({TITLES.get(name.title, "") for name in (a, b)} - {""}) < 2
            assert identifiers(a) == identifiers(b) or 1 in (len(a.tokens), len(b.tokens))
            if len(a.tokens) > 1 and len(b.tokens) > 1:
                assert same(Entity(x, kind_x, (), "together"), Entity(y, kind_y, (), "together"))


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=8)), max_size=4), st.text(max_size=12))
def test_nothing_is_raised(mentions: list[tuple[str, str]], subject: str) -> None:
    drafts = [(0, fact(*mentions, subject=subject, text=subject, attribute="name", object=subject))]
    resolved = resolve(drafts, [Known(1, subject)])
    assert {one.entity for one in resolved.mentions} >= {~at for at, _ in enumerate(resolved.new)}


@given(SAID, st.lists(SAID, max_size=8, unique=True))
def test_whatever_a_rule_would_join_is_near(name: str, others: list[str]) -> None:
    near = Near((row, (other,), "") for row, other in enumerate(others)).find(name, "person", "rows")
    alike = candidates(Entity(name, "person", (), "rows"), [Entity(other, "person", (), "rows") for other in others])
    for row, other in enumerate(others):
        if same(Entity(name, "person", (), "rows"), Entity(other, "person", (), "rows")):
            assert row in near
            assert other in [one.name for one in alike]


@pytest.mark.parametrize("through_shortlist", [False, True])
def test_the_labelled_pairs(through_shortlist: bool, capsys: pytest.CaptureFixture[str]) -> None:
    text = (files("memgraph") / "datasets" / "entities.jsonl").read_text(encoding="utf-8")
    merged = one = right = 0
    for pair in map(json.loads, text.splitlines()):
        a, b = pair["a"], pair["b"]
        known = [Known(1, a["name"], a["type"], tuple(a.get("aliases", ())), a.get("context", ""))]
        drafts = [(0, fact((b["name"], b["type"]), text=b.get("context", "")))]
        near = shortlist(drafts, known) if through_shortlist else known
        resolved = resolve(drafts, near)
        found = 1 in placed(resolved) or bool(resolved.merges)
        merged, one, right = merged + found, one + pair["same"], right + (found and pair["same"])
    with capsys.disabled():
        print(f"\nresolution: precision {right / merged:.3f} ({merged}), recall {right / one:.3f} (of {one})", end="")
    assert right == merged
    assert right / one >= 0.80
