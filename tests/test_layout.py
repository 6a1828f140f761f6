"""The shape of the house: what lies where, what the code may use, what the repository may say."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import check_wheel
import checkout
import mutants
from support import crash

checkout_only = pytest.mark.checkout

PROJECT: dict[str, Any] = tomllib.loads((checkout.ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _modules() -> list[Path]:
    """Return the code's files, relative to the root."""
    return sorted(path for path in checkout.packaged().values() if path.suffix == ".py")


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse((checkout.ROOT / path).read_text(encoding="utf-8"), str(path)))


def _imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports when it runs, of modules and of what is taken from them."""
    found: set[str] = set()
    nodes = list(_nodes(path))
    guarded = [n for n in nodes if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    for_types = {id(node) for guard in guarded for part in guard.body for node in ast.walk(part)}
    for node in nodes:
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _mentions(path: Path) -> set[str]:
    """Return what a file imports, and dotted names such as `socket.socket`."""
    return _imports(path) | {ast.unparse(node) for node in _nodes(path) if isinstance(node, ast.Attribute)}


def _is_or_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


# What is public


def test_memgraph_has_few_public_names_and_each_is_there() -> None:
    package = import_module("memgraph")
    names: list[str] = package.__all__
    assert names == sorted(set(names))
    assert len(names) <= 25
    for name in names:
        assert getattr(package, name) is not None
    assert set(names) <= set(dir(package))


PARTS = ["memgraph.agents", "memgraph.nodes", "memgraph.evals", "memgraph.checkpointers", "memgraph.embedders"]


@pytest.mark.parametrize("part", PARTS)
def test_what_a_part_calls_public_is_there(part: str) -> None:
    module = import_module(part)
    names: list[str] = getattr(module, "__all__", [])
    assert names == sorted(set(names))
    assert all(hasattr(module, name) for name in names)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        import_module("memgraph").no_such_name  # noqa: B018  # asking is the test


# What importing costs


def test_import_memgraph_loads_nothing_heavy() -> None:
    heavy = ("apsw", "langchain_core", "langgraph", "langsmith", "numpy", "onnxruntime", "rich", "tokenizers", "typer")
    loaded = crash.run("import memgraph\nprint(*sys.modules, sep='\\n')", check=True).lines
    assert "memgraph" in loaded
    assert [name for name in loaded if name.split(".")[0] in heavy] == []


def test_parts_are_no_top_level_names() -> None:
    script = """
        from memgraph import Memory
        import memgraph.nodes, memgraph.evals, memgraph.checkpointers, memgraph.cli
        print(*sys.modules, sep='\\n')
    """
    assert {"nodes", "checkpointers", "evals"}.isdisjoint(crash.run(script, check=True).lines)
    assert {"nodes", "checkpointers", "evals"}.isdisjoint(sys.modules)


# What the code may use


_STATEMENT = re.compile(
    r"\b(?:SELECT\b.+\bFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|(?:CREATE|DROP|ALTER)\s+(?:TEMP"
    r"|TABLE|INDEX|UNIQUE|VIRTUAL|VIEW|TRIGGER)|BEGIN\s+(?:IMMEDIATE|EXCLUSIVE)|PRAGMA\s+\w+|ATTACH\s+DATABASE)\b",
    re.DOTALL,
)


def _text(node: ast.AST) -> str:
    """Return the text of a string or an f-string (a word stands for what is filled in), "" for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value) or "x" for value in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_sql(text: str) -> bool:
    small = text == text.lower() and _STATEMENT.match(text.strip().upper())
    return bool(small or _STATEMENT.search(text))


def _sql(path: Path) -> list[str]:
    """Return the strings of a file, docstrings apart, that are SQL."""
    nodes = list(_nodes(path))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return [text for node in nodes if id(node) not in docstrings and _is_sql(text := _text(node))]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 'SELECT a FROM t'", True),
        ("x = f'SELECT {a} FROM {t}'", True),
        ("x = 'delete from turns where id = ?'", True),
        ("x = 'PRAGMA user_version'", True),
        ("x = 'Select one from the list'", False),
        ("'SELECT a FROM t'", False),
    ],
)
def test_sql_is_recognised(tmp_path: Path, source: str, found: bool) -> None:
    (tmp_path / "module.py").write_text(source)
    assert bool(_sql(tmp_path / "module.py")) is found


@checkout_only
def test_sql_stands_in_the_ledger_only() -> None:
    ledger = Path("memgraph/ledger")
    elsewhere = [path for path in _modules() if ledger not in path.parents]
    assert {str(path): found for path in elsewhere if (found := _sql(path))} == {}
    engines = ("apsw", "sqlite3")
    assert [path for path in elsewhere if any(_is_or_in(name, e) for name in _imports(path) for e in engines)] == []
    assert any(_sql(path) for path in _modules() if ledger in path.parents)


@checkout_only
@pytest.mark.parametrize(
    ("package", "why"),
    [
        ("pickle", "loading it runs code"),
        ("marshal", "loading it can crash the interpreter"),
        ("shelve", "it is pickle"),
        ("dill", "it is pickle"),
        ("langchain_core.load", "loading it builds any class that the text names"),
        ("requests", "no telemetry: this package opens no connection of its own"),
        ("httpx", "no telemetry"),
        ("urllib.request", "no telemetry"),
        ("http.client", "no telemetry"),
        ("socket.socket", "no telemetry"),
        ("socket.create_connection", "no telemetry"),
    ],
)
def test_the_code_does_not_import(package: str, why: str) -> None:
    assert [path for path in _modules() if any(_is_or_in(name, package) for name in _mentions(path))] == [], why


@checkout_only
def test_our_types_of_apsw_name_what_it_has() -> None:
    apsw = import_module("apsw")
    tree = ast.parse((checkout.ROOT / "typings" / "apsw" / "__init__.pyi").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name != "__getattr__":
            assert hasattr(apsw, node.name), node.name
        if isinstance(node, ast.ClassDef) and node.name != "Error":
            names = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
            names += [ast.unparse(part.target) for part in node.body if isinstance(part, ast.AnnAssign)]
            assert [name for name in names if not hasattr(getattr(apsw, node.name), name)] == [], node.name


@checkout_only
def test_the_code_evaluates_no_text() -> None:
    for path in _modules():
        calls = {n.func.id for n in _nodes(path) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        assert calls.isdisjoint({"eval", "exec", "compile"}), path


@checkout_only
def test_every_dependency_is_used_and_every_import_declared() -> None:
    names = {"apsw-sqlite3mc": "apsw", "pystemmer": "Stemmer", "langgraph-checkpoint": "langgraph.checkpoint"}
    declared = {str(canonicalize_name(Requirement(text).name)) for text in PROJECT["project"]["dependencies"]}
    extras = {
        str(canonicalize_name(Requirement(text).name))
        for texts in PROJECT["project"]["optional-dependencies"].values()
        for text in texts
    }
    imported = {name for path in _modules() for name in _imports(path)}

    def module(distribution: str) -> str:
        return names.get(distribution, distribution.replace("-", "_"))

    assert [name for name in sorted(declared) if not any(_is_or_in(i, module(name)) for i in imported)] == []
    tops = {name.split(".")[0] for name in imported} - sys.stdlib_module_names - {"memgraph"}
    known = {module(name).split(".")[0] for name in declared | extras} | {"typing_extensions"}
    assert sorted(tops - known) == []


# What is built


@checkout_only
def test_the_package_list_is_complete() -> None:
    folders = {str(Path(name).parent).replace("/", ".") for name in checkout.packaged()}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(folders)


def test_a_wrong_wheel_is_noticed() -> None:
    good = {"memgraph/__init__.py", "memgraph/nodes/retrieve.py"}
    assert check_wheel.faults({*good, "x-0.1.dist-info/METADATA"}, good) == []
    assert len(check_wheel.faults({*good, "nodes/retrieve.py"}, good)) == 2
    assert len(check_wheel.faults({"memgraph/__init__.py"}, good)) == 1


@checkout_only
def test_the_parts_are_linked_into_the_package() -> None:
    for part in ("checkpointers", "datasets", "evals", "nodes"):
        link = checkout.ROOT / "memgraph" / part
        assert link.is_symlink()
        assert str(link.readlink()) == f"../{part}"
    assert not (checkout.ROOT / "datasets" / "__init__.py").exists()


@checkout_only
def test_the_lock_has_what_the_project_asks_for() -> None:
    lock = (checkout.ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    locked = {canonicalize_name(name): Version(v) for name, v in re.findall(r"^([\w.-]+)==([\w.+!]+)", lock, re.M)}
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    asked += [text for texts in PROJECT["project"]["optional-dependencies"].values() for text in texts]
    for text in asked:
        requirement = Requirement(text)
        if requirement.name != PROJECT["project"]["name"]:
            assert locked[canonicalize_name(requirement.name)] in requirement.specifier, f"run `make lock`: {text}"
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) > len(locked)


# What the repository says


@checkout_only
def test_no_file_names_a_package_index_or_a_place_on_one_machine() -> None:
    # Written apart, so that this file is none of them.
    forbidden = re.compile(
        "|".join(["pypi" r"\.org", "python" r"hosted\.org", "registry" r"\.npmjs", r"(?<![\w.])/" r"work\b"])
    )
    found: list[str] = []
    for path in checkout.files():
        if not (checkout.ROOT / path).is_symlink():
            text = (checkout.ROOT / path).read_bytes().decode("utf-8", "replace")
            found += [f"{path}: {match.group()}" for match in forbidden.finditer(text)]
    assert found == []


_COMMENT = re.compile(r"#\s*(?:pragma: no (?:cover|branch)|type: ignore|noqa|pyright: ignore)(?P<rest>.*)")


def _silenced(path: Path) -> Iterator[str]:
    """Yield the comments of a file that silence a tool without naming the rule, or without a reason."""
    source = io.StringIO((checkout.ROOT / path).read_text(encoding="utf-8"))
    for token in tokenize.generate_tokens(source.readline):
        if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)):
            rest = match["rest"]
            if match.group().startswith("# pragma"):
                if not re.match(r"\s*[-#]\s*\w{2}", rest):
                    yield f"{path}:{token.start[0]}: {token.string} (write: # pragma: no cover  # reason)"
            elif not re.match(r":?\s*[A-Z]+\d|\[", rest):
                yield f"{path}:{token.start[0]}: {token.string} (name the rule)"


@checkout_only
def test_what_is_silenced_names_the_rule_and_uncovered_lines_a_reason() -> None:
    found = [line for path in checkout.files() if path.suffix == ".py" for line in _silenced(path)]
    assert found == []


@checkout_only
def test_every_mutant_can_be_applied() -> None:
    listed = mutants.load(checkout.ROOT / "tests" / "mutants.toml")
    assert len(listed) >= 12
    assert all(mutant.apply((checkout.ROOT / mutant.file).read_text(encoding="utf-8")) for mutant in listed)


def test_a_mutants_outcome_is_read_from_the_summary() -> None:
    output = "F.\nFAILED tests/a.py::test_x[1 2] - assert 0\nPASSED tests/a.py::test_x[3]\nPASSED tests/a.py::test_xy\n"
    assert mutants.outcomes(output, "tests/a.py::test_x") == {"FAILED", "PASSED"}
    assert mutants.outcomes(output, "tests/a.py::test_xy") == {"PASSED"}
    assert mutants.outcomes(output, "tests/a.py::test_x[1 2]") == {"FAILED"}
    assert mutants.outcomes(output, "tests/b.py") == set()
