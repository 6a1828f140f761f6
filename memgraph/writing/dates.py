"""Dates that a statement names, read against the time at which it was said. English, by rules.

Days begin at midnight UTC and weeks on Monday; seasons are those of the northern hemisphere. What the rules do not
know gives no date: a statement without one holds since it was said.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from memgraph.drafts import Kind

DAY_US: Final = 86_400_000_000

Precision = Literal["day", "week", "month", "season", "year"]
"""How exactly a date is told."""

_EPOCH: Final = date(1970, 1, 1)
_FIRST: Final = (date(200, 1, 1) - _EPOCH).days
_LAST: Final = (date(9800, 1, 1) - _EPOCH).days
_DAY: Final = timedelta(days=1)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_FEASTS: Final = {"christmas": (12, 25), "new year": (1, 1), "new year's eve": (12, 31), "halloween": (10, 31)}
_NUMBERS: Final = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "couple of": 2, "three": 3, "a few": 3, "few": 3},
    **{"four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12},
    **{"fifteen": 15, "twenty": 20, "thirty": 30},
}


class When(NamedTuple):
    """A date that a text names.

    Attributes:
        first: First microsecond UTC, None for "until ...".
        last: The microsecond after the last one, None for "since ...": it goes on.
        precision: How exactly it is told.
        start: Where the expression begins in the text.
        end: Where it ends.
    """

    first: int | None
    last: int | None
    precision: Precision
    start: int
    end: int


class _Span(NamedTuple):
    first: date
    last: date
    precision: Precision


_MONTH: Final = (
    r"(?P<month>(?i:january|february|april|june|july|august|september|october|november|december)|March|May"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
)
_DAY_NUMBER: Final = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>(?:19|20)\d\d)\b"
_NUMBER: Final = r"(?P<n>\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
_UNIT: Final = r"(?P<unit>day|night|weekend|week|fortnight|month|year)s?"
_WEEKDAY: Final = r"(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)day"
_ON: Final = r"(?:(?i:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+(?:the\s+)?)?"
_SEASON: Final = r"(?P<season>spring|summer|autumn|fall|winter)"
_LEAD: Final = (
    r"(?P<lead>since|ever since|from|starting|as of|until|till|by|on|in|at|during|over|back in|of|around|before|after)"
)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?i:{pattern})")


_PATTERNS: Final = (
    _compile(rf"(?:{_LEAD}\s+)?(?P<iso>(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d))\b"),
    _compile(
        r"(?:(?:from|between)\s+)?(?P<year>(?:19|20)\d\d)\s*(?:to|until|till|and|-|\u2013)\s*(?P<to>(?:19|20)\d\d)\b"
    ),
    re.compile(rf"(?<![\w-])(?:(?i:{_LEAD}\s+(?:the\s+)?))?{_ON}{_DAY_NUMBER}\s+(?:of\s+)?{_MONTH}(?:,?\s*{_YEAR})?"),
    re.compile(rf"(?<![\w-])(?:(?i:{_LEAD}\s+))?{_ON}{_MONTH}\s+(?:the\s+)?{_DAY_NUMBER}\b(?!:)(?:,?\s*{_YEAR})?"),
    re.compile(rf"(?<![\w-])(?:(?i:{_LEAD}\s+(?:early\s+|late\s+|mid-?\s*)?))?{_MONTH},?\s+(?:of\s+)?{_YEAR}"),
    _compile(rf"(?:{_LEAD}\s+)?(?:the\s+)?{_SEASON}\s+(?:of\s+)?{_YEAR}"),
    _compile(rf"{_LEAD}\s+(?:early\s+|late\s+|mid-?\s*)?{_YEAR}"),
    _compile(
        r"(?P<named>the day before yesterday|the day after tomorrow|yesterday|last night|tomorrow|today|tonight"
        r"|(?:since |as of )?this (?:morning|afternoon|evening)|in the night)\b"
    ),
    _compile(rf"(?:about\s+|around\s+|almost\s+|nearly\s+|over\s+)?{_NUMBER}\s+{_UNIT}\s+(?P<ago>ago|back)\b"),
    _compile(rf"in\s+(?:about\s+)?{_NUMBER}\s+{_UNIT}(?:['\u2019]s?)?(?:\s+time)?\b(?P<ahead>)(?!\s+(?:of|a|per)\b)"),
    _compile(rf"{_NUMBER}\s+{_UNIT}\s+from\s+now\b(?P<ahead>)"),
    _compile(
        rf"for\s+(?:(?:about|around|almost|nearly|over|the\s+past|the\s+last|more than)\s+)?{_NUMBER}\s+"
        rf"{_UNIT}\b(?P<lasting>)"
    ),
    _compile(
        rf"(?:{_LEAD}\s+)?(?P<which>last|next|this|this past|this coming|past|coming)\s+"
        rf"(?:{_UNIT}|{_WEEKDAY}|{_SEASON})\b"
    ),
    re.compile(rf"(?<![\w-])(?:(?i:{_LEAD}\s+))?(?i:(?P<which>last|next|this)\s+){_MONTH}"),
    _compile(rf"{_LEAD}\s+(?:the\s+)?{_WEEKDAY}(?!s)\b(?:\s+(?:morning|afternoon|evening|night))?"),
    re.compile(rf"(?<![\w-])(?i:{_LEAD}\s+(?:the\s+)?(?:early\s+|late\s+|mid-?\s*|middle of\s+|end of\s+)?){_MONTH}"),
    _compile(rf"{_LEAD}\s+(?:the\s+)?{_SEASON}\b"),
    _compile(rf"{_LEAD}\s+(?P<feast>christmas|new year's eve|new year|halloween)\b(?:\s+day)?"),
)
"""The fuller expression first; the first pattern that matches is the date."""


def when(text: str, said_at: int, *, future: bool = False) -> When | None:
    """Return the date that a statement names.

    Args:
        text: The statement.
        said_at: When it was said, microseconds UTC.
        future: Whether it tells of what is to come: "on Friday" is then the next one, else the last.

    Returns:
        The date, None if none is named or `said_at` is out of any calendar's range. Never raises.
    """
    days = said_at // DAY_US
    if not _FIRST < days < _LAST:
        return None
    today = _EPOCH + timedelta(days=days)
    text = text[:1_000].replace("\u2019", "'")
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            found = _read(match, today, future)
            if found is not None:
                return found
    return None


def validity(found: When | None, kind: Kind, *, over: bool = False) -> tuple[int | None, int | None]:
    """Return from when to when a fact holds that was told with a date.

    Args:
        found: The date.
        kind: A state goes on from the date; an event or a plan lies within it.
        over: Whether the state is told as past ("I lived in Rome in 2019").
    """
    if found is None:
        return None, None
    if kind == "state" and not over and found.first is not None:
        return found.first, None
    return found.first, found.last


def spoken(found: When) -> str:
    """Return a date in words that need no other date: "on 15 November 2025", "in March 2025"."""
    if found.first is None:
        return f"until {_words(_day_of(found.last or 0), found.precision)}"
    first = _day_of(found.first)
    if found.last is None:
        return f"since {_words(first, found.precision)}"
    last = _day_of(found.last) - _DAY
    if found.precision == "year" and first != date(first.year, 1, 1):
        return f"around {_words(first, 'year')}"
    if found.precision == "year" and last.year > first.year:
        return f"from {first.year} to {last.year}"
    lead = {"day": "on", "week": "in the week of" if first.weekday() == 0 else "around"}.get(found.precision, "in")
    return f"{lead} {_words(first, found.precision)}"


def _words(day: date, precision: Precision) -> str:
    if precision == "year" and day != date(day.year, 1, 1):
        return f"{_NAMES[day.month - 1]} {day.year}"
    if precision == "year":
        return str(day.year)
    if precision == "month":
        return f"{_NAMES[day.month - 1]} {day.year}"
    if precision == "season":
        return f"{ {3: 'spring', 6: 'summer', 9: 'autumn'}.get(day.month, 'winter') } {day.year}"
    return f"{day.day} {_NAMES[day.month - 1]} {day.year}"


def _day_of(us: int) -> date:
    return _EPOCH + timedelta(days=us // DAY_US)


def _us(day: date) -> int:
    return (day - _EPOCH).days * DAY_US


def _read(match: re.Match[str], today: date, future: bool) -> When | None:
    """Turn a match into a date, None if it names none after all."""
    group = match.groupdict()
    lead = (group.get("lead") or "").lower()
    future = (future or lead in ("until", "till", "by")) and lead not in ("since", "ever since")
    span = _span(group, match.group(), today, future)
    if span is None:
        return None
    first: int | None = _us(span.first)
    last: int | None = _us(span.last)
    if (
        lead in ("since", "ever since", "from", "starting", "as of")
        or match.group().lower().startswith(("since ", "as of "))
        or ("lasting" in group)
    ):
        last = None
    elif lead in ("until", "till", "before"):
        first, last = None, first
    elif lead == "after":
        first, last = last, None
    return When(first, last, span.precision, match.start(), match.end())


def _span(group: dict[str, str | None], text: str, today: date, future: bool) -> _Span | None:
    """Return the days that a match names."""
    year = int(group["year"] or 0) if group.get("year") else None
    if group.get("to"):
        to = int(group["to"] or 0)
        return _Span(date(year or to, 1, 1), date(to + 1, 1, 1), "year") if (year or to) <= to else None
    if group.get("named"):
        return _named(text.lower(), today)
    if group.get("unit"):
        return _by_unit(group, today)
    if group.get("weekday"):
        return _weekday(group, today, future)
    if group.get("season"):
        return _season((group["season"] or "").lower(), group, year, today, future)
    if group.get("feast"):
        month, day = _FEASTS[(group["feast"] or "").lower()]
        return _one_day(year, month, day, today, future)
    if group.get("month"):
        word = group["month"] or ""
        month = int(word) if word.isdecimal() else _MONTHS.index(word[:3].lower()) + 1
        if group.get("day"):
            return _one_day(year, month, int(group["day"] or 0), today, future)
        return _month(year, month, (group.get("which") or "").lower(), today, future)
    return _Span(date(year, 1, 1), date(year + 1, 1, 1), "year") if year else None


def _named(text: str, today: date) -> _Span:
    if "before yesterday" in text:
        shift = -2
    elif "after tomorrow" in text:
        shift = 2
    else:
        shift = {"yesterday": -1, "last night": -1, "tomorrow": 1}.get(text, 0)
    return _Span(today + shift * _DAY, today + (shift + 1) * _DAY, "day")


def _by_unit(group: dict[str, str | None], today: date) -> _Span | None:
    """Read "two weeks ago", "in a month", "for three years", "last week", "this year"."""
    unit = (group["unit"] or "").lower()
    if group.get("n"):
        word = (group["n"] or "").lower()
        count = int(word) if word.isdecimal() else _NUMBERS[word]
        return _away(unit, count if "ahead" in group else -count, today)
    which = (group["which"] or "").lower()
    step = 1 if which in ("next", "coming", "this coming") else 0 if which == "this" else -1
    if unit == "year":
        return _Span(date(today.year + step, 1, 1), date(today.year + step + 1, 1, 1), "year")
    if unit == "month":
        return _months(today.year, today.month + step)
    if unit in ("day", "night"):
        return _Span(today + step * _DAY, today + (step + 1) * _DAY, "day")
    monday = today - today.weekday() * _DAY
    if unit == "weekend":
        back = which in ("last", "past", "this past")
        saturday = monday + (5 - 7 * back + 7 * (which == "next")) * _DAY
        return _Span(saturday, saturday + 2 * _DAY, "day")
    length = 14 if unit == "fortnight" else 7
    first = monday + step * length * _DAY
    return _Span(first, first + length * _DAY, "week")


def _away(unit: str, count: int, today: date) -> _Span | None:
    """Return what lies so many units from today."""
    if abs(count) * {"year": 366, "month": 31}.get(unit, 14) > 40_000:
        return None
    if unit == "year":
        first = _safe(today.year + count, today.month, today.day)
        return _Span(first, first + 365 * _DAY, "year")
    if unit == "month":
        return _months(today.year, today.month + count)
    days = {"week": 7, "weekend": 7, "fortnight": 14}.get(unit, 1)
    first = today + days * count * _DAY
    return _Span(first, first + min(days, 7) * _DAY, "day" if days == 1 else "week")


def _weekday(group: dict[str, str | None], today: date, future: bool) -> _Span:
    wanted = _WEEKDAYS.index((group["weekday"] or "")[:3].lower())
    which = (group.get("which") or "").lower()
    ahead = (wanted - today.weekday() - 1) % 7 + 1  # 1 to 7 days on
    if which == "next":
        day = today - today.weekday() * _DAY + (7 + wanted) * _DAY  # the one of next week
    elif which in ("coming", "this coming") or (future and which in ("", "this")):
        day = today + ahead * _DAY
    else:
        day = today - ((today.weekday() - wanted - 1) % 7 + 1) * _DAY
    return _Span(day, day + _DAY, "day")


def _season(name: str, group: dict[str, str | None], year: int | None, today: date, future: bool) -> _Span:
    month = _SEASONS[name]
    if year is None:
        which = (group.get("which") or "").lower()
        begun = today >= date(today.year, month, 1)
        over = today >= _months(today.year, month + 2).last
        if which == "this":
            year = today.year - 1 if month == 12 and today.month < 3 else today.year
        elif which == "next" or (future and not which):
            year = today.year + 1 if begun else today.year
        elif which in ("last", "past"):
            year = today.year if over else today.year - 1
        else:
            year = today.year if begun else today.year - 1
    return _Span(date(year, month, 1), _months(year, month + 2).last, "season")


def _month(year: int | None, month: int, which: str, today: date, future: bool) -> _Span:
    if year is None:
        year = today.year
        if which == "next" or (future and which != "last"):
            year += month < today.month or (which == "next" and month == today.month)
        elif which != "this":
            year -= month > today.month or (which == "last" and month == today.month)
    return _months(year, month)


def _months(year: int, month: int) -> _Span:
    """Return one month, counted on or back beyond the year's twelve."""
    index = year * 12 + month - 1
    return _Span(date(index // 12, index % 12 + 1, 1), date((index + 1) // 12, (index + 1) % 12 + 1, 1), "month")


def _one_day(year: int | None, month: int, day: int, today: date, future: bool) -> _Span | None:
    """Return one day; without a year the next or the latest one. None for 30 February and its like."""
    for candidate in (year,) if year else range(today.year - 4, today.year + 5)[:: 1 if future else -1]:
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if year or (found >= today if future else found <= today):
            return _Span(found, found + _DAY, "day")
    return None


def _safe(year: int, month: int, day: int) -> date:
    """Return the day, or the 28th where the month has no such one."""
    return date(year, month, min(day, 28) if month == 2 else day)
