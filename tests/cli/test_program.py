"""The program as a whole: its help, its exit codes, its start-up; in processes of its own where that matters."""

from __future__ import annotations

import importlib.metadata
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from memgraph import Memory
from memgraph.cli import app, main
from memgraph.cli.command import prose
from memgraph.errors import NotFound
from support import crash
from support.cli import finish, run, start, succeed
from support.fixtures import Say

COMMANDS = ["demo", "add", "search", "list", "why", "graph", "erase", "doctor", "eval run"]


def test_nine_commands_in_the_order_of_a_newcomer() -> None:
    shown = succeed("--help", COLUMNS="100").out
    listed = re.findall(r"^│ (\w+) ", shown.partition("Commands")[2], re.MULTILINE)
    assert listed == [name.split()[0] for name in COMMANDS]
    listed = re.findall(r"^│ (\w+) ", succeed("eval", "--help").out.partition("Commands")[2], re.MULTILINE)
    assert listed == ["run"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_examples_of_the_command(command: str) -> None:
    shown = succeed(*command.split(), "--help", COLUMNS="120").out
    assert "Examples" in shown
    assert f"memgraph {command}" in shown.partition("Examples")[2]
    assert "[bold]" not in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_in_json_and_takes_no_key_as_an_argument(command: str) -> None:
    shown = succeed(*command.split(), "--help", COLUMNS="120").out
    assert "--json" in shown
    assert "--key " not in shown
    assert run(*command.split(), "--key", "secret").code == 2


def test_the_examples_in_the_help_keep_their_brackets() -> None:
    assert "'.hits[].text'" in succeed("search", "--help", COLUMNS="120").out


def test_version() -> None:
    assert (
        succeed("--version").out == f"langgraph-memory-nodes {importlib.metadata.version('langgraph-memory-nodes')}\n"
    )


def test_without_arguments_it_shows_its_help() -> None:
    assert "Usage: memgraph" in run().out


def test_an_unknown_command() -> None:
    assert "remember" in run("remember").usage


def test_prose_joins_lines_and_keeps_paragraphs() -> None:
    assert prose("One\n    two.\n\n    Three\n    four.") == "One two.\n\nThree four."


def test_help_loads_nothing_heavy() -> None:
    script = """
        from memgraph.cli.app import app
        try:
            app(["--help"])
        except SystemExit as end:
            print(end.code, *sys.modules, sep="\\n", file=sys.stderr)
    """
    code, *loaded = crash.run(script, check=True).stderr.split()
    heavy = {"apsw", "langchain_core", "langgraph", "langsmith", "numpy", "onnxruntime", "pydantic"}
    assert code == "0"
    assert heavy.isdisjoint(name.split(".")[0] for name in loaded)


def test_the_file_of_the_environment_or_of_the_folder(tmp_path: Path, say: Say) -> None:
    assert finish("add", say("hello"), "--user", "ada", cwd=tmp_path).returncode == 0
    assert (tmp_path / "memory.db").exists()
    assert finish("add", say("hi"), cwd=tmp_path, MEMGRAPH_USER="ada", MEMGRAPH_DB="other.db").returncode == 0
    assert (tmp_path / "other.db").exists()


def test_an_error_is_one_line_and_a_traceback_only_on_request(tmp_path: Path) -> None:
    done = finish("list", "--user", "ada", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no memory file at `memory.db`")
    assert done.stderr.count("\n") == 1
    done = finish("list", "--user", "ada", cwd=tmp_path, MEMGRAPH_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "NotFound" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, say: Say) -> None:
    path = tmp_path / "m.jsonl"
    line = '{"role": "user", "content": "' + say("word " * 60) + '"}\n'
    path.write_text(line * 500, encoding="utf-8")
    assert finish("add", "--file", path, "--user", "ada", cwd=tmp_path).returncode == 0
    for options in ((), ("--json",)):
        with start("list", "--user", "ada", "--all", *options, cwd=tmp_path) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            error = process.stderr.read()
        assert process.returncode == 0, error
        assert "Traceback" not in error
        assert "Error" not in error


def test_an_interrupt_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    with start("add", "--file", path, "--user", "ada", cwd=tmp_path) as process:
        with path.open("w"):  # opened once the command reads from it
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            error = process.stderr.read()
    assert process.returncode == 130
    assert error == "interrupted\n"
    assert not (tmp_path / "memory.db").exists()


@pytest.mark.parametrize(("end", "code", "said"), [(KeyboardInterrupt, 130, "interrupted\n"), (BrokenPipeError, 0, "")])
def test_what_ends_a_command_early(
    db: Path, say: Say, monkeypatch: pytest.MonkeyPatch, end: type[BaseException], code: int, said: str
) -> None:
    def ends(*args: object, **options: object) -> None:
        raise end

    succeed("add", say("hello"), "--user", "ada", "--db", db)
    monkeypatch.setattr(Memory, "list", ends)
    done = run("list", "--user", "ada", "--db", db)
    assert (done.code, done.out, done.err) == (code, "", said)


def test_a_mistake_of_ours_is_no_mistake_of_the_user(db: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: object, **options: object) -> None:
        raise TypeError("ours")

    succeed("add", say("hello"), "--user", "ada", "--db", db)
    monkeypatch.setattr(Memory, "list", breaks)
    with pytest.raises(TypeError, match="ours"):
        run("list", "--user", "ada", "--db", db)
    with pytest.raises(NotFound):
        run("list", "--user", "ada", "--db", db.parent / "none", MEMGRAPH_DEBUG="1")


def test_the_entry_point(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["memgraph", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("langgraph-memory-nodes ")

    def interrupted(prog_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "app", interrupted)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130


def test_json_where_the_terminal_is_no_utf_8(tmp_path: Path, say: Say) -> None:
    finish("add", say("Grüße aus Plön"), "--user", "ada", cwd=tmp_path)
    done = finish("list", "--user", "ada", "--json", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "Gr\\u00fc\\u00dfe" in done.stdout
