"""First: what something costs the first time in a process; prints seconds.

Arguments: the folder of the library, the folder of installed distributions,
and what to time:

``call``      the first call on one of the installed backends
``import``    the import of another, which is what such a call cannot do without
``label``     finding who serves a trusted label
``metadata``  what `importlib.metadata` itself needs to read the group
"""

import sys
import warnings
from importlib import import_module
from time import perf_counter

from installed import GROUP

library, site, what = sys.argv[1:]
sys.path[:0] = [library, site]
warnings.simplefilter("ignore")

from scverse_backends import BackendDispatcher  # noqa: E402 - from the folder just named

dispatcher = BackendDispatcher(
    entrypoint_group=GROUP,
    host_name="bench_host",
    trusted_backends={"accel4": {"package": "bench_accel4"}},
)


@dispatcher.backend_dispatch
def one(x):
    return x


def label():
    dispatcher.settings.use_backend("accel4")


def metadata():
    entry_points(group=GROUP)


ACTIONS = {
    "call": lambda: one(1, backend="accel4"),
    "import": lambda: import_module("bench_accel5"),
    "label": label,
    "metadata": metadata,
}
if what in ("label", "metadata"):
    # Both need this module, and neither is measured by how long it takes to import.
    from importlib.metadata import entry_points
begun = perf_counter()
ACTIONS[what]()
print(perf_counter() - begun)
