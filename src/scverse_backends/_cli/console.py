"""The console: where a command writes, in colour where a person looks."""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from contextlib import contextmanager, suppress
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO

from scverse_backends._ground.records import as_objects
from scverse_backends._ground.rendering import aligned
from scverse_backends.exceptions import BackendWarning

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from scverse_backends._ground.rendering import Cell

NARROWEST = 40
"""Lines are not made shorter, however narrow the terminal is."""
STYLES = {"good": "32", "bad": "31", "doubtful": "33", "dim": "2", "bold": "1"}

# Foreign text must not move the cursor or turn the line around; our own colours pass.
_UNWANTED = re.compile(
    "(\x1b\\[(?:0|1|2|31|32|33)m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_ERASE = "\r\x1b[K"


class Console:
    """Standard output and standard error of one run.

    Parameters
    ----------
    out, err
        Where results go, and where everything else goes.
    environment
        Its ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM`` tell whether colours are wanted.

    Attributes
    ----------
    quiet
        Whether only results and errors are written.
    width
        How many columns a line has.
    """

    def __init__(self, out: TextIO, err: TextIO, environment: Mapping[str, str]) -> None:
        self._out, self._err = out, err
        self.quiet = False
        self.width = max(get_terminal_size().columns, NARROWEST)
        self._moves = err.isatty() and environment.get("TERM") != "dumb"
        self._coloured = [one for one in (out, err) if _wants_colours(one, environment)]

    def paint(self, style: str, text: str) -> str:
        """Colour a part of the result, where colours are wanted."""
        return self._painted(self._out, style, text)

    def _painted(self, stream: TextIO, style: str, text: str) -> str:
        is_wanted = stream in self._coloured and text
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if is_wanted else text

    def write(self, text: str) -> None:
        """Write a part of the result."""
        self._send(self._out, text)

    def line(self, text: str = "") -> None:
        """Write a line of the result."""
        self.write(f"{text}\n")

    def json(self, value: Any) -> None:
        """Write a result for machines."""
        self.line(json.dumps(as_objects(value), indent=2, default=repr))

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], indent: str = ""
    ) -> list[str]:
        """Line up rows under headings; in too wide a table, what is last stands below its row."""
        heads: list[Cell] = [("bold", name.upper()) for name in columns]
        whole = [heads, *rows]
        is_wide = max(map(len, aligned(whole))) + len(indent) > self.width
        kept = [row[: len(columns) - is_wide] for row in whole]
        below = ["", *(f"\n{indent}    {row[-1]}" if is_wide else "" for row in rows)]
        lines = zip(aligned(kept, self.paint), below, strict=True)
        return [f"{indent}{line}{more.rstrip()}" for line, more in lines]

    def note(self, text: str) -> None:
        """Tell something that is not part of the result."""
        if not self.quiet:
            self._send(self._err, f"{text}\n")

    def warning(self, text: str) -> None:
        """Tell what the user should know."""
        self.note(f"{self._painted(self._err, 'doubtful', 'warning')}: {text}")

    def error(self, text: str) -> None:
        """Tell what went wrong, however quiet the rest is."""
        head = self._painted(self._err, "bad", "error")
        self._send(self._err, f"scverse-backends: {head}: {text}\n")

    @contextmanager
    def progress(self, text: str) -> Generator[None]:
        """Show on a terminal what is going on, until it is done."""
        if self.quiet or not self._moves:
            yield
            return
        self._send(self._err, f"{text} ...")
        self._err.flush()
        try:
            yield
        finally:
            self._err.write(_ERASE)
            self._err.flush()

    @contextmanager
    def warnings(self) -> Generator[None]:
        """Show warnings as one line each, where Python would show a line of ours too."""

        def show(message: Warning | str, *_: Any, **__: Any) -> None:
            self.warning(str(message))

        shown: Any = show  # Python passes six arguments, of which one is of use
        with warnings.catch_warnings():
            # What the library says is shown, whatever the interpreter was told of warnings.
            warnings.simplefilter("always", BackendWarning)
            warnings.showwarning = shown
            yield

    def flush(self) -> None:
        """Send what is buffered; a reader who has left is noticed here at the latest."""
        if not self._out.closed:  # by a script that was run
            self._out.flush()

    def abandon(self) -> None:
        """Drop what is still buffered: the reader has seen enough."""
        with suppress(OSError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no path
            os.dup2(nowhere.fileno(), self._out.fileno())

    def _send(self, stream: TextIO, text: str) -> None:
        """Write what the stream can show."""
        shown = _UNWANTED.sub(lambda found: found[1] or _escaped(found[0]), text)
        encoding = stream.encoding or sys.getdefaultencoding()
        stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))


def _wants_colours(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Decide as Python does for its own tracebacks."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
