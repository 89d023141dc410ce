"""Start: what a host with 24 functions pays at import; run once for each measurement.

Arguments: the folder that the library is imported from, or ``bare`` for a host
without it.
"""

import sys

FUNCTIONS = 24
SOURCE = "@backend_dispatch\ndef f{}(a, b, c, d=1, e=2, f=3, *, g=4, h=5, i=6, j=7): 'Doc.'\n"


def undecorated(func):
    return func


backend_dispatch = undecorated
if sys.argv[1] != "bare":
    sys.path.insert(0, sys.argv[1])
    from scverse_backends import BackendDispatcher

    made = BackendDispatcher(entrypoint_group="bench_start.backends", host_name="bench_start")
    backend_dispatch = made.backend_dispatch
names = {"backend_dispatch": backend_dispatch}
exec("".join(map(SOURCE.format, range(FUNCTIONS))), names)  # noqa: S102 - our own lines
