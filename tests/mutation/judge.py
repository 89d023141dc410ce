"""Judge the mutant that stands in the working directory: succeeds where no test notices it.

First come those tests that reach the changed lines and most of what few others
reach in their module, then the others. What nothing reaches but the import of
its module is shown to all tests that reach any of it.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tomllib
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path

import pytest

OPTIONS = ("-qx", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--timeout=15")
ROUNDS = (0, 10, 250, None)
"""How many tests have been asked after each round; each has to collect its files."""

EQUIVALENT, UNREAD = "listed as equivalent", "only annotations differ"
SOURCES = Path("src", "scverse_backends")


class Only:
    """Keeps of what is collected what is wanted, in that order."""

    def __init__(self, wanted: list[str]) -> None:
        self.place = {name: place for place, name in enumerate(wanted)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose and order."""
        chosen = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(chosen, key=lambda item: self.place[item.nodeid])


class Unread(ast.NodeTransformer):
    """Takes out what no interpreter looks at."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Take out what only type checkers read."""
        names = {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
        return None if names == {"TYPE_CHECKING"} else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Take out an alias of a type, and the annotation of anything else."""
        if isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias":
            return None
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Take out the annotation of a parameter."""
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Take out the annotation of what a function returns."""
        node.returns = None
        return self.generic_visit(node)


def changed() -> tuple[str, str, str]:
    """Find the module that was mutated: its name, its source before and after."""
    for module in sorted(SOURCES.rglob("*.py")):
        place = module.relative_to(SOURCES)
        before = Path("original", place).read_text(encoding="utf-8")
        after = module.read_text(encoding="utf-8")
        if before != after:
            return ".".join(place.with_suffix("").parts), before, after
    raise SystemExit("nothing was mutated")


def is_read(before: str, after: str) -> bool:
    """Whether anything differs that an interpreter looks at."""
    first, second = (ast.dump(Unread().visit(ast.parse(source))) for source in (before, after))
    return first != second


def is_equivalent(module: str, before: str, after: str) -> bool:
    """Whether a mutant is listed as one that cannot be noticed; spaces do not matter."""
    lines = [*unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")][2:]
    was, becomes = (
        " ".join(" ".join(line[1:] for line in lines if line[0] == sign).split()) for sign in "-+"
    )
    listed = tomllib.loads(Path("tests/mutation/equivalent.toml").read_text(encoding="utf-8"))
    return any(
        module == one["module"] and was == one["was"] and becomes in one["becomes"]
        for one in listed["equivalent"]
    )


def reaching(module: str, before: str, after: str) -> list[str]:
    """Name the tests that reach a mutant, in the order in which they are asked."""
    pairs = enumerate(zip(before.splitlines(), after.splitlines(), strict=False), 1)
    line = next(line for line, (old, new) in pairs if old != new)
    reach = json.loads(Path("reach", f"{module}.json").read_text(encoding="utf-8"))
    found = {
        place for line in _statement(before, line) for place in reach["lines"].get(str(line), ())
    }
    return [reach["tests"][place] for place in sorted(found)] or reach["tests"]


def _statement(source: str, line: int) -> range:
    """Give the lines of the innermost statement that a line is in: coverage counts statements."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else (node.end_lineno or line) + 1
            if node.lineno <= line < end:
                found = range(node.lineno, end)
    return found


def survives(tests: list[str]) -> bool:
    """Run tests and say whether none of them notices anything."""
    files = sorted({name.partition("::")[0] for name in tests})
    return pytest.main([*OPTIONS, *files], plugins=[Only(tests)]) in {
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }


def main() -> int:
    """Judge."""
    # Of what is installed, only what the tests need: starting is most of what a mutant costs.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    module, before, after = changed()
    if not is_read(before, after):
        print(UNREAD)
    elif is_equivalent(module, before, after):
        print(EQUIVALENT)
    else:
        tests = reaching(module, before, after)
        rounds = [tests[start:end] for start, end in pairwise(ROUNDS)]
        return 0 if all(survives(part) for part in rounds if part) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
