"""What scanpy would write: options of its dispatcher, and of one of its 24 decorators."""

# The dispatcher's options, as in BackendDispatcher(**HOST_WIDE).
HOST_WIDE = {
    "entrypoint_group": "scanpy.backends",
    "host_name": "scanpy",
    "trusted_backends": {
        "rapids-singlecell": {"aliases": ["rapids", "cuda"], "package": "rapids-singlecell"},
    },
    "reserved_backends": {"gpu": "Name a backend, such as 'rapids-singlecell'."},
    # How fast a result comes, not what it is.
    "ignorable": ("n_jobs",),
    # One parameter, which scanpy renames: backends follow when they can.
    "parameter_aliases": {"random_state": "rng"},
}

# The decorators' options, as in @backend_dispatch(name="tl.leiden", ignorable=["flavor"]).
PER_FUNCTION = {
    # Which package clusters; every backend is one more.
    "tl.leiden": {"ignorable": ["flavor"]},
}
