"""Expectations: what a backend's author says of single tests of the host."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Expectation(NamedTuple):
    """Some tests, and what is to be known of them.

    Parameters
    ----------
    pattern
        The end of their node ids, from the beginning of the name of a folder,
        file, class or function; ``*`` stands for anything. What names a folder,
        file or class means all in it, what names a function all its parameters.
    reason
        What is to be known.
    """

    pattern: str
    reason: str

    def matches(self, node: str) -> bool:
        """Whether a test is one of them."""
        # The brackets of a parametrized test mean themselves.
        literal = self.pattern.replace("[", "[[]").rstrip("/")
        heads, tails = ("", "*/", "*::"), ("", "/*", "::*", "[[]*")
        return any(
            re.match(translate(f"{head}{literal}{tail}"), node) for head in heads for tail in tails
        )


def read(lines: Iterable[str]) -> tuple[Expectation, ...]:
    """Read lines such as ``test_pca.py::test_signs - components may point the other way``."""
    split = (line.partition(" - ") for line in lines)
    return tuple(Expectation(pattern.strip(), reason.strip()) for pattern, _, reason in split)


def find(expectations: Iterable[Expectation], node: str) -> Expectation | None:
    """Give the first expectation that a test matches."""
    return next((found for found in expectations if found.matches(node)), None)
