"""NetworkX as a host: its public functions, decorated from outside, so that NetworkX is unchanged.

NetworkX hands every call of a public function to an object that holds the function's own code as
``orig_func``. That is what is decorated here, so `nx.f`, and every name under which any module of
NetworkX knows the same function, reaches it.
"""

import networkx as nx

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="networkx.scverse_backends", host_name="networkx")

# What cannot be decorated, each with the reason that it was given.
refused = {}

for name, public in nx.utils.backends._registered_algorithms.items():  # noqa: SLF001 - there is no other list
    holder = public.__wrapped__
    # NetworkX has a `backend` parameter of its own, so ours selects by the settings alone.
    decorate = dispatcher.backend_dispatch(name=name, selector=None)
    try:
        holder.orig_func = decorate(holder.orig_func)
    except TypeError as error:
        refused[name] = str(error)

__all__ = ["dispatcher", "nx", "refused"]
