"""Mutations that suit this library: what it does is calls, conditions, and sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import parso
from cosmic_ray.operators.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Replacement(Operator):
    """Puts one piece of code in place of a node."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if self.becomes(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        first = node.get_first_leaf()
        return parso.parse(f"{first.prefix}{self.becomes(node)}")

    def becomes(self, node: Any) -> str | None:
        """Say what to put in its place; ``None`` leaves a node alone."""
        raise NotImplementedError

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return ()


class RemoveStatement(_Replacement):
    """Leaves out a statement that is there for what it does: a call, a change of something held."""

    def becomes(self, node: Any) -> str | None:
        if node.parent is None or node.parent.type != "simple_stmt":
            return None
        if node.type == "expr_stmt":
            target, how = node.children[:2]
            changes = target.type in {"power", "atom_expr"} and how.type != "annassign"
            return "pass" if changes or (how.type == "operator" and how.value != "=") else None
        return "pass" if node.type in {"power", "atom_expr", "raise_stmt", "del_stmt"} else None


class ReturnNothing(_Replacement):
    """Returns ``None`` in place of something."""

    def becomes(self, node: Any) -> str | None:
        # Who asks whether something is true does not tell these apart.
        if node.type != "return_stmt" or node.children[1].get_code().strip() in {"None", "False"}:
            return None
        return "return None"


class DropKeyword(_Replacement):
    """Leaves out a keyword argument of a call."""

    def becomes(self, node: Any) -> str | None:
        named = node.type == "argument" and node.children[1] == "="
        return "**{}" if named else None


class NegateFilter(_Replacement):
    """Turns the condition of a comprehension, or of an ``elif``, round."""

    def becomes(self, node: Any) -> str | None:
        if node.parent is None or node.parent.type not in {"comp_if", "if_stmt"}:
            return None
        before = node.get_previous_sibling()
        filters = node.parent.type == "comp_if" and before == "if"
        return f"not ({node.get_code().strip()})" if filters or before == "elif" else None


class SwapIn(_Replacement):
    """Swaps ``in`` and ``not in``."""

    def becomes(self, node: Any) -> str | None:
        if node.parent is None or node.parent.type != "comparison":
            return None
        return {"in": "not in", "not in": "in"}.get(" ".join(node.get_code().split()))


class EmptyText(_Replacement):
    """Leaves a text empty, or an empty one not so."""

    def becomes(self, node: Any) -> str | None:
        if node.type not in {"string", "fstring"} or _is_documentation(node):
            return None
        text = "text" if node.get_code().strip().lstrip("rbf") in {'""', "''"} else ""
        return repr(text) if node.search_ancestor("fstring") else f'"{text}"'


def _is_documentation(node: Any) -> bool:
    """Whether a text stands alone, as docstrings do, or only names a type."""
    outer = node.parent if node.parent.type == "strings" else node
    if outer.parent.type in {"simple_stmt", "file_input", "suite"}:
        return True
    before = outer.get_previous_leaf()
    return before == "(" and before.get_previous_leaf().value == "cast"


class Provider(dict[str, type[Operator]]):
    """What cosmic-ray asks for the operators by their names."""

    def __init__(self) -> None:
        ours = _Replacement.__subclasses__()
        super().__init__({operator.__name__: operator for operator in ours})
