"""The code blocks of the pages, and how to run them."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ \t]*$", re.MULTILINE | re.DOTALL
)

LANGUAGES = {"python", "sh", "text", "toml", "mermaid", "json"}
"""python and sh run; the others show outputs, settings and pictures."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    Attributes:
        language: Its info string, whole: a word after the language is a language that does not exist.
        line: Where its first line stands.
    """

    language: str
    source: str
    line: int


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(
            match["info"].strip(),
            re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE),
            text.count("\n", 0, match.start()) + 2,
        )
        for match in _FENCE.finditer(text)
    ]


class PageRunner:
    """Runs the blocks of one page in order, in one namespace, loop and folder, as a reader would.

    Args:
        page: Path of the page.
        folder: An empty folder to be in.
        targets: The targets of the Makefile.
        extras: The extras of the distribution.
        names: What the page's first block may use without defining it.
    """

    def __init__(
        self, page: Path, folder: Path, *, targets: set[str], extras: set[str], distribution: str, names: dict[str, Any]
    ) -> None:
        self.page = page
        self.folder = folder
        self.targets = targets
        self.extras = extras
        self.distribution = distribution
        self.names: dict[str, Any] = {"__name__": "__main__", **names}

    def run(self, page: list[Block]) -> None:
        """Run all blocks."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with asyncio.Runner() as runner:
                for block in page:
                    assert block.language in LANGUAGES, f"{self.page}:{block.line}: unknown block `{block.language}`"
                    if block.language == "python":
                        self._python(block, runner)
                    elif block.language == "sh":
                        self._shell(block)
        finally:
            os.chdir(before)

    def _python(self, block: Block, runner: asyncio.Runner) -> None:
        """Execute a block; `await` may stand at its top. Line numbers in a traceback are those of the page."""
        source = "\n" * (block.line - 1) + block.source
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code: CodeType = compile(source, str(self.page), "exec", flags=flags, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(eval(code, self.names))
        else:
            exec(code, self.names)

    def _shell(self, block: Block) -> None:
        for line in block.source.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                where = f"{self.page}:{block.line}: {line}"
                self._command(words, where)

    def _command(self, words: list[str], where: str) -> None:
        """Run a `memgraph` command; of the others check that what they name exists."""
        match words:
            case ["memgraph", *_]:
                program = Path(sys.executable).with_name("memgraph")
                done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{where}\n{done.stdout}{done.stderr}"
            case ["make", *rest]:
                named = [word for word in rest if "=" not in word]
                assert set(named) <= self.targets, where
            case ["pip", "install", *rest]:
                for word in rest:
                    self._requirement(word, where)
            case ["git", "clone", *_] | ["cd", _]:
                pass
            case _:
                raise AssertionError(f"{where}: not a command that the docs' test knows")

    def _requirement(self, text: str, where: str) -> None:
        match = re.fullmatch(r"(?P<name>[\w-]+|\.)(?:\[(?P<extras>[\w,-]+)\])?", text)
        assert match is not None, where
        if match["name"] in {".", self.distribution}:
            assert set((match["extras"] or "").split(",")) - {""} <= self.extras, where
