"""Which tests reach which line: a plugin for the one run of the tests that finds out."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from functools import _lru_cache_wrapper
from pathlib import Path

import coverage
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Have what runs from here on count for this test, and remembered answers found anew."""
    for name, module in [*sys.modules.items()]:
        if name.startswith("scverse_backends."):
            for value in [*vars(module).values()]:
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()
    coverage.Coverage.current().switch_context(item.nodeid)


def write(folder: Path) -> None:
    """Write for each module the tests that reach each of its lines, from the combined data.

    Tests stand in the order in which they are asked: first those that reach
    most of what few others reach in this module.
    """
    data = coverage.CoverageData(".coverage")
    data.read()
    folder.mkdir(exist_ok=True)
    for file in data.measured_files():
        lines = {
            line: {_test(name) for name in names} - {""}
            for line, names in data.contexts_by_lineno(file).items()
        }
        close = Counter()
        for names in lines.values():
            close.update(dict.fromkeys(names, 1 / max(len(names), 1)))
        tests = sorted(close, key=close.__getitem__, reverse=True)
        place = {name: place for place, name in enumerate(tests)}
        reached = {line: sorted(place[name] for name in names) for line, names in lines.items()}
        (folder / f"{_module(Path(file))}.json").write_text(
            json.dumps({"tests": tests, "lines": reached}), encoding="utf-8"
        )


def _module(file: Path) -> str:
    """Name a module within the package, as ``_routing.routes``."""
    parts = file.with_suffix("").parts
    root = len(parts) - parts[::-1].index("scverse_backends")
    return ".".join(parts[root:])


def _test(context: str) -> str:
    """Name the test of a context; a process that a test started has pytest's word for its own."""
    return re.sub(r" \((setup|call|teardown)\)$", "", context)


if __name__ == "__main__":
    write(Path("reach"))
