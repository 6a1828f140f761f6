"""From what people hand in (LangChain messages, OpenAI-style dicts, strings) to drafts of turns."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from memgraph.errors import InvalidInput
from memgraph.records import DEEPEST, ORIGINS, Draft, Skipped, is_deep, to_us

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

Message = "str | BaseMessage | Mapping[str, Any] | tuple[str, str]"

BLOCK_MARK: Final = "memgraph"
"""Key in `additional_kwargs` that marks a message of our own: what was recalled must not be remembered again."""

_ROLES: Final = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "HumanMessageChunk": "user"}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_METADATA_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_METADATA: Final = 16_384
_MEDIA: Final = {
    *("image", "audio", "video", "file", "image_url", "input_audio", "input_image", "input_file"),
    *("document", "text-plain"),
}


def read(
    messages: object, *, metadata: Mapping[str, Any] | None = None, lenient: bool = False
) -> tuple[list[Draft], list[Skipped]]:
    """Return the drafts in `messages` and what was passed over, with reasons.

    Args:
        messages: One message or a sequence: LangChain messages, dicts with `role` and `content`, (role, text) pairs,
            or strings (said by the user).
        metadata: JSON values given to every draft; a dict message's own `metadata` goes over it.
        lenient: Go without a name or a time that can't be taken, and pass over a message that can't be taken at all.

    Raises:
        InvalidInput: A message is of no known form, or a name, a time or a metadata value can't be taken.
    """
    shared = check_metadata(metadata or {})
    drafts: list[Draft] = []
    skipped: list[Skipped] = []
    for index, message in enumerate(_as_list(messages)):
        read_one = _from_mapping if isinstance(message, Mapping) else _from_object
        try:
            result = read_one(cast(Any, message), index, shared)
        except InvalidInput:
            if not lenient:
                raise
            result = _words_alone(cast(Any, message), index, shared)
        if isinstance(result, Draft):
            drafts.append(result)
        else:
            skipped.append(Skipped(index, result))
    return drafts, skipped


def plain(text: str) -> tuple[str, bool]:
    """Return `text` with lone surrogates replaced, and whether there were any."""
    if text.isascii() or not _SURROGATES.search(text):
        return text, False
    return _SURROGATES.sub("\ufffd", text), True


def message_text(message: object) -> str:
    """Return the text parts of one message of any accepted form, "" where there are none."""
    if isinstance(message, str):
        return message
    if isinstance(message, tuple):
        return _content(cast(tuple[object, ...], message)[-1])[0]
    if isinstance(message, Mapping):
        return _content(cast("Mapping[str, object]", message).get("content"))[0]
    return _content(getattr(message, "content", ""))[0]


def said_by_user(message: BaseMessage) -> bool:
    """Tell whether a message holds words of the user's: a block of our own and a summary come as human messages too."""
    return message.type == "human" and _passed_over("user", message.additional_kwargs) is None


def check_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata as a plain dict.

    Raises:
        InvalidInput: A key is unsafe, a value is no JSON value, or all of it is larger than 16 KB.
    """
    if not isinstance(metadata, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"metadata must be a dict, not {type(metadata).__name__}")
    for key in metadata:
        if not isinstance(key, str) or not _METADATA_KEY.fullmatch(key):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"metadata key {ascii(key)}: accepted are 1 to 64 letters, digits, `_` and `-`")
    if is_deep(metadata):
        raise InvalidInput(f"metadata has at most {DEEPEST} levels")
    try:
        size = len(json.dumps(metadata, allow_nan=False))
        json.dumps(metadata, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"metadata must hold JSON values only: {type(error).__name__}") from None
    if size > _MAX_METADATA:
        raise InvalidInput(f"metadata has {size} bytes as JSON; at most {_MAX_METADATA} are accepted")
    return dict(metadata)


def _as_list(messages: object) -> Iterable[object]:
    if isinstance(messages, tuple) and len(messages) == 2 and all(isinstance(part, str) for part in messages):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return [cast(object, messages)]
    if isinstance(messages, Sequence) and not isinstance(messages, (str, bytes)):
        return cast(Sequence[object], messages)
    return [messages]


def _from_object(message: object, index: int, shared: dict[str, Any]) -> Draft | str:
    if isinstance(message, str):
        return _draft(index, message, (), "user", shared)
    if isinstance(message, tuple):
        return _from_pair(cast(tuple[object, ...], message), index, shared)
    kind = getattr(message, "type", None)
    extra = getattr(message, "additional_kwargs", None)
    if not isinstance(kind, str) or not isinstance(extra, Mapping):
        raise InvalidInput(
            f"message {index} is a {type(message).__name__}; accepted: LangChain messages, dicts, strings"
        )
    kwargs = cast(Mapping[str, Any], extra)
    role = _ROLES.get(kind, kind)
    role = str(getattr(message, "role", role)) if kind == "chat" else role
    if kind == "remove":
        return "removal"
    if reason := _passed_over(role, kwargs):
        return reason
    text, parts = _content(getattr(message, "content", ""))
    return _draft(
        index,
        text,
        parts,
        role,
        shared,
        speaker=cast("str | None", getattr(message, "name", None)),
        message_id=cast("str | None", getattr(message, "id", None)),
        said_at=kwargs.get("said_at"),
    )


def _words_alone(message: object, index: int, shared: dict[str, Any]) -> Draft | str:
    """Return a message without its name and time, or why not even that can be taken."""
    bare = getattr(message, "model_copy", None)
    if bare is None:
        return "malformed"
    extra = cast("Mapping[str, Any]", getattr(message, "additional_kwargs", {}))
    kept = {name: value for name, value in extra.items() if name != "said_at"}
    try:
        return _from_object(bare(update={"name": None, "additional_kwargs": kept}), index, shared)
    except InvalidInput:
        return "malformed"


def _from_pair(pair: tuple[object, ...], index: int, shared: dict[str, Any]) -> Draft | str:
    if len(pair) != 2 or not isinstance(pair[0], str) or not isinstance(pair[1], str):
        raise InvalidInput(f"message {index} is a tuple but no (role, text) pair")
    role = _ROLES.get(pair[0], pair[0])
    return _passed_over(role, {}) or _draft(index, pair[1], (), role, shared)


def _from_mapping(message: Mapping[str, Any], index: int, shared: dict[str, Any]) -> Draft | str:
    role = message.get("role")
    if not isinstance(role, str) or "content" not in message:
        raise InvalidInput(f"message {index} is a dict without `role` and `content`")
    role = _ROLES.get(role, role)
    if reason := _passed_over(role, message.get("additional_kwargs") or {}):
        return reason
    text, parts = _content(message["content"])
    own = check_metadata(message.get("metadata") or {})
    return _draft(
        index,
        text,
        parts,
        role,
        {**shared, **own},
        speaker=message.get("name"),
        message_id=message.get("id"),
        said_at=message.get("said_at"),
        origin=message.get("origin"),
    )


def _passed_over(role: str, kwargs: Mapping[str, Any]) -> str | None:
    if role in {"system", "developer", "SystemMessageChunk"}:
        return "system"
    if kwargs.get(BLOCK_MARK):
        return "memory block"
    # LangChain's summarisation middleware writes its summary as a human message and says so here.
    return "summary" if kwargs.get("lc_source") else None


def _draft(
    index: int,
    text: str,
    parts: Sequence[Mapping[str, str]],
    role: str,
    metadata: dict[str, Any],
    *,
    speaker: object = None,
    message_id: object = None,
    said_at: object = None,
    origin: object = None,
) -> Draft | str:
    if not text.strip() and not parts:
        return "empty"
    if not 1 <= len(role) <= 64 or _SURROGATES.search(role):
        raise InvalidInput(f"message {index}: a role has 1 to 64 characters")
    if message_id is not None and (not isinstance(message_id, str) or _SURROGATES.search(message_id)):
        raise InvalidInput(f"message {index}: the id must be text, not {type(message_id).__name__}")
    if speaker is not None and (not isinstance(speaker, str) or not 1 <= len(speaker) <= 256):
        raise InvalidInput(f"message {index}: a name is text of 1 to 256 characters")
    if origin is None:
        origin = {"assistant": "assistant", "tool": "tool", "function": "tool", "document": "document"}.get(
            role, "user"
        )
    if origin not in ORIGINS:
        raise InvalidInput(f"message {index}: origin must be one of {', '.join(ORIGINS)}")
    kept, altered = plain(text)
    return Draft(
        text=kept,
        role=role,
        speaker=plain(speaker or role)[0],
        origin=origin,
        index=index,
        said_at=_moment(said_at, index),
        message_id=message_id or None,
        metadata=metadata,
        parts=parts,
        altered=altered,
    )


def _moment(value: object, index: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidInput(f"message {index}: said_at is no ISO 8601 time") from None
    return to_us(f"message {index}: said_at", cast(datetime, value))


def _content(content: object) -> tuple[str, list[dict[str, str]]]:
    """Return the text of a message's content, and its other parts by reference."""
    if isinstance(content, str):
        return content, []
    if content is None:  # an OpenAI-style message that only calls tools
        return "", []
    if not isinstance(content, Sequence):
        raise InvalidInput(f"content must be text or a list of parts, not {type(content).__name__}")
    texts: list[str] = []
    parts: list[dict[str, str]] = []
    for block in cast(Sequence[object], content):
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, Mapping):
            part = cast(Mapping[str, Any], block)
            if isinstance(part.get("text"), str) and part.get("type") in {None, "text", "input_text", "output_text"}:
                texts.append(part["text"])
            elif part.get("type") in _MEDIA:
                parts.append(_reference(part))
    return "\n".join(texts), parts


def _reference(part: Mapping[str, Any]) -> dict[str, str]:
    """Return a part as type, mime type, and where it is (uri) or what it is (digest of its data). Never fetched."""
    kind = str(part["type"]).removeprefix("input_").removesuffix("_url")
    inner = part.get(str(part["type"]))
    fields: Mapping[str, Any] = cast(Mapping[str, Any], inner) if isinstance(inner, Mapping) else part
    uri = inner if isinstance(inner, str) else fields.get("url") or fields.get("uri") or fields.get("file_id")
    data = fields.get("data") or fields.get("base64") or fields.get("file_data") or fields.get("text")
    reference = {"type": kind}
    mime = fields.get("mime_type") or fields.get("media_type") or fields.get("format")
    if isinstance(uri, str) and uri.startswith("data:"):
        head, _, data = uri.partition(",")
        mime, uri = mime or head[5:].split(";")[0], None
    if isinstance(mime, str):
        reference["mime_type"] = plain(mime)[0]
    if isinstance(uri, str):
        reference["uri"] = plain(uri)[0]
    elif isinstance(data, (str, bytes)):
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        reference["digest"] = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return reference


def finite(name: str, value: float) -> float:
    """Return `value` if it is a finite number above 0.

    Raises:
        InvalidInput: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"{name} must be a number above 0, not {value!r}")
    return float(value)


def positive(name: str, value: int) -> int:
    """Return `value` if it is a whole number above 0.

    Raises:
        InvalidInput: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"{name} must be a whole number above 0, not {value!r}")
    return value
