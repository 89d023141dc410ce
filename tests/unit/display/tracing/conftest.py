"""A host whose functions call one another, and two backends registered in this process."""

import asyncio
from types import SimpleNamespace

import pytest


@pytest.fixture
def host(dispatcher):
    """A host of plain, coroutine and generator functions."""
    dispatch = dispatcher.backend_dispatch

    @dispatch
    def scale(values, *, factor=2, then=None, host_only=None):
        if then is not None:
            then()
        return [factor * value for value in values]

    @dispatch
    def pipeline(values, *, then=None):
        return scale(scale(values), then=then)

    @dispatch
    def fails(message):
        raise ValueError(message)

    @dispatch
    async def fetch(values, *, then=None):
        await asyncio.sleep(0)
        return scale(values) if then is None else await then()

    @dispatch
    def rows(count, *, host_only=None):
        for number in range(count):
            yield scale([number])

    return SimpleNamespace(
        dispatcher=dispatcher,
        settings=dispatcher.settings,
        scale=scale,
        pipeline=pipeline,
        fails=fails,
        fetch=fetch,
        rows=rows,
    )


class Fast:
    """Implements most of the host, with a default and an option of its own."""

    name = "fast"
    renames = {"scale": {"values": "array"}}  # noqa: RUF012 - adapters are written so

    def scale(self, array, *, factor=3, then=None, chunk=10):
        if then is not None:
            then()
        return [factor * value for value in array]

    def fails(self, message):
        raise KeyError(message)

    async def fetch(self, values, *, then=None):
        await asyncio.sleep(0)
        return ["fast", *values] if then is None else await then()

    def rows(self, count):
        yield from range(count)


class Picky:
    """Declines every call, with a reason."""

    name = "picky"

    def can_run(self, function, arguments):
        return f"{function} is beneath me"

    def scale(self, values, *, factor=2, then=None):
        raise AssertionError


@pytest.fixture
def backends(host):
    """Register both."""
    with host.dispatcher.register(Fast), host.dispatcher.register(Picky):
        yield
