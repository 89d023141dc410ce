"""A host whose functions say where they ran, and two installed backends for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from scverse_backends import BackendDispatcher, Settings

ADAPTER = """
    name = {name!r}
    aliases = {aliases!r}
    __all__ = ["where", "through", "where_async", "through_async"]
    def where(): return {name!r}
    def through(call): return call()
    async def where_async(): return {name!r}
    async def through_async(call): return await call()
"""


@dataclass(frozen=True)
class Host:
    """A host of four functions that backends offer too, and of two that only it has."""

    dispatcher: BackendDispatcher
    where: Callable[..., str]
    through: Callable[..., Any]
    where_async: Callable[..., Any]
    through_async: Callable[..., Any]
    only_here: Callable[..., Any]
    only_here_async: Callable[..., Any]

    @property
    def settings(self) -> Settings:
        return self.dispatcher.settings


def build_host(dispatcher: BackendDispatcher) -> Host:
    def where():
        return "cpu"

    def through(call):
        return call()

    async def where_async():
        return "cpu"

    async def through_async(call):
        return await call()

    def only_here(call):
        return call()

    async def only_here_async(call):
        return await call()

    functions = (where, through, where_async, through_async, only_here, only_here_async)
    return Host(dispatcher, *map(dispatcher.backend_dispatch, functions))


@pytest.fixture
def install(site):
    """Install a backend under a name, as distribution ``NAME-backend`` with module ``NAME_backend``."""

    def install(name, *aliases, source=ADAPTER, **options):
        module = f"{name.lower().replace('-', '_').replace('.', '_')}_backend"
        site.install(
            module.replace("_", "-"),
            entry_points={name: module},
            modules={module: source.format(name=name, aliases=aliases)},
            **options,
        )
        return module

    return install


@pytest.fixture
def backends(install):
    """Install the backends ``mine``, alias ``cuda``, and ``other``, alias ``jax``."""
    return install("mine", "cuda"), install("other", "jax")


@pytest.fixture
def make_host(make_dispatcher):
    """Make hosts that let untrusted backends run without a word, configured as a test likes."""

    def make(**options):
        return build_host(make_dispatcher(**{"untrusted": "allow"} | options))

    return make


@pytest.fixture
def host(make_host):
    """Give a host with nothing else configured."""
    return make_host()
