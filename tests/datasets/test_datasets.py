"""The conversation in `datasets/` keeps what its card promises."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import combinations
from typing import Any

import pytest

CHAT_SESSIONS = {1, 3, 5, 6, 8}
ASSISTANT_SESSIONS = {2, 4, 7}


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    """The one sample of the file."""
    text = (files("memgraph") / "datasets" / "harbour.json").read_text(encoding="utf-8")
    samples: list[dict[str, Any]] = json.loads(text)
    assert len(samples) == 1
    return samples[0]


@pytest.fixture(scope="module")
def sessions(sample: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """Turns by session number, in the order of the numbers."""
    found = {
        int(match[1]): turns
        for key, turns in sample["conversation"].items()
        if (match := re.fullmatch(r"session_(\d+)", key))
    }
    return dict(sorted(found.items()))


@pytest.fixture(scope="module")
def turns(sessions: dict[int, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Turns by `dia_id`."""
    return {turn["dia_id"]: turn for session in sessions.values() for turn in session}


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def shared_grams(texts: Iterable[str], size: int) -> list[str]:
    """Runs of `size` words that occur in more than one of the texts."""
    grams = [{" ".join(w[i : i + size]) for i in range(len(w) - size + 1)} for w in map(words, texts)]
    return sorted(gram for a, b in combinations(grams, 2) for gram in a & b)


def answerable(sample: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in sample["qa"] if item["category"] != 5]


def gold_only_in(role: str, sample: dict[str, Any], turns: dict[str, dict[str, Any]]) -> int:
    """Number of answerable questions whose evidence lies in turns of this role and nowhere else."""
    return sum({turns[e].get("role") for e in item["evidence"]} == {role} for item in answerable(sample))


def test_eight_sessions_three_of_them_with_an_assistant(sessions: dict[int, list[dict[str, Any]]]) -> None:
    assert list(sessions) == list(range(1, 9))
    assisted = {n for n, session in sessions.items() if any("role" in turn for turn in session)}
    assert assisted == ASSISTANT_SESSIONS
    assert set(sessions) - assisted == CHAT_SESSIONS


def test_turn_ids_count_from_one_and_every_turn_has_text(sessions: dict[int, list[dict[str, Any]]]) -> None:
    for number, session in sessions.items():
        assert [turn["dia_id"] for turn in session] == [f"D{number}:{i}" for i in range(1, len(session) + 1)]
        assert all(turn["text"].strip() for turn in session)


def test_speakers(sample: dict[str, Any], sessions: dict[int, list[dict[str, Any]]]) -> None:
    pair = {sample["conversation"]["speaker_a"], sample["conversation"]["speaker_b"]}
    for number in CHAT_SESSIONS:
        assert {turn["speaker"] for turn in sessions[number]} == pair
        assert all("role" not in turn for turn in sessions[number])
    for number in ASSISTANT_SESSIONS:
        for turn in sessions[number]:
            expected = {"Assistant"} if turn["role"] == "assistant" else pair
            assert turn["speaker"] in expected


def test_the_counts_of_the_card(turns: dict[str, dict[str, Any]]) -> None:
    speakers = Counter(turn["speaker"] for turn in turns.values())
    replies = [len(turn["text"].split()) for turn in turns.values() if turn.get("role") == "assistant"]
    card = (files("memgraph") / "datasets" / "README.md").read_text(encoding="utf-8")
    assert f"{len(turns)}: Maren {speakers['Maren']}, Idris {speakers['Idris']}, Assistant {len(replies)}" in card
    assert f"({len(replies)} replies: {min(replies)} to {max(replies)} words each)" in card
    assert 8500 < sum(len(turn["text"].split()) for turn in turns.values()) < 8700


def test_chat_is_short_and_of_moderate_length(sessions: dict[int, list[dict[str, Any]]]) -> None:
    for number in CHAT_SESSIONS:
        assert 18 <= len(sessions[number]) <= 26
        assert max(len(turn["text"].split()) for turn in sessions[number]) <= 80


def test_each_assistant_session_has_four_long_replies(sessions: dict[int, list[dict[str, Any]]]) -> None:
    for number in ASSISTANT_SESSIONS:
        lengths = [len(turn["text"].split()) for turn in sessions[number] if turn["role"] == "assistant"]
        assert len(lengths) >= 4
        assert all(300 <= length <= 500 for length in lengths)


def test_replies_do_not_repeat_each_other(turns: dict[str, dict[str, Any]]) -> None:
    replies = [turn["text"] for turn in turns.values() if turn.get("role") == "assistant"]
    assert len(replies) == 14
    assert shared_grams(replies, 8) == []


def test_dates_parse_and_ascend_over_nine_months(sample: dict[str, Any], sessions: dict[int, Any]) -> None:
    conversation = sample["conversation"]
    assert {key for key in conversation if key.endswith("_date_time")} == {f"session_{n}_date_time" for n in sessions}
    dates = [datetime.strptime(conversation[f"session_{n}_date_time"], "%I:%M %p on %d %B, %Y") for n in sessions]
    assert all(earlier < later for earlier, later in zip(dates, dates[1:], strict=False))
    assert {date.year for date in dates} == {2025}
    assert timedelta(days=240) <= dates[-1] - dates[0] <= timedelta(days=300)


def test_image_turns_with_and_without_an_address(turns: dict[str, dict[str, Any]]) -> None:
    images = [turn for turn in turns.values() if "blip_caption" in turn]
    assert Counter("img_url" in turn for turn in images) == {True: 2, False: 2}
    assert all(isinstance(turn["img_url"], list) for turn in images if "img_url" in turn)


def test_forty_questions_over_five_categories(sample: dict[str, Any]) -> None:
    assert len(sample["qa"]) == 40
    assert Counter(item["category"] for item in sample["qa"]) == {1: 8, 2: 8, 3: 6, 4: 12, 5: 6}
    assert len({item["question"] for item in sample["qa"]}) == 40


def test_answers_are_text_and_the_unanswerable_have_only_a_trap(sample: dict[str, Any]) -> None:
    for item in sample["qa"]:
        expected = "adversarial_answer" if item["category"] == 5 else "answer"
        assert set(item) == {"question", expected, "evidence", "category"}
        assert isinstance(item[expected], str) and item[expected]


def test_evidence_exists(sample: dict[str, Any], turns: dict[str, dict[str, Any]]) -> None:
    for item in sample["qa"]:
        assert item["evidence"], item["question"]
        assert set(item["evidence"]) <= set(turns), item["question"]
        assert len(set(item["evidence"])) == len(item["evidence"])
        if item["category"] == 1:
            assert len(item["evidence"]) >= 2


def test_no_two_questions_share_six_words_in_a_row(sample: dict[str, Any]) -> None:
    assert shared_grams((item["question"] for item in sample["qa"]), 6) == []


def test_gold_lies_in_long_replies_and_beside_them(sample: dict[str, Any], turns: dict[str, dict[str, Any]]) -> None:
    assert gold_only_in("assistant", sample, turns) == 11
    assert gold_only_in("user", sample, turns) == 9


def test_questions_do_not_copy_their_evidence(sample: dict[str, Any], turns: dict[str, dict[str, Any]]) -> None:
    for item in sample["qa"]:
        for evidence in item["evidence"]:
            assert shared_grams([item["question"], turns[evidence]["text"]], 5) == []


def test_observations_cite_turns_of_their_own_session(
    sample: dict[str, Any], turns: dict[str, dict[str, Any]], sessions: dict[int, Any]
) -> None:
    assert set(sample["observation"]) == {f"session_{n}_observation" for n in sessions}
    for number in sessions:
        for facts in sample["observation"][f"session_{number}_observation"].values():
            for _, source in facts:
                cited = [source] if isinstance(source, str) else source
                assert set(cited) <= set(turns)
                assert all(c.startswith(f"D{number}:") for c in cited)


def test_summaries_and_events_cover_every_session(sample: dict[str, Any], sessions: dict[int, Any]) -> None:
    assert set(sample["session_summary"]) == {f"session_{n}_summary" for n in sessions}
    assert set(sample["event_summary"]) == {f"events_session_{n}" for n in sessions}
    for number in sessions:
        date = sample["conversation"][f"session_{number}_date_time"].split(" on ")[1]
        assert sample["event_summary"][f"events_session_{number}"]["date"] == date


def test_the_folder_is_data_with_a_card_and_a_licence() -> None:
    folder = files("memgraph") / "datasets"
    assert "CC0-1.0" in (folder / "README.md").read_text(encoding="utf-8")
    assert "CC0 1.0 Universal" in (folder / "LICENSE-CC0.txt").read_text(encoding="utf-8")
    assert not (folder / "__init__.py").is_file()
