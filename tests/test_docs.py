"""Every block of every page runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import checkout
import run_notebooks
from support.docs import Block, PageRunner, blocks
from support.fakes import ScriptedChatModel

pytestmark = pytest.mark.checkout

ROOT = checkout.ROOT
PAGES = [
    path
    for path in [
        *(ROOT / f"{name}.md" for name in ("README", "SECURITY", "CONTRIBUTING")),
        *(ROOT / "docs").glob("*.md"),
    ]
    if path.exists()
]
NOTEBOOKS = run_notebooks.notebooks()
LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")


def _runner(page: Path, folder: Path) -> PageRunner:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return PageRunner(
        page,
        folder,
        targets=set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)),
        extras=set(project["optional-dependencies"]),
        distribution=project["name"],
        # The one thing that a page may leave to its reader is the chat model.
        names={"llm": ScriptedChatModel.of(otherwise="I see.")},
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_runs(page: Path, tmp_path: Path) -> None:
    _runner(page, tmp_path).run(blocks(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_every_block_in_a_notebooks_prose_runs(notebook: Path, tmp_path: Path) -> None:
    cells = run_notebooks.read(notebook).cells
    prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    _runner(notebook, tmp_path).run(blocks(prose))


def test_the_pages_are_there() -> None:
    names = {page.name for page in PAGES}
    assert {"README.md", "SECURITY.md", "CONTRIBUTING.md"} <= names
    assert len(names) >= 3 + 5  # and a page a concept
    assert any(block.language == "python" for block in blocks((ROOT / "README.md").read_text(encoding="utf-8")))


def test_readme_lists_every_page_and_every_extra() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = re.findall(r"^\| \[[^\]]+\]\(docs/([^)]+)\) \|", readme, re.MULTILINE)
    assert sorted(pages) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install = readme.partition("\n## Install\n")[2].partition("\n## ")[0]
    extras = re.findall(r"^\| `([^`]+)` \|", install, re.MULTILINE)
    assert sorted(extras) == sorted(project["optional-dependencies"])


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md", *NOTEBOOKS], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = (page.parent / match["target"]).resolve() if match["target"] else page
        assert target.exists(), match.group()
        if match["anchor"]:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert match["anchor"] in {_anchor(heading) for heading in headings}, match.group()


def _run(tmp_path: Path, text: str) -> None:
    _runner(Path("page.md"), tmp_path).run(blocks(text))


def test_blocks_of_a_page_share_names_a_loop_and_a_folder(tmp_path: Path) -> None:
    page = """
```python
import asyncio
x = await asyncio.sleep(0, 3)
open("here.txt", "w").close()
```

1. A block within a list:

   ```python
   assert x == 3 and llm.invoke("hello").content
   open("here.txt").close()
   ```
"""
    _run(tmp_path, page.replace('open("here.txt", "w").close()', 'with open("here.txt", "w"): pass'))
    assert (tmp_path / "here.txt").exists()


@pytest.mark.parametrize(
    "block",
    [
        "```python\nassert False\n```",
        "```python illustrative\npass\n```",
        "```\nno language\n```",
        "```sh\nmake no-such-target\n```",
        '```sh\npip install "langgraph-memory-nodes[no-such-extra]"\n```',
        "```sh\nrm -rf everything\n```",
    ],
)
def test_a_block_that_does_not_work_is_noticed(tmp_path: Path, block: str) -> None:
    with pytest.raises(AssertionError):
        _run(tmp_path, block)


def test_commands_of_a_shell_block_are_checked(tmp_path: Path) -> None:
    _run(tmp_path, '```sh\nmake test ARGS="-k x"   # a comment\npip install \\\n  "langgraph-memory-nodes[all]"\n```')


def test_a_block_knows_its_place() -> None:
    assert blocks("# Title\n\n```sh\nmake demo\n```\n") == [Block("sh", "make demo\n", 4)]
