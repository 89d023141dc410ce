"""The mailbox of a trace: a folder of this machine, by which other processes tell it of their calls."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4
from weakref import finalize


class Mailbox:
    """Where the records of other processes arrive; its folder goes when the trace does.

    Attributes
    ----------
    folder
        Nobody but this user may read it.
    """

    def __init__(self) -> None:
        self.folder = mkdtemp(prefix="scverse-backends-trace-")
        self._read: dict[str, Any] = {}
        finalize(self, _remove, self.folder, os.getpid())

    def letters(self) -> list[Any]:
        """Give what has arrived, in the order in which it was seen."""
        for file in sorted(Path(self.folder).glob("*.json"), key=lambda file: file.stat().st_mtime):
            if file.name not in self._read:
                self._read[file.name] = json.loads(file.read_text(encoding="utf-8"))
        return [*self._read.values()]


def post(folder: str, letter: Any) -> None:
    """Put something into a mailbox; on a machine that does not have it, do nothing."""
    written = Path(folder, f"{uuid4()}.part")
    with suppress(OSError):
        written.write_text(json.dumps(letter), encoding="utf-8")
        written.replace(written.with_suffix(".json"))


def _remove(folder: str, process: int) -> None:
    """Remove a folder, unless this is a forked copy of the process that made it."""
    if os.getpid() == process:
        rmtree(folder, ignore_errors=True)
