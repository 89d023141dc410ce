"""Everything this library says about backends: where to look, whom to trust, what may be lost."""

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(
    entrypoint_group="example_host.backends",
    host_name="example_host",
    trusted_backends={
        "example_accel": {"aliases": ["accelerated"], "package": "example-host-accel"},
    },
    reserved_backends={"gpu": "Name the backend you mean, such as 'example_accel'."},
    # Neither changes a result, so a backend without them may still take the call.
    ignorable=("n_jobs", "show_progress_bar"),
)
backend_dispatch = dispatcher.backend_dispatch
backend_class = dispatcher.backend_class
settings = dispatcher.settings
