"""Time expressions of a question, as windows of time. English, by rules; what they do not know gives no window.

Seasons are those of the northern hemisphere; days begin at midnight UTC, since a question brings no time zone:
`ranking.fusion` allows a margin on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from memgraph.writing.patterns import unodd

DAY_US: Final = 86_400_000_000
MOST: Final = 4
"""Windows kept of one question: who names more dates than that is not asking for a time."""

_EPOCH: Final = date(1970, 1, 1)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS: Final = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "a couple of": 2, "three": 3, "few": 3, "a few": 3},
    **{"four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12},
}
_UNIT_DAYS: Final = {"day": 1, "night": 1, "weekend": 7, "week": 7, "fortnight": 14, "month": 30, "year": 365}


class Window(NamedTuple):
    """A span of time, half open, in microseconds UTC."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Days [first, last) named at text[start:end]."""

    first: date
    last: date
    start: int = 0
    end: int = 0


_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY: Final = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>(?:19|20)\d\d)\b"
_NUMBER: Final = r"(?P<n>\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
_UNIT: Final = r"(?P<unit>day|night|weekend|week|fortnight|month|year)s?"
_WEEKDAY: Final = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)"
_BEFORE_MONTH: Final = r"(?:in|of|during|since|by|before|after|early|late|mid|until|till|from|around|last|this|past)"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b{pattern}", re.IGNORECASE)


_ISO_DAY: Final = _compile(r"(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])\b")
_SLASHED: Final = _compile(r"(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<year>(?:19|20)\d\d)\b")
_ISO_MONTH: Final = _compile(r"(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])\b(?!-\d)")
_DAY_MONTH: Final = _compile(rf"{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s*(?:of\s+)?{_YEAR})?")
_MONTH_DAY: Final = _compile(rf"{_MONTH}\s+(?:the\s+)?{_DAY}\b(?!:)(?:,?\s*{_YEAR})?")
_MONTH_YEAR: Final = _compile(rf"{_MONTH},?\s+(?:of\s+)?{_YEAR}")
_MONTH_ALONE: Final = _compile(rf"(?P<pre>{_BEFORE_MONTH}\s+(?:the\s+)?)?{_MONTH}")
_SEASON: Final = _compile(
    r"(?P<pre>in|during|over|since|last|this|past|of)?\s*(?:the\s+)?"
    rf"(?P<season>spring|summer|autumn|fall|winter)\b(?:,?\s+(?:of\s+)?{_YEAR})?"
)
_YEAR_ALONE: Final = _compile(
    rf"(?:in|of|during|since|by|before|after|early|late|mid|until|from|around|year)[\s-]+{_YEAR}"
)
_EXPLICIT: Final = (
    *(_ISO_DAY, _SLASHED, _ISO_MONTH, _DAY_MONTH, _MONTH_DAY, _MONTH_YEAR, _MONTH_ALONE, _SEASON, _YEAR_ALONE),
)
"""The fuller expression first: what one took, the next do not see."""
_AGO: Final = _compile(rf"{_NUMBER}\s+{_UNIT}\s+ago\b")
_LAST_N: Final = _compile(rf"(?:last|past|previous)\s+{_NUMBER}\s+{_UNIT}\b")
_NAMED_DAY: Final = _compile(
    r"(?P<name>day before yesterday|yesterday|last night|today|tonight|this (?:morning|afternoon|evening))\b"
)
_UNIT_NAMED: Final = _compile(rf"(?P<which>last|this|past|previous|next)\s+{_UNIT}\b")
_WEEKDAY_NAMED: Final = _compile(rf"(?:last|on|this|past|previous)\s+{_WEEKDAY}\b")
_SHIFT: Final = re.compile(
    rf"(?:\b{_NUMBER}\s+)?\b(?:{_UNIT}|{_WEEKDAY})\s+(?P<way>before|prior to|after|following)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_HINT: Final = re.compile(
    "|".join((r"(?:19|20)\d\d", *_MONTHS, *_SEASONS, *_UNIT_DAYS, "morning", "afternoon", "evening"))
)
"""What every expression above has somewhere, in small letters: most questions have none of it, and one look is a tenth
of the rest."""
_JOIN: Final = re.compile(r"\s*(?:,|-|\u2013|and|to|until|till|through)\s*(?:the\s+)?$", re.IGNORECASE)
_RANGE: Final = re.compile(r"\b(?:between|from)\s+(?:the\s+)?$", re.IGNORECASE)
_SINCE: Final = re.compile(r"\bsince\s+(?:the\s+)?$", re.IGNORECASE)


def windows(text: str, now_us: int) -> tuple[Window, ...]:
    """Return the spans of time that a question names.

    A date that is named wins over "last week" and its like, which then most often hangs on that date. A month, a
    season or a day without a year is the latest one that has begun.

    Args:
        text: The question.
        now_us: Now, microseconds UTC; "yesterday" is relative to it.

    Returns:
        At most `MOST` windows, earliest first, each `start_us < end_us`. Empty if no time is named, or now lies
        outside the years 2 to 9998.
    """
    days = now_us // DAY_US
    if not (date(2, 1, 1) - _EPOCH).days <= days <= (date(9998, 12, 31) - _EPOCH).days:
        return ()
    today = _EPOCH + timedelta(days=days)
    text = unodd(text[:2_000])
    if not _HINT.search(text.lower()):
        return ()
    spans = _explicit(text, today) or list(_relative(text, today))
    found = {Window(_us(span.first), _us(span.last)) for span in spans if span.first < span.last}
    return tuple(sorted(found))[:MOST]


def _us(day: date) -> int:
    return (day - _EPOCH).days * DAY_US


def _explicit(text: str, today: date) -> list[_Span]:
    """Find named dates, months, seasons and years; what one rule took the next ones do not see."""
    spans: list[_Span] = []
    years = [int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", text)]
    shared = years[0] if len(set(years)) == 1 else None
    rest = text
    for pattern in _EXPLICIT:
        for match in pattern.finditer(rest):
            days = _read(pattern, match, shared, today)
            if days is not None:
                spans.append(_Span(*days, *match.span()))
                rest = rest[: match.start()] + "\0" * len(match.group()) + rest[match.end() :]
    spans.sort(key=lambda span: span.start)
    return [_shifted(text, span, today) for span in _joined(text, spans)]


def _read(pattern: re.Pattern[str], match: re.Match[str], shared: int | None, today: date) -> tuple[date, date] | None:
    """Turn one match into days [first, last), None if it names none after all."""
    group = match.groupdict()
    year = int(group["year"]) if group.get("year") else shared
    if pattern is _SLASHED:
        a, b = int(group["a"]), int(group["b"])
        return _day(year, a, b, today) if a <= 12 else _day(year, b, a, today)
    if pattern is _SEASON:
        if group["season"].lower() in ("spring", "fall") and not (group["pre"] or group["year"]):
            return None  # "to fall asleep", "a spring"
        return _season(group["season"].lower(), year, group["pre"], today)
    if pattern is _YEAR_ALONE:
        return (date(int(group["year"]), 1, 1), date(int(group["year"]) + 1, 1, 1))
    word: str = group["month"]
    month = int(word) if word.isdecimal() else _MONTHS.index(word[:3].lower()) + 1
    if group.get("day"):
        return _day(year, month, int(group["day"]), today)
    unsure = len(word) < 4 or word[:3].lower() == "mar" or word[0].islower()
    if pattern is _MONTH_ALONE and unsure and not group["pre"]:
        return None  # "may I", "march on", "a mar"
    if year is None:
        year = today.year if month <= today.month else today.year - 1
    return _months(year, month, 1)


def _day(year: int | None, month: int, day: int, today: date) -> tuple[date, date] | None:
    """Return one day; without a year the latest that has come. None for 30 February and its like."""
    for candidate in (year,) if year else (today.year, today.year - 1, today.year - 2, today.year - 3, today.year - 4):
        try:
            found = date(max(1, candidate), month, day)
        except ValueError:
            continue
        if year or found <= today:
            return found, found + timedelta(days=1)
    return None


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    """Return `count` months from one on."""
    index = year * 12 + month - 1 + count
    return date(year, month, 1), date(index // 12, index % 12 + 1, 1)


def _season(name: str, year: int | None, pre: str | None, today: date) -> tuple[date, date]:
    """Return three months; without a year the latest season that has begun, with "last" the latest that is over."""
    month = _SEASONS[name]
    if year is not None:
        return _months(year, month, 3)
    first, last = _months(today.year, month, 3)
    if first > today or ((pre or "").lower() == "last" and last > today):
        first, last = _months(today.year - 1, month, 3)
    return first, last


def _joined(text: str, spans: list[_Span]) -> list[_Span]:
    """Merge "between A and B" into one span."""
    found: list[_Span] = []
    for span in spans:
        before = found[-1] if found else None
        if before and _RANGE.search(text[: before.start]) and _JOIN.fullmatch(text[before.end : span.start]):
            found[-1] = _Span(min(before.first, span.first), max(before.last, span.last), before.start, span.end)
        else:
            found.append(span)
    return found


def _shifted(text: str, span: _Span, today: date) -> _Span:
    """Apply what stands before a date: "the week before ...", "two days after ...", "since ..."."""
    before = text[: span.start]
    if _SINCE.search(before):
        return _Span(span.first, max(span.last, today + timedelta(days=1)))
    match = _SHIFT.search(before)
    if match is None:
        return span
    unit = _UNIT_DAYS[match["unit"].lower()] if match["unit"] else 7
    count = _number(match["n"]) if match["n"] else 1
    blur = unit // 2 if match["n"] else unit - 1  # "two weeks before" is about a day, "the week before" is a week
    if match["way"].lower() in ("before", "prior to"):
        middle = span.first - timedelta(days=unit * count)
        return _Span(middle - timedelta(days=blur if match["n"] else 0), middle + timedelta(days=blur + 1))
    middle = span.last - timedelta(days=1) + timedelta(days=unit * count)
    return _Span(middle - timedelta(days=blur), middle + timedelta(days=(blur if match["n"] else 0) + 1))


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else _NUMBERS[word.lower()]


def _relative(text: str, today: date) -> Iterator[_Span]:
    """Find what is told by its distance from now."""
    day = timedelta(days=1)
    for match in _NAMED_DAY.finditer(text):
        back = {"day before yesterday": 2, "yesterday": 1, "last night": 1}.get(match["name"].lower(), 0)
        yield _Span(today - back * day, today - (back - 1) * day)
    for match in _AGO.finditer(text):
        unit, count = _UNIT_DAYS[match["unit"].lower()], _number(match["n"])
        if unit * count < 365 * today.year - 800:
            middle = today - unit * count * day
            yield _Span(middle - unit // 2 * day, middle + (unit // 2 + 1) * day)
    for match in _LAST_N.finditer(text):
        span = _UNIT_DAYS[match["unit"].lower()] * _number(match["n"])
        if span < 365 * today.year - 800:
            yield _Span(today - span * day, today + day)
    for match in _UNIT_NAMED.finditer(text):
        if match["which"].lower() != "next":
            yield _unit(match["unit"].lower(), match["which"].lower() == "this", today)
    for match in _WEEKDAY_NAMED.finditer(text):
        back = (today.weekday() - _DAYS.index(match["weekday"][:3].lower()) - 1) % 7 + 1
        yield _Span(today - back * day, today - (back - 1) * day)


def _unit(unit: str, this: bool, today: date) -> _Span:
    """Return "last week", "this month" and their like, by the calendar; weeks begin on Monday."""
    day = timedelta(days=1)
    if unit == "year":
        year = today.year if this else today.year - 1
        return _Span(date(year, 1, 1), date(year + 1, 1, 1))
    if unit == "month":
        month = today.year * 12 + today.month - (1 if this else 2)
        return _Span(*_months(month // 12, month % 12 + 1, 1))
    if unit in ("day", "night"):
        return _Span(today, today + day) if this else _Span(today - day, today)
    monday = today - today.weekday() * day
    if unit == "weekend":
        saturday = monday + 5 * day if this and today.weekday() >= 5 else monday - 2 * day
        return _Span(saturday, saturday + 2 * day)
    if unit == "fortnight":
        return _Span(today - 14 * day, today + day)
    return _Span(monday, monday + 7 * day) if this else _Span(monday - 7 * day, monday)
