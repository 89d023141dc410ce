"""The matrix: what each backend has for each function of a host, and four ways to write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .cells import Column, Line, Matrix, gather
from .html import as_html
from .markdown import as_markdown
from .text import as_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FORMATS", "Column", "Line", "Matrix", "gather"]


def as_json(matrix: Matrix) -> str:
    """Write it for machines: backends, and for each function what each of them has."""
    functions: list[dict[str, Any]] = [
        {
            "function": line.function,
            "summary": line.summary,
            "backends": {
                column.name: {
                    "implemented": fit.implemented,
                    "findings": [finding._asdict() for finding in fit.findings],
                }
                for column, fit in zip(matrix.columns, line.fits, strict=True)
            },
        }
        for line in matrix.lines
    ]
    value = {
        "host": matrix.host,
        "backends": [column._asdict() for column in matrix.columns],
        "unknown": [column._asdict() for column in matrix.unknown],
        "functions": functions,
    }
    return json.dumps(value, indent=2)


FORMATS: dict[str, Callable[[Matrix], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "json": as_json,
}
