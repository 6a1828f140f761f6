from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run, succeed


def test_the_table_over_our_own_conversation() -> None:
    said = succeed("eval", "run", "--limit", "2", COLUMNS="100")
    assert "harbour.json" in said.out
    assert "bm25" in said.out
    assert "memgraph" in said.out


def test_json_and_a_folder_of_results(tmp_path: Path) -> None:
    out = tmp_path / "a" / "results"
    report = succeed("eval", "run", "--limit", "2", "--json", "--out", out).json
    assert report["manifest"]["limit"] == 2
    assert json.loads((out / "report.json").read_text("utf-8")) == report
    assert json.loads((out / "manifest.json").read_text("utf-8")) == report["manifest"]
    lines = [json.loads(line) for line in (out / "questions.jsonl").read_text("utf-8").splitlines()]
    assert {line["system"] for line in lines} >= {"bm25", "memgraph"}
    assert {line["question"] for line in lines} == {line["question"] for line in lines if line["system"] == "memgraph"}


def test_data_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    assert "can't read" in run("eval", "run", "--data", path).error
    path.write_text("[1")
    assert "is not a JSON file" in run("eval", "run", "--data", path).error


@pytest.mark.parametrize("name", ["questions.jsonl", "report.json", "manifest.json"])
def test_a_folder_that_can_not_take_the_results(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert f"can't write `{tmp_path / name}`" in run("eval", "run", "--limit", "1", "--out", tmp_path).error


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't make the folder" in run("eval", "run", "--out", tmp_path / "file").error


def test_a_wrong_limit() -> None:
    assert "--limit" in run("eval", "run", "--limit", "0").usage


def test_eval_alone_shows_its_help() -> None:
    said = run("eval")
    assert "run" in said.out + said.err
