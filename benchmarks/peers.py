"""Peers: other ways to dispatch the same one-argument function; prints seconds as JSON."""

from __future__ import annotations

import json
from functools import singledispatch

import networkx as nx
import pluggy
import plum
from rounds import fastest

from scverse_backends import BackendDispatcher


def one(x):
    return x


def pluggy_hook():
    """Give the hook of a plugin manager that one plugin serves."""
    spec, impl = pluggy.HookspecMarker("bench"), pluggy.HookimplMarker("bench")

    class Spec:
        @spec(firstresult=True)
        def one(self, x): ...

    class Plugin:
        @impl
        def one(self, x):
            return x

    manager = pluggy.PluginManager("bench")
    manager.add_hookspecs(Spec)
    manager.register(Plugin())
    return manager.hook.one


# Its name is private, and NetworkX's own functions are all made by it.
nx_function = nx._dispatchable(graphs=None, name="bench_one")  # noqa: SLF001


def plum_function():
    def one(x: int):
        return x

    return plum.Dispatcher()(one)


dispatcher = BackendDispatcher(entrypoint_group="bench_peers.backends", host_name="bench_peers")
CASES = {
    "scverse-backends": ("f(1)", {"f": dispatcher.backend_dispatch(one)}),
    "scverse-backends, keyword": ("f(x=1)", {"f": dispatcher.backend_dispatch(one)}),
    "singledispatch": ("f(1)", {"f": singledispatch(one)}),
    "plum": ("f(1)", {"f": plum_function()}),
    "pluggy": ("f(x=1)", {"f": pluggy_hook()}),
    "NetworkX": ("f(1)", {"f": nx_function(one)}),
}
print(json.dumps(fastest(CASES)))
