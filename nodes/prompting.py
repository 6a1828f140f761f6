"""What models are asked to do: the text files of `prompts`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib import resources


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instructions to a model.

    Attributes:
        text: The words, lists filled in.
        hash: Of the words, 16 hex digits: stored with what the model made of them.
    """

    text: str
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", hashlib.sha256(self.text.encode()).hexdigest()[:16])


def load(name: str, **slots: str) -> Prompt:
    """Return the prompt of the file `name`.md, each `{{slot}}` of it filled.

    Raises:
        FileNotFoundError: There is no such file: the package is damaged.
    """
    text = resources.files("memgraph.nodes").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()
    for slot, value in slots.items():
        text = text.replace("{{" + slot + "}}", value)
    return Prompt(text)
