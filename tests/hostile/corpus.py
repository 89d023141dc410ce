"""The corpus: hostile packages as data, each with what is expected of us beside it.

A file is a family. A member is one distribution, installed as ``hostile-ID`` with the entry point
``ID = hostile_ID`` (dashes become underscores in the module) and the version 6.6, unless it says
otherwise:

``does``
    What is wrong with it, as the end of a sentence that begins with the package.
``module``, ``files``
    The source of its module, and other files by path.
``reference``, ``entry_points``, ``metadata``
    Its object reference; or the whole text of ``entry_points.txt``; the text of ``METADATA``.
``load``
    What loading it by its label gives: ``"loads"``, or the class of the error.
``problem``
    What that error says.
``function``, ``arguments``
    The host's function that is called on it, ``double`` by default, and keywords of the call.
``runs``, ``because``
    Who runs the call: ``"backend"``, ``"host"``, ``"either"``, or the class of the error; and what
    the reason says.
``result``
    What comes out, if that is not what the host itself would have given.
``warns``
    What it is warned of while it is met, besides falling back.
``adds``
    Classes of warnings that are its own.
``label``, ``labels``
    By which it is asked for, and others that lead to it as well.
``stays``
    What is selected afterwards, where it selected something in its caller's context.
``encoding``, ``zipped``
    In which its metadata is written; whether a zip file on the path holds all of it.
``known_as``
    As what its distribution is known, if its metadata say something else.
``alone``
    That it changes the interpreter, and is met in a process of its own.
"""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

FOLDER = Path(__file__).parent / "corpus"
PAGE = Path(__file__).parent / "packages.md"


RUNS = {
    "backend": "it runs, with the right result",
    "odd result": "it runs, and its result is given as it is",
    "host": "the host runs the call, with a warning",
    "either": "it runs, or the host with a warning, as its signature is read then",
    "BackendLoadError": "`BackendLoadError`",
}


@dataclass(frozen=True)
class Member:
    """One hostile package, and what is expected."""

    id: str
    does: str
    module: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    reference: str | None = None
    entry_points: str | None = None
    metadata: str | None = None
    load: str = "loads"
    problem: str = ""
    function: str = "double"
    arguments: dict[str, Any] = field(default_factory=dict)
    runs: str = "backend"
    because: str = ""
    result: str | None = None
    warns: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    label: str | None = None
    labels: tuple[str, ...] = ()
    alone: bool = False
    encoding: str = "utf-8"
    zipped: bool = False
    known_as: str | None = None
    family: str = ""
    stays: str = "cpu"

    @property
    def distribution(self) -> str:
        return f"hostile-{self.id}"

    @property
    def name(self) -> str:
        return self.id if self.label is None else self.label

    @property
    def home(self) -> str:
        """Name its module."""
        return self.distribution.replace("-", "_")

    @property
    def outcome(self) -> Any:
        """Tell what comes out of the call, if it is not what the host gives."""
        return ast.literal_eval(self.result or "None")

    def install(self, site: Any) -> None:
        """Install it in a site of real distributions."""
        reference = {self.id: self.reference or self.home}
        folder = site.install(self.distribution, version="6.6", entry_points=reference)
        texts = {"entry_points.txt": self.entry_points, "METADATA": self.metadata}
        for name, text in texts.items():
            if text is not None:
                (folder / name).write_text(text, encoding=self.encoding)
        modules = {} if self.module is None else {f"{self.home}.py": self.module}
        for path, source in {**modules, **self.files}.items():
            site.write(path, source)
        if self.zipped:
            self._zip(site, folder)

    def _zip(self, site: Any, folder: Path) -> None:
        """Move it into a zip file."""
        with ZipFile(site.folder / f"{self.home}.zip", "w") as archive:
            for path in [*folder.iterdir(), site.folder / f"{self.home}.py"]:
                archive.write(path, path.relative_to(site.folder))
                path.unlink()
        folder.rmdir()

    @property
    def expected(self) -> str:
        """Say in words what is expected."""
        if self.load == "loads":
            because = f": {self.because}" if self.because else ""
            left = "" if self.stays == "cpu" else f", and `{self.stays}` stays selected"
            return f"{RUNS.get(self.runs, f'`{self.runs}` reaches the caller')}{because}{left}"
        return f"`{self.load}`" + (f": {self.problem}" if self.problem else "")


def families() -> dict[str, list[Member]]:
    """Read the corpus: the members of each family, by its title."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        family = tomllib.loads(path.read_text(encoding="utf-8"))
        found[family["title"]] = [
            _member(entry | {"family": path.stem}) for entry in family["member"]
        ]
    return found


def _member(entry: dict[str, Any]) -> Member:
    fixed = {name: tuple(v) if isinstance(v, list) else v for name, v in entry.items()}
    return Member(**fixed)


def members() -> list[Member]:
    """List every member."""
    return [member for family in families().values() for member in family]


def tables() -> str:
    """Write the corpus as tables, a family each, for the page that documents it."""
    parts = []
    for title, family in families().items():
        rows = "".join(f"| {_cell(m.does)} | {_cell(m.expected)} |\n" for m in family)
        parts.append(f"## {title}\n\n| the package | what happens |\n| --- | --- |\n{rows}")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


MARK = "<!-- written by python tests/hostile/corpus.py -->\n\n"


def page() -> str:
    """Give the page as it should be: its own words, and behind the mark the tables."""
    words, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return words + mark + tables()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
