"""How the code in README and docs is run: one page is one sitting, from top to bottom.

A block's language, and its first line, say what becomes of it:

| block | what becomes of it |
| --- | --- |
| ``python`` that begins with ``>>>`` | typed at a prompt; output and our warnings have to be those shown |
| ``python``, ``toml`` … that begin with ``# some/file.py`` | saved under that name in the page's folder |
| any other ``python`` | run, in the same namespace as the rest of the page |
| ``console`` | each line after ``$`` run in the page's own shell; the output has to be the one shown |
| ``sh`` | only read by the shell: it needs a checkout, a cluster, or somebody's consent |
| ``toml``, ``json`` | only parsed |
| ``text`` | left alone |

A ``pyproject.toml`` without a ``[build-system]`` is a fragment: its entry points are installed
beside it, as pip would write them. Files go to the folder that the page's shell is in. In shown output ``...`` stands for anything.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

from scverse_backends.exceptions import BackendWarning

ROOT = Path(__file__).parents[2]
LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n?", re.MULTILINE)
FILE = re.compile(r"# ([\w./-]+\.\w+)\n")
_python, _typed = PythonEvaluator(), DocTestEvaluator(LENIENT)
_END = "--- done with status"


class Terminal:
    """A shell that lives as long as a page is read: what one block activates, the next one has."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash"],  # noqa: S607 - whichever the reader has
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run a command line; give what it printed and its exit status."""
        shlex.split(command)  # a quote that stays open would keep the shell waiting
        # The end on a line of its own, in case the output does not end one.
        line = f'{{ {command}\n}} </dev/null; printf "\\n{_END} %s\\n" $?\n'
        self._shell.stdin.write(line)
        self._shell.stdin.flush()
        printed = []
        for answer in self._shell.stdout:
            if answer.startswith(_END):
                return "".join(printed)[:-1], int(answer.removeprefix(_END))
            printed.append(answer)
        raise AssertionError(f"The shell ended at: {command}\n{''.join(printed)}")

    def close(self) -> None:
        """Say goodbye."""
        self._shell.communicate("exit\n")


class Page:
    """What the blocks of one page share: a folder, a namespace, and a shell that starts late."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._terminal: Terminal | None = None

    @property
    def terminal(self) -> Terminal:
        """The page's shell."""
        if self._terminal is None:
            self._terminal = Terminal(self._folder, self._environment)
        return self._terminal

    @property
    def here(self) -> Path:
        """The folder that the page has gone to."""
        return Path(self._terminal.run("pwd")[0].strip()) if self._terminal else self._folder

    def close(self) -> None:
        """End the shell, if it was ever needed."""
        if self._terminal is not None:
            self._terminal.close()

    def read(self, path: Path) -> None:
        """Run every block of a page, in order."""
        document = Document.parse(str(path), self._regions)
        for example in document.examples():
            example.evaluate()

    def _regions(self, document: Document) -> Any:
        for region in FencedCodeBlockLexer(r"[^\n]*")(document):
            language, source = region.lexemes["language"], region.lexemes["source"]
            if language.startswith("{"):
                continue  # a directive, which Sphinx reads
            region.parsed = source
            if language == "python" and source.startswith(">>>"):
                yield from _at_prompt(region, document)
            elif FILE.match(source):
                yield _evaluated(region, self._save)
            else:
                yield _evaluated(region, self._evaluators().get(language, _refuse))

    def _evaluators(self) -> dict[str, Any]:
        return {
            "python": _python,
            "console": self._converse,
            "sh": self._read_only,
            "toml": lambda example: tomllib.loads(example.parsed) and None,
            "json": lambda example: json.loads(example.parsed) and None,
            "text": lambda example: None,
        }

    def _save(self, example: Example) -> None:
        """Save a block under the name in its first line; install it, if it is that kind of file."""
        folder = self.here
        file = folder / FILE.match(example.parsed)[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(example.parsed, encoding="utf-8")
        if file.name == "pyproject.toml":
            project = tomllib.loads(example.parsed)
            if "build-system" not in project:
                install(folder, project["project"])

    def _converse(self, example: Example) -> str | None:
        """Type each command; compare what it prints."""
        for command, expected in conversation(example.parsed):
            printed, status = self.terminal.run(command)
            if not doctest.OutputChecker().check_output(expected, printed, LENIENT):
                return f"$ {command}\nShown:\n{expected}\nPrinted:\n{printed}"
            if status and not expected:
                return f"$ {command}\nfailed with status {status}"
        return None

    def _read_only(self, example: Example) -> str | None:
        checked = subprocess.run(
            ["bash", "-n"],  # noqa: S607 - as above
            input=example.parsed,
            text=True,
            capture_output=True,
            check=False,
        )
        return checked.stderr or None


def conversation(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands, which may go on after a backslash, and outputs."""
    _, *turns = COMMAND.split(text)
    return list(zip(turns[::2], turns[1::2], strict=True))


def install(folder: Path, project: dict[str, Any]) -> None:
    """Write the metadata that pip would write for a project's entry points."""
    name = project.get("name", "a-backend")
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = project["entry-points"].items()
    sections = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in groups
    )
    info.joinpath("entry_points.txt").write_text("\n".join(sections))


def _evaluated(region: Region, evaluator: Any) -> Region:
    region.evaluator = evaluator
    return region


def _at_prompt(region: Region, document: Document) -> Any:
    """Split a block into statements, each with the output that belongs to it."""
    for statement in DocTestStringParser(_type)(region.parsed, document.path):
        statement.adjust(region, region.parsed)
        yield statement


def _type(example: Example) -> str:
    """Type one statement; a reader sees our warnings among what it prints."""
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=BackendWarning)
        warnings.showwarning = _show
        return _typed(example)


def _show(message: Any, category: type[Warning], *where: Any) -> None:
    print(f"{category.__name__}: {message}")  # noqa: T201 - as Python does, without the place


def _refuse(example: Example) -> str:
    return "No rule says how to run a block of this language; see tests/documents/conftest.py."


def check_out(folder: Path) -> Path:
    """Copy what a reader who installs from a checkout needs."""
    for name in ("src", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def is_host(module: str) -> bool:
    """Tell whether a module is the example host's, which keeps what was selected."""
    return module.partition(".")[0] == "example_host"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """Give a page an empty folder to work in, and hosts that nobody has used yet."""
    for name in [*filter(is_host, sys.modules)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = {**os.environ, "PIP_QUIET": "2", "NO_COLOR": "1", "COLUMNS": "100"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    begun = tmp_path
    if request.node.get_closest_marker("slow"):
        begun = check_out(tmp_path / "checkout")
    made = Page(begun, environment)
    yield made
    made.close()
    for name, module in list(sys.modules.items()):
        if is_host(name) or str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
