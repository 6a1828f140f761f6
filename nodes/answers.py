"""The form of an answer as a model is told it, and its text read as data, whatever stands around the JSON."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any, Final, NoReturn, TypeGuard, cast

from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler

MOST: Final = 200_000
"""Characters of an answer that are read; the answers asked for are a tenth of that."""

_OPENS: Final = re.compile(r'\{\s*["}]')


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"no number: {word}")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def read(text: str) -> dict[str, Any] | None:
    """Return the first JSON object of a text, with prose or a code fence around it or without.

    Args:
        text: What a model said.

    Returns:
        The object. None if there is none, or it is faulty or cut short: what stands inside one is never taken for it.
    """
    text = text[:MOST]
    begins = _OPENS.search(text)
    if begins is None:
        return None
    try:
        return cast("dict[str, Any]", _DECODER.raw_decode(text, begins.start())[0])
    except (ValueError, RecursionError):  # no JSON, NaN, an integer of thousands of digits, a deep nesting
        return None


def wire_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return a schema as it is sent: without titles, defaults and docstrings, which cost tokens and say nothing."""
    return deepcopy(
        _wire(schema)
    )  # the model's class may change what it is given; making it anew costs fifty times that


@cache
def _wire(schema: type[BaseModel]) -> dict[str, Any]:
    wire: dict[str, Any] = _bare(schema.model_json_schema())
    defined: dict[str, Any] = wire.pop("$defs", {})
    return {"title": schema.__name__, **_inlined(wire, defined)}


def _mapping(node: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(node, dict)


def _listing(node: Any) -> TypeGuard[list[Any]]:
    return isinstance(node, list)


def _bare(node: Any, *, names: bool = False) -> Any:
    """Leave words out that only people read; `names`: the keys are names of fields, not words of JSON schema."""
    if _mapping(node):
        return {
            key: _bare(value, names=key in ("properties", "$defs") and not names)
            for key, value in node.items()
            if names or key not in ("title", "default", "description")
        }
    if _listing(node):
        return [_bare(item) for item in node]
    return node


def _inlined(node: Any, defined: dict[str, Any]) -> Any:
    """Put definitions where they are named; some models can't follow a reference. Ours never name themselves."""
    if _mapping(node):
        if isinstance(name := node.get("$ref"), str):
            return _inlined(defined[name.rpartition("/")[2]], defined)
        return {key: _inlined(value, defined) for key, value in node.items()}
    if _listing(node):
        return [_inlined(item, defined) for item in node]
    return node


class Broken(BaseModel):
    """One item of an answer that has not the form; kept so that the others are not lost with it.

    Attributes:
        faults: Where and how it missed the form.
    """

    faults: list[str]


def kept(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Validate an item of a list, for `WrapValidator`: a faulty one becomes `Broken`."""
    try:
        return handler(value)
    except ValidationError as error:
        return Broken(faults=kinds(error))


def kinds(error: ValidationError) -> list[str]:
    """Return where and how data missed its schema, without the data."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [".".join(map(str, fault["loc"])) + f": {fault['type']}" for fault in found]


def compact(data: Any) -> str:
    """Return data as JSON without spaces; "{}" where it can't be written."""
    try:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    except (ValueError, RecursionError):  # a number too long to write, a nesting too deep
        return "{}"
