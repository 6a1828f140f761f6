from __future__ import annotations

import pytest

from memgraph.writing.attributes import ATTRIBUTES, RELATIONS, single
from memgraph.writing.cues import CUES


def test_the_list_is_closed_and_told() -> None:
    assert 30 <= len(ATTRIBUTES) <= 40
    assert "other" in ATTRIBUTES
    for name, attribute in ATTRIBUTES.items():
        assert attribute.name == name == name.lower()
        assert attribute.cardinality in ("one", "many")
        assert 5 < len(attribute.description) < 80


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ATTRIBUTES["mood"] = ATTRIBUTES["other"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["residence", "employer", "diet", "marital_status", "name", "birthday"])
def test_one_value_at_a_time(name: str) -> None:
    assert single(name)


@pytest.mark.parametrize("name", ["likes", "pet", "possession", "visited", "plan", "other", "mood", ""])
def test_values_side_by_side(name: str) -> None:
    assert not single(name)


def test_every_single_attribute_has_cues_and_no_other() -> None:
    assert {name for name in ATTRIBUTES if single(name)} == set(CUES)


def test_relations_have_a_last_resort() -> None:
    assert "related_to" in RELATIONS
    assert len(set(RELATIONS)) == len(RELATIONS)
