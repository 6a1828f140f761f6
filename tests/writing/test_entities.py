from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.writing.entities import Entity, candidates, normalise, same

KINDS = ("person", "place", "organisation", "pet", "thing", "event", "other")


def entity(name: str, kind: str = "person", context: str = "", aliases: tuple[str, ...] = ()) -> Entity:
    return Entity(name, kind, aliases, context)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Dr. Solveig Berg", "solveig berg"),
        ("Zoë's", "zoe"),
        ("Łukasz Straße", "lukasz strasse"),
        ("The Harrow & Pell Ltd.", "harrow and pell"),
        ("J. R. Whitlock", "j r whitlock"),
        ("O'Brien", "obrien"),
        ("Room Twelve", "room 12"),
        ("Henry VIII", "henry 8"),
        ("St. Ives", "saint ives"),
        ("", ""),
        ("!!!", ""),
    ],
)
def test_normalise(name: str, plain: str) -> None:
    assert normalise(name) == plain


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (entity("Dr Halima Osei"), entity("Halima Osei")),
        (entity("Bob Smith"), entity("Robert Smith")),
        (entity("NHS", "organisation"), entity("National Health Service", "organisation")),
        (entity("Harrow & Pell", "organisation"), entity("Harrow and Pell Ltd", "organisation")),
        (entity("James Robert Whitlock"), entity("J. R. Whitlock")),
        (entity("Whitlock, James"), entity("James Whitlock")),
        (entity("Anna Keller", context="Anna Keller, née Brandt"), entity("Anna Brandt")),
        (entity("Solveig", context="my sister, a vet nurse"), entity("Solveig Aune", context="sister of Maren")),
        (entity("J. Whitlock", context="baker in Hull"), entity("James Whitlock", context="a baker")),
        (entity("Biscuit the spaniel", "pet"), entity("Biscuit", "pet")),
        (entity("Köln", "place"), entity("Cologne", "place")),
        (entity("River Dart", "place"), entity("the Dart", "place")),
        (entity("Solveig Aune"), entity("Solvieg Aune")),
        (entity("Bunny", aliases=("Margaret Hill",)), entity("Margaret Hill")),
        (entity("Room 12", "place"), entity("Room Twelve", "place")),
        (entity("Book Club", "event"), entity("bookclub", "event")),
        (entity("UN", "organisation", "peace talks"), entity("United Nations", "organisation", "talks in Geneva")),
        (entity("Tamar", "organisation", "buoys"), entity("Tamar Marine Station", "organisation", "its buoys")),
        (
            entity("Leeds University", "organisation", "law"),
            entity("University of Leeds", "organisation", "law degree"),
        ),
        (entity("Bella", "pet", "barks in Hull"), entity("Isabella", "pet", "lives in Hull")),
        (entity("Bob", context="plays darts"), entity("Robert", context="the darts captain")),
        (entity("Mr Whitlock", context="bakes rye"), entity("James Whitlock", context="rye bread")),
        (entity("Ana García", context="a cellist"), entity("Ana María López García", context="cellist")),
        (entity("Péter Nagy", context="chess club"), entity("Nagy Péter", context="chess")),
        (entity("J R Whitlock"), entity("JR Whitlock")),
        (entity("Margaret Whitlock"), entity("Margaret Anne Whitlock")),
        (entity("Anna Whittlock"), entity("Anna Whitlock")),
        (entity("Harow and Pell", "organisation", "a lab"), entity("Harrow and Pell", "organisation", "steel lab")),
    ],
)
def test_one_entity(a: Entity, b: Entity) -> None:
    match = same(a, b)
    assert match is not None
    assert 0.8 < match.score <= 1
    assert match.reason


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (entity("PR #260", "thing"), entity("PR #480", "thing")),
        (entity("Room 12", "place"), entity("Room 21", "place")),
        (entity("Flat 4B", "place"), entity("Flat 4C", "place")),
        (entity("Platform A", "place"), entity("Platform B", "place")),
        (entity("Robert Lang Sr."), entity("Robert Lang Jr.")),
        (entity("Robert Lang"), entity("Robert Lang Jr.")),
        (entity("Mr Smith"), entity("Mrs Smith")),
        (entity("Jordan", "person"), entity("Jordan", "place")),
        (entity("Paris", "place"), entity("Paris, Texas", "place")),
        (entity("Perth, Scotland", "place"), entity("Perth, Australia", "place")),
        (entity("North Street", "place"), entity("South Street", "place")),
        (entity("Anna Keller"), entity("Anna Brandt")),
        (entity("Anna"), entity("Anna Brandt")),
        (entity("Kristin"), entity("Kristen")),
        (entity("J. Smith"), entity("Jane Smith")),
        (entity("Sam", context="my dentist"), entity("Sam", context="my brother")),
        (entity("Jamie"), entity("Jamie", context="another Jamie lent me an umbrella")),
        (entity("Bob"), entity("Robert")),
        (entity("University of York", "organisation"), entity("York University", "organisation")),
        (entity("Anna", context="Anna calls Bob every day"), entity("Bob", context="Bob answers")),
        (entity("Austria", "place"), entity("Australia", "place")),
        (entity("", "person"), entity("", "person")),
        (entity("!!!", "thing"), entity("???", "thing")),
    ],
)
def test_two_entities(a: Entity, b: Entity) -> None:
    assert same(a, b) is None
    assert same(b, a) is None


def test_candidates_are_those_alike_in_order() -> None:
    known = [
        entity("Gwenda Pascoe"),
        entity("Robert Lang"),
        entity("Solveig Aune"),
        entity("World Health Organization"),
    ]
    assert candidates(entity("Solveig"), known) == [known[2]]
    assert candidates(entity("Bob Lang"), known) == [known[1]]
    assert candidates(entity("WHO", "other"), known) == [known[3]]
    assert candidates(entity("Gwenda Pasco"), known, limit=1) == [known[0]]
    assert candidates(entity("Zzyzx"), known) == []


names = st.text(max_size=25) | st.sampled_from(
    ["Anna", "Dr Anna Brandt", "PR #12", "A. Brandt", "(née X)", "Paris, Texas"]
)
entities = st.builds(
    Entity, names, st.sampled_from(KINDS), st.lists(names, max_size=2).map(tuple), st.text(max_size=60)
)


@given(entities, entities)
def test_the_answer_is_the_same_both_ways(a: Entity, b: Entity) -> None:
    one, other = same(a, b), same(b, a)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.score == other.score


@given(entities)
def test_an_entity_is_itself_where_it_has_a_name(a: Entity) -> None:
    match = same(a, a)
    if match is not None:
        assert match.score > 0.8
    assert normalise(normalise(a.name)) is not None


def test_the_labelled_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (files("memgraph") / "datasets" / "entities.jsonl").read_text(encoding="utf-8")
    pairs: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    right, merged, one = {"all": 0}, {"all": 0}, {"all": 0}
    for pair in pairs:
        a, b = (
            Entity(it["name"], it["type"], tuple(it.get("aliases", ())), it.get("context", ""))
            for it in (pair["a"], pair["b"])
        )
        found = same(a, b) is not None
        for split in ("all", pair["split"]):
            merged[split] = merged.get(split, 0) + found
            one[split] = one.get(split, 0) + pair["same"]
            right[split] = right.get(split, 0) + (found and pair["same"])
    with capsys.disabled():
        for split in sorted(merged):
            print(f"\nentities, {split}: precision {right[split] / merged[split]:.3f}", end=" ")
            print(f"({merged[split]} merged), recall {right[split] / one[split]:.3f} (of {one[split]})", end="")
    assert right["all"] / merged["all"] >= 0.98
    assert right["all"] / one["all"] >= 0.80
