"""Rounds: cases timed in turns, so that whatever disturbs the machine disturbs all of them."""

from __future__ import annotations

from timeit import Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Case = tuple[str, dict[str, Any]]
"""A statement, and the names that it uses."""


def fastest(cases: Mapping[str, Case], *, rounds: int = 60, number: int = 1000) -> dict[str, float]:
    """Give the seconds that one run of each case takes when nothing comes in between.

    Parameters
    ----------
    cases
        What to time, by name.
    rounds
        How often every case has its turn; the fastest turn counts.
    number
        Runs in one turn.
    """
    timers = {name: Timer(code, globals=names) for name, (code, names) in cases.items()}
    turns = [{name: timer.timeit(number) for name, timer in timers.items()} for _ in range(rounds)]
    return {name: min(turn[name] for turn in turns) / number for name in timers}


def in_turns(
    measures: Mapping[str, Callable[[], float]], *, rounds: int = 5
) -> dict[str, list[float]]:
    """Take each measure once in every round."""
    turns = [{name: measure() for name, measure in measures.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in turns] for name in measures}
