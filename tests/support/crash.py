"""Scripts in a fresh Python process that can be killed: what is left then is only what was in the file.

done = crash.run('''
    from memgraph import Memory, Scope
    with Memory.open(sys.argv[1], embedder=None) as memory: ...
''', path)
crash.kill_at("READY", script, path)      # SIGKILL as soon as the script prints READY
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PRELUDE = "import os, signal, sys\n"
_TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Finished:
    """How a script ended: its status (negative: the signal that killed it) and what it printed."""

    rc: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The lines of `stdout`."""
        return self.stdout.splitlines()


def start(script: str, *args: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `script` (os, signal, sys are imported) with `args` in sys.argv[1:] and the same `memgraph` as here."""
    source = _PRELUDE + textwrap.dedent(script)
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": import_path(), "PYTHONUNBUFFERED": "1", **(env or {})},
    )


def run(
    script: str, *args: object, env: Mapping[str, str] | None = None, timeout: float = 240, check: bool = False
) -> Finished:
    """Run `script` to its end.

    Args:
        script: Python source; indentation is taken off.
        args: Its arguments.
        env: Environment variables on top of ours.
        timeout: Seconds after which it is killed and `subprocess.TimeoutExpired` raised.
        check: Whether a status other than 0 is an assertion error that shows stderr.
    """
    with start(script, *args, env=env) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert not check or process.returncode == 0, f"the script ended with {process.returncode}:\n{stderr}"
    return Finished(process.returncode, stdout, stderr)


def kill_at(marker: str, script: str, *args: object, env: Mapping[str, str] | None = None) -> Finished:
    """Run `script` and kill it (SIGKILL) once it prints the line `marker`; it should then wait: sys.stdin.read()."""
    with start(script, *args, env=env) as process:
        assert process.stdout is not None and process.stderr is not None
        seen: list[str] = []
        for line in process.stdout:
            seen.append(line)
            if line.rstrip("\n") == marker:
                break
        else:
            raise AssertionError(f"the script ended without printing {marker!r}:\n{process.stderr.read()}")
        process.kill()
        stdout, stderr = process.communicate()
    return Finished(process.returncode, "".join(seen) + stdout, stderr)


def import_path() -> str:
    """Return a PYTHONPATH with the `memgraph` that this process uses, and `support`."""
    spec = importlib.util.find_spec("memgraph")
    assert spec is not None and spec.submodule_search_locations is not None
    root = Path(next(iter(spec.submodule_search_locations))).parent
    return os.pathsep.join([str(root), str(_TESTS)])
