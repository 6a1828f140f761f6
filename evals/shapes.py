"""Checks of a parsed JSON file: they name the place and the kind of a fault, and never show the words found there."""

from __future__ import annotations

from typing import cast

from memgraph.errors import UsageError


class InvalidDataset(UsageError):
    """A file can't be read, or is not of LOCOMO's form. The message says where and of what kind the fault is."""


def as_object(value: object, where: str) -> dict[str, object]:
    """Return a JSON object, or say that it is none."""
    if not isinstance(value, dict):
        raise InvalidDataset(f"{where} is {kind(value)}; expected an object")
    return cast("dict[str, object]", value)


def as_list(value: object, where: str, *, hint: str = "") -> list[object]:
    """Return a JSON list, or say that it is none, with a hint."""
    if not isinstance(value, list):
        raise InvalidDataset(f"{where} is {kind(value)}; expected a list{hint}")
    return cast("list[object]", value)


def as_text(record: dict[str, object], key: str, where: str, *, empty: bool = False) -> str:
    """Return the string under a key, or say that there is none; an empty one only where it may be."""
    value = record.get(key)
    if not isinstance(value, str) or not (value.strip() or empty):
        raise InvalidDataset(f"{where}.{key} is {kind(value)}; expected {'a' if empty else 'a non-empty'} string")
    return value


def kind(value: object) -> str:
    """Say what a value is without showing it: it may be somebody's words."""
    if value is None:
        return "missing"
    if value == "":
        return "empty"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"`{value}`"
    return {"dict": "an object", "list": "a list", "str": "a string", "bool": "a boolean"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )
