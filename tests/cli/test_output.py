from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
import typer

from memgraph.cli import output, values
from memgraph.cli.turns import ordinal


def test_times_read_well() -> None:
    assert output.when(datetime(2025, 3, 1, 9, 5, tzinfo=UTC)) == "Sat 1 Mar 2025, 09:05"


def test_counts_read_well() -> None:
    assert output.count(1, "turn") == "1 turn"
    assert output.count(2000, "turn") == "2,000 turns"


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")]
)
def test_ordinals(number: int, text: str) -> None:
    assert ordinal(number) == text


def test_a_long_text_is_cut_at_a_word() -> None:
    assert output.shortened("one  two\nthree", 100) == "one two three"
    assert output.shortened("one two three", 9) == "one two …"


@pytest.mark.parametrize("text", ["\x1b[31m", "\x9b", "\u202e", "\U000e0041", "\x00", "a\tb\nc", "é🙂"])
def test_printable_json_means_the_same(text: str) -> None:
    document = json.dumps(text, ensure_ascii=False)
    assert json.loads(output.printable(document)) == text


def test_what_has_no_json_form_is_a_mistake_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"at": datetime(2025, 3, 1, tzinfo=UTC), "more": MappingProxyType({"a": 1})})
    assert json.loads(capsys.readouterr().out) == {"at": "2025-03-01T00:00:00+00:00", "more": {"a": 1}}
    with pytest.raises(TypeError, match="object has no JSON form"):
        output.emit(object())


def test_moments() -> None:
    assert values.moment(None, "--since") is None
    assert values.moment("2025-03-31", "--since") == datetime(2025, 3, 31, tzinfo=UTC)
    assert values.moment("2025-03-31T18:05Z", "--since") == datetime(2025, 3, 31, 18, 5, tzinfo=UTC)
    with pytest.raises(typer.BadParameter, match="no date"):
        values.moment("31/03/2025", "--since")


def test_pairs() -> None:
    typed = ["a=1", "b=1.5", "c=true", "d=null", "e=text", "f=NaN", 'g="1"', "h=", "i=[1]"]
    assert values.pairs(typed) == {
        "a": 1, "b": 1.5, "c": True, "d": None, "e": "text", "f": "NaN", "g": "1", "h": "", "i": "[1]",
    }  # fmt: skip
    assert values.pairs(None) == {}
