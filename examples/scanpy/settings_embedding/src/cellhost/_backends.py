"""Who may run this host's functions."""

from __future__ import annotations

from scverse_backends import BackendDispatcher

# The name is the package's, so that both read environment variables with the same prefix.
dispatcher = BackendDispatcher(entrypoint_group="cellhost.backends", host_name="cellhost")
