"""A host of three functions, and backends that are wrong in the ways that backends are."""

import random
from types import SimpleNamespace

import pytest


@pytest.fixture
def host(dispatcher):
    """Give a host that scales, ranks and samples lists of numbers."""

    @dispatcher.backend_dispatch
    def scale(values, factor=2.0):
        return [value * factor for value in values]

    @dispatcher.backend_dispatch
    def rank(values):
        """Say at which place each value stands."""
        order = sorted(values)
        return [order.index(value) for value in values]

    @dispatcher.backend_dispatch
    def sample(values, *, seed=0):
        return random.Random(seed).sample(values, k=3)  # noqa: S311 - a sample, no secret

    @dispatcher.backend_dispatch
    def clear(values):
        """Set every value to zero, in place."""
        values[:] = [0.0] * len(values)

    return SimpleNamespace(scale=scale, rank=rank, sample=sample, clear=clear)


def right_scale(values, factor=2.0):
    return [value * factor for value in values]


def right_rank(values):
    order = {value: place for place, value in enumerate(sorted(values))}
    return [order[value] for value in values]


def right_sample(values, *, seed=0):
    return random.Random(seed).sample(list(values), k=3)  # noqa: S311 - a sample, no secret


def right_clear(values):
    for place in range(len(values)):
        values[place] = 0.0


def off_scale(values, factor=2.0):
    return [value * factor + 1e-3 for value in values]


def sorting_rank(values):
    given = list(values)
    values.sort()
    return [values.index(value) for value in given]


def heedless_sample(values, *, seed=0):
    return random.Random(17).sample(list(values), k=3)  # noqa: S311 - a sample, no secret


def forgetful_scale(values, factor=2.0):
    right_scale(values, factor)


def copying_clear(values):
    right_clear(list(values))


RIGHT = {
    "scale": right_scale,
    "rank": right_rank,
    "sample": right_sample,
    "clear": right_clear,
}


@pytest.fixture
def backend(dispatcher, host):
    """Register backend ``mine``, right but for what is given: ``backend(scale=off_scale)``."""

    def backend(name="mine", aliases=("my-own",), **functions):
        offered = {**RIGHT, **functions}
        return dispatcher.register(SimpleNamespace(name=name, aliases=aliases, **offered))

    return backend


@pytest.fixture
def wrong():
    """The implementations that are wrong, by what is wrong with them."""
    return SimpleNamespace(
        off=off_scale,
        sorting=sorting_rank,
        heedless=heedless_sample,
        forgetful=forgetful_scale,
        copying=copying_clear,
    )
