from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.writing.dates import DAY_US, spoken, validity, when

SAID = datetime(2025, 8, 23, 20, 15, tzinfo=UTC)  # a Saturday


def us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def days(text: str, *, future: bool = False, said: datetime = SAID) -> tuple[str, str, str] | None:
    """First and last day of what is named, "" for an open end, and how exactly."""
    found = when(text, us(said), future=future)
    if found is None:
        return None

    def day(moment: int | None) -> str:
        return "" if moment is None else datetime.fromtimestamp(moment / 1_000_000, UTC).strftime("%Y-%m-%d")

    return day(found.first), day(None if found.last is None else found.last - DAY_US), found.precision


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved yesterday", ("2025-08-22", "2025-08-22", "day")),
        ("the day before yesterday", ("2025-08-21", "2025-08-21", "day")),
        ("I moved last week", ("2025-08-11", "2025-08-17", "week")),
        ("two weeks ago", ("2025-08-09", "2025-08-15", "week")),
        ("a fortnight ago", ("2025-08-09", "2025-08-15", "week")),
        ("three days ago", ("2025-08-20", "2025-08-20", "day")),
        ("two months ago", ("2025-06-01", "2025-06-30", "month")),
        ("a year ago", ("2024-08-23", "2025-08-22", "year")),
        ("on Friday", ("2025-08-22", "2025-08-22", "day")),
        ("on Saturday", ("2025-08-16", "2025-08-16", "day")),
        ("last weekend", ("2025-08-16", "2025-08-17", "day")),
        ("since March", ("2025-03-01", "", "month")),
        ("since 2019", ("2019-01-01", "", "year")),
        ("for two years", ("2023-08-23", "", "year")),
        ("from 2015 to 2018", ("2015-01-01", "2018-12-31", "year")),
        ("in 2019 I lived in Rome", ("2019-01-01", "2019-12-31", "year")),
        ("on 15 November", ("2024-11-15", "2024-11-15", "day")),
        ("on 15 November 2025", ("2025-11-15", "2025-11-15", "day")),
        ("on the 3rd of May", ("2025-05-03", "2025-05-03", "day")),
        ("May 3, 2021", ("2021-05-03", "2021-05-03", "day")),
        ("2021-05-03", ("2021-05-03", "2021-05-03", "day")),
        ("in October", ("2024-10-01", "2024-10-31", "month")),
        ("in June 2020", ("2020-06-01", "2020-06-30", "month")),
        ("last month", ("2025-07-01", "2025-07-31", "month")),
        ("last summer", ("2024-06-01", "2024-08-31", "season")),
        ("this summer", ("2025-06-01", "2025-08-31", "season")),
        ("on New Year's Eve", ("2024-12-31", "2024-12-31", "day")),
        ("until 2018", ("", "2017-12-31", "year")),
        ("as of this morning", ("2025-08-23", "", "day")),
    ],
)
def test_told_as_past(text: str, expected: tuple[str, str, str]) -> None:
    assert days(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow", ("2025-08-24", "2025-08-24", "day")),
        ("on Friday", ("2025-08-29", "2025-08-29", "day")),
        ("next Friday", ("2025-08-29", "2025-08-29", "day")),
        ("next month", ("2025-09-01", "2025-09-30", "month")),
        ("next week", ("2025-08-25", "2025-08-31", "week")),
        ("next year", ("2026-01-01", "2026-12-31", "year")),
        ("next spring", ("2026-03-01", "2026-05-31", "season")),
        ("in three weeks", ("2025-09-13", "2025-09-19", "week")),
        ("on 15 November", ("2025-11-15", "2025-11-15", "day")),
        ("13 April", ("2026-04-13", "2026-04-13", "day")),
        ("in May", ("2026-05-01", "2026-05-31", "month")),
        ("on 29 February", ("2028-02-29", "2028-02-29", "day")),
    ],
)
def test_told_as_to_come(text: str, expected: tuple[str, str, str]) -> None:
    assert days(text, future=True) == expected


@pytest.mark.parametrize(
    "text", ["", "I live in Rome", "may I march on", "on Fridays", "since I was five", "30 February"]
)
def test_no_date(text: str) -> None:
    assert days(text) is None


def test_weeks_cross_the_year() -> None:
    assert days("last week", said=datetime(2025, 1, 2, tzinfo=UTC)) == ("2024-12-23", "2024-12-29", "week")
    assert days("last month", said=datetime(2025, 1, 2, tzinfo=UTC)) == ("2024-12-01", "2024-12-31", "month")


def test_a_state_goes_on_and_an_event_does_not() -> None:
    found = when("in 2019", us(SAID))
    assert found is not None
    assert validity(found, "state") == (found.first, None)
    assert validity(found, "state", over=True) == (found.first, found.last)
    assert validity(found, "event") == (found.first, found.last)
    assert validity(None, "event") == (None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "on 22 August 2025"),
        ("last week", "in the week of 11 August 2025"),
        ("two weeks ago", "around 9 August 2025"),
        ("since March", "since March 2025"),
        ("in 2019", "in 2019"),
        ("two years ago", "around August 2023"),
        ("from 2015 to 2018", "from 2015 to 2018"),
        ("last winter", "in winter 2024"),
        ("until 2018", "until 2018"),
    ],
)
def test_spoken(text: str, words: str) -> None:
    found = when(text, us(SAID))
    assert found is not None
    assert spoken(found) == words


@given(st.text(max_size=80), st.integers(-(2**62), 2**62), st.booleans())
def test_any_text_at_any_time(text: str, said_at: int, future: bool) -> None:
    found = when(text, said_at, future=future)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)
        assert spoken(found)


@given(
    st.sampled_from(["%d years ago", "in %d months", "for %d weeks", "%d days ago", "on %d May", "in %d", "since %d"]),
    st.integers(0, 3_000),
    st.integers(0, 253_000_000_000),
    st.booleans(),
)
def test_spans_have_a_length(form: str, number: int, seconds: int, future: bool) -> None:
    found = when(form % number, seconds * 1_000_000, future=future)
    if found is not None and found.first is not None and found.last is not None:
        assert found.first < found.last
