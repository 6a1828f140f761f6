"""Times are aware outside and integers inside; records are plain and frozen."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.errors import InvalidInput
from memgraph.records import OPEN, Hits, Page, Skipped, from_us, from_us_or_open, to_us
from memgraph.uuid7 import uuid7


@given(st.datetimes(timezones=st.timezones() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=45)))))
def test_a_moment_survives_the_microsecond_integer(moment: datetime) -> None:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:  # the first and last hours of the calendar are outside it in UTC
        return
    back = from_us(to_us("said_at", moment))
    assert back == in_utc
    assert back.tzinfo is UTC


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)])
def test_the_ends_of_the_calendar(moment: datetime) -> None:
    assert from_us(to_us("said_at", moment)) == moment


def test_an_open_end_is_the_largest_integer() -> None:
    assert OPEN == 2**63 - 1
    assert from_us_or_open(OPEN) is None
    assert from_us_or_open(0) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2026-01-01", 0, None, date(2026, 1, 1)])
def test_what_is_no_datetime_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"as_of must be an aware datetime, not \w+"):
        to_us("as_of", value)


def test_a_naive_datetime_is_refused_and_shown() -> None:
    with pytest.raises(InvalidInput, match="said_at `2026-01-02T03:04:00` has no time zone"):
        to_us("said_at", datetime(2026, 1, 2, 3, 4))


def test_hits_are_a_list_with_a_trace() -> None:
    hits = Hits([], trace_id="t", degraded={"dense": "deadline"}, owner="o", seq=3)
    assert hits == []
    assert (hits.trace_id, hits.degraded, hits.seq) == ("t", {"dense": "deadline"}, 3)


def test_records_are_frozen() -> None:
    skipped = Skipped(0, "empty")
    with pytest.raises(dataclasses.FrozenInstanceError):
        skipped.reason = "known"  # type: ignore[misc]  # that it can't be is the test
    assert Page((1, 2), None).items == (1, 2)


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    ids = [uuid7(us) for us in range(1_700_000_000_000_000, 1_700_000_000_003_000, 7)]
    assert ids == sorted(ids)
    assert {id.version for id in ids} == {7}
    assert {id.variant for id in ids} == {"specified in RFC 4122"}
    assert len({uuid7(5) for _ in range(1_000)}) == 1_000
    assert uuid7(-1).version == 7
