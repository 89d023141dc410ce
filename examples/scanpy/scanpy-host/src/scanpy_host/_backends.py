"""Who may run scanpy's functions; scanpy itself would hold this file unchanged."""

from __future__ import annotations

from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(
    entrypoint_group="scanpy.backends",
    host_name="scanpy",
    # Canonical names are those on PyPI: nobody has to guess what to install.
    trusted_backends={
        "rapids-singlecell": {
            "aliases": ["rapids_singlecell", "rsc", "cuda"],
            "package": "rapids-singlecell",
            # The wheels for one CUDA version each have distribution names of their own.
            "distributions": [
                "rapids-singlecell",
                "rapids-singlecell-cu12",
                "rapids-singlecell-cu13",
            ],
            "module_prefixes": ["rapids_singlecell"],
        },
        "scanpy-torch": {
            "aliases": ["torch"],
            "package": "scanpy-torch",
            "module_prefixes": ["scanpy_torch"],
        },
        "scanpy-dask": {
            "aliases": ["dask"],
            "package": "scanpy-dask",
            "module_prefixes": ["scanpy_dask"],
        },
    },
    reserved_backends={
        "gpu": "Several backends compute on GPUs; name one, such as 'rapids-singlecell' or 'torch'."
    },
    # How many processes share the work; the result is the same.
    ignorable=("n_jobs", "parallel"),
)
backend_dispatch = dispatcher.backend_dispatch
