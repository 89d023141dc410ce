"""Wrong settings: every checker must object to each marked line, and to no other."""

from scverse_backends import BackendDispatcher

BackendDispatcher(host_name="host")  # rejected
BackendDispatcher(entrypoint_group="g", host_name="h", fallback="quiet")  # rejected
BackendDispatcher(entrypoint_group="g", host_name="h", untrusted="maybe")  # rejected
BackendDispatcher(entrypoint_group="g", host_name="h", trusted_backends=["cuda"])  # rejected

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
settings = dispatcher.settings

settings.backend = 3  # rejected
settings.backends = 3  # rejected
settings.fallback = "quiet"  # rejected
settings.backned = "cuda"  # rejected
settings.use_backend(3)  # rejected
settings.observe(3)  # rejected
settings.trace().summary("lines")  # rejected
settings.use_backend("cuda", fallback="quiet")  # rejected
