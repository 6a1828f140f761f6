"""A tiny conversation in LOCOMO's form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def turn(dia_id: str, speaker: str, text: str, **more: Any) -> dict[str, Any]:
    return {"dia_id": dia_id, "speaker": speaker, "text": text, **more}


def question(text: str, category: int, evidence: list[str], **more: Any) -> dict[str, Any]:
    answer = {} if category == 5 else {"answer": "an answer"}
    return {"question": text, "category": category, "evidence": evidence, **answer, **more}


@pytest.fixture
def sample() -> dict[str, Any]:
    """Two sessions of two people, questions of every category; a new object each time, free to be spoilt."""
    return {
        "sample_id": "talk-1",
        "conversation": {
            "speaker_a": "Mira",
            "speaker_b": "Tomas",
            "session_1_date_time": "3:07 pm on 14 March, 2021",
            "session_1": [
                turn("D1:1", "Mira", "We finally adopted a greyhound, his name is Basil."),
                turn("D1:2", "Tomas", "Lovely! I signed up for a pottery class in Porto."),
            ],
            "session_2_date_time": "12:30 am on 2 January, 2022",
            "session_2": [
                turn("D2:1", "Tomas", "My first bowl came out crooked.", blip_caption="a blue bowl on a table"),
                turn("D2:2", "Mira", "Basil broke our fence yesterday."),
            ],
        },
        "qa": [
            question("Which animal did Mira adopt?", 4, ["D1:1"]),
            question("When did the fence break?", 2, ["D2:2"]),
            question("What does Tomas make in his class?", 1, ["D1:2", "D2:1"]),
            question("Would Tomas like clay?", 3, []),
            question("Where is Mira's pottery class?", 5, ["D1:2"], adversarial_answer="Porto"),
        ],
    }


@pytest.fixture
def write_data(tmp_path: Path) -> Callable[[Any], Path]:
    """Write a value as a JSON file and return its path."""

    def write(value: Any) -> Path:
        path = tmp_path / "talks.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return write
