"""One pass over the blocks of a matrix, each thread holding one block at a time.

A block is read, and everything that was asked of it so far is done to it, inside the task that
measures it. So no block ever waits in a worker's memory for whoever needs it next, and what a
pass needs does not depend on how many blocks there are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import dask
import dask.array as da
import numpy as np
from dask.core import flatten
from dask.delayed import Delayed, delayed
from dask.optimization import cull

from ._blocks import Block
from ._clusters import computed, thread_count

# What is measured on a block. Adding joins two of the same kind: arrays sum, lists concatenate.
Measures: TypeAlias = tuple[Any, ...]
Recipe: TypeAlias = Callable[[], Block]


def summed(
    matrix: da.Array, measure: Callable[[Block], Measures], *, show_progress_bar: bool
) -> Measures:
    """Add up what is measured on every block, in the order of the blocks."""
    lanes = [_lane(recipes, measure) for recipes in _shares(list(_recipes(matrix)))]
    while len(lanes) > 1:
        pairs = zip(lanes[::2], lanes[1::2], strict=False)
        unpaired = lanes[2 * (len(lanes) // 2) :]
        lanes = [delayed(_joined, pure=False)(*pair) for pair in pairs] + unpaired
    (total,) = computed(lanes, show_progress_bar=show_progress_bar)
    return total.measures


def stacked(
    matrix: da.Array, measure: Callable[[Block], np.ndarray], *, show_progress_bar: bool
) -> np.ndarray:
    """Put what is measured on the rows of every block below one another."""
    measure = delayed(measure, pure=False, traverse=False)
    parts = [
        delayed(partial(_measured, recipe), pure=False)(measure) for recipe in _recipes(matrix)
    ]
    return np.concatenate(computed(parts, show_progress_bar=show_progress_bar))


def _recipes(matrix: da.Array) -> Iterator[Recipe]:
    """Give for each block a function that makes it, whatever that takes."""
    (optimized,) = dask.optimize(matrix)
    graph = dict(optimized.__dask_graph__())
    for key in flatten(optimized.__dask_keys__()):
        needed, _ = cull(graph, [key])
        yield partial(dask.get, needed, key)


def _shares(recipes: Sequence[Recipe]) -> Iterator[Sequence[Recipe]]:
    """Split the blocks into one run of neighbours for each thread."""
    count = min(thread_count(), len(recipes))
    bounds = np.linspace(0, len(recipes), count + 1).astype(int)
    return (recipes[start:stop] for start, stop in pairwise(bounds))


def _lane(recipes: Sequence[Recipe], measure: Callable[[Block], Measures]) -> Delayed:
    """Add one block after another, so that a single sum is held.

    Lanes share no task, not even for what they measure: the scheduler would run all of them where
    that is.
    """
    first, *others = recipes
    lane = delayed(partial(_started, first, measure), pure=False)()
    for recipe in others:
        lane = delayed(partial(_continued, recipe), pure=False)(lane)
    return lane


@dataclass(frozen=True)
class _Total:
    """What was measured so far, and what measures more."""

    measure: Callable[[Block], Measures]
    measures: Measures


def _started(recipe: Recipe, measure: Callable[[Block], Measures]) -> _Total:
    return _Total(measure, measure(recipe()))


def _continued(recipe: Recipe, total: _Total) -> _Total:
    return _joined(total, _started(recipe, total.measure))


def _joined(left: _Total, right: _Total) -> _Total:
    pairs = zip(left.measures, right.measures, strict=True)
    return _Total(left.measure, tuple(one + other for one, other in pairs))


def _measured(recipe: Recipe, measure: Callable[[Block], np.ndarray]) -> np.ndarray:
    return measure(recipe())
