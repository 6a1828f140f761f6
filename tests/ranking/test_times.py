from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.ranking.times import MOST, windows

NOW = datetime(2024, 5, 15, 12, tzinfo=UTC)  # a Wednesday
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def spans(text: str, now: datetime = NOW) -> list[tuple[str, str]]:
    """Return windows as first and last day."""
    found: list[tuple[str, str]] = []
    for start, end in windows(text, us(now)):
        first, last = EPOCH + timedelta(microseconds=start), EPOCH + timedelta(microseconds=end)
        found.append((first.date().isoformat(), (last.date() - timedelta(days=1)).isoformat()))
    return found


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("What happened on 3 May 2023?", "2023-05-03", "2023-05-03"),
        ("What happened on May 3rd, 2023?", "2023-05-03", "2023-05-03"),
        ("the 3rd of May, 2023", "2023-05-03", "2023-05-03"),
        ("on December 1,2023", "2023-12-01", "2023-12-01"),
        ("on 2023-05-03", "2023-05-03", "2023-05-03"),
        ("on 5/3/2023", "2023-05-03", "2023-05-03"),
        ("on 23/5/2023", "2023-05-23", "2023-05-23"),
        ("in 2023-05", "2023-05-01", "2023-05-31"),
        ("in May 2023", "2023-05-01", "2023-05-31"),
        ("in december of 2023", "2023-12-01", "2023-12-31"),
        ("in June", "2023-06-01", "2023-06-30"),
        ("in May", "2024-05-01", "2024-05-31"),
        ("Did she march in Oct?", "2023-10-01", "2023-10-31"),
        ("on May 3", "2024-05-03", "2024-05-03"),
        ("on June 3", "2023-06-03", "2023-06-03"),
        ("on February 30, 2023", "2023-02-01", "2023-02-28"),
        ("on 29 February", "2024-02-29", "2024-02-29"),
        ("in 2022", "2022-01-01", "2022-12-31"),
        ("in summer 2021", "2021-06-01", "2021-08-31"),
        ("during the winter of 2022", "2022-12-01", "2023-02-28"),
        ("last summer", "2023-06-01", "2023-08-31"),
        ("last spring", "2023-03-01", "2023-05-31"),
        ("this spring", "2024-03-01", "2024-05-31"),
        ("the week before 16 November 2023", "2023-11-09", "2023-11-15"),
        ("the Sunday before October 25, 2022", "2022-10-18", "2022-10-24"),
        ("two weeks before August 11, 2023", "2023-07-25", "2023-07-31"),
        ("the week after 16 November 2023", "2023-11-17", "2023-11-23"),
        ("three days after 16 November 2023", "2023-11-19", "2023-11-19"),
        ("between August 11 and August 15 2023", "2023-08-11", "2023-08-15"),
        ("from March 2023 to May 2023", "2023-03-01", "2023-05-31"),
        ("since March 2024", "2024-03-01", "2024-05-15"),
        ("last week, as mentioned on 6 November 2023", "2023-11-06", "2023-11-06"),
        ("yesterday", "2024-05-14", "2024-05-14"),
        ("the day before yesterday", "2024-05-13", "2024-05-13"),
        ("today", "2024-05-15", "2024-05-15"),
        ("last night", "2024-05-14", "2024-05-14"),
        ("last week", "2024-05-06", "2024-05-12"),
        ("this week", "2024-05-13", "2024-05-19"),
        ("last weekend", "2024-05-11", "2024-05-12"),
        ("last month", "2024-04-01", "2024-04-30"),
        ("this month", "2024-05-01", "2024-05-31"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("on Friday", "2024-05-10", "2024-05-10"),
        ("last Wednesday", "2024-05-08", "2024-05-08"),
        ("three days ago", "2024-05-12", "2024-05-12"),
        ("2 weeks ago", "2024-04-28", "2024-05-04"),
        ("a year ago", "2022-11-15", "2023-11-14"),
        ("in the last 3 days", "2024-05-12", "2024-05-15"),
        ("over the past two months", "2024-03-16", "2024-05-15"),
    ],
)
def test_window(text: str, first: str, last: str) -> None:
    assert spans(text) == [(first, last)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "May I ask you something?",
        "Did she march to the sea, and may she?",
        "What did he say when he began to fall asleep by the spring?",
        "How many of the 2000 people came?",
        "Where will we go next week?",
        "Who is she, one of a kind?",
        "on 31/31/2023",
        "5000 years ago",
    ],
)
def test_no_window(text: str) -> None:
    assert spans(text) == []


def test_this_weekend_on_a_sunday() -> None:
    assert spans("this weekend", datetime(2024, 5, 19, tzinfo=UTC)) == [("2024-05-18", "2024-05-19")]


def test_a_fortnight() -> None:
    assert spans("last fortnight") == [("2024-05-01", "2024-05-15")]
    assert spans("tonight, this night") == [("2024-05-15", "2024-05-15")]


def test_several_are_sorted_and_few() -> None:
    assert spans("in May 2022 or in March 2021") == [("2021-03-01", "2021-03-31"), ("2022-05-01", "2022-05-31")]
    assert len(windows("on 2001-01-01, 2002-01-01, 2003-01-01, 2004-01-01, 2005-01-01, 2006-01-01", us(NOW))) == MOST


@pytest.mark.parametrize("text", ["last w\u0130nter", "in \u017feptember 2023", "ye\u017fterday", "two wee\u212as ago"])
def test_letters_that_are_taken_for_others_name_the_same_time(text: str) -> None:
    plain = text.replace("\u0130", "i").replace("\u017f", "s").replace("\u212a", "k")
    assert spans(text) == spans(plain) != []


PIECES = st.sampled_from(
    "May March 3rd 2023 31 February last week weekend the of before after since between and two 999 weeks years ago "
    "summer fall yesterday 2023-02-30 12/31/1999 on in Friday 1900 2099 next from to this".split()
)


@given(
    st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map(" ".join)),
    st.integers(-(2**63), 2**63 - 1)
    | st.dates(date(1, 1, 1), date(9999, 12, 31)).map(lambda d: (d - date(1970, 1, 1)).days * 86_400_000_000),
)
def test_windows_are_well_formed(text: str, now_us: int) -> None:
    found = windows(text, now_us)
    assert len(found) <= MOST
    assert list(found) == sorted(set(found))
    assert all(start < end for start, end in found)
