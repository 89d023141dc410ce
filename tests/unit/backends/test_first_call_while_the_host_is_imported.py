"""A call while the host is still being imported may fail; once the import has ended, it works."""

import sys

import pytest

from scverse_backends.exceptions import BackendLoadError


@pytest.mark.parametrize("reference", ["atlas_sumo", "atlas_sumo:Adapter"])
def test_a_backend_that_imports_the_host_works_after_a_call_that_came_too_early(
    site, monkeypatch, reference
):
    site.write(
        "atlas/__init__.py",
        """
        from scverse_backends import BackendDispatcher
        dispatcher = BackendDispatcher(entrypoint_group="atlas.backends", host_name="atlas")

        @dispatcher.backend_dispatch
        def double(value): return "host"

        try: double(1)
        except ImportError as error: early = error
        from .late import helper
        """,
    )
    site.write("atlas/late.py", "def helper(): return 'helped'")
    source = """
        from atlas import helper
        name = "sumo"
        def double(value): return helper()
        class Adapter:
            name = "sumo"
            def double(self, value): return helper()
    """
    site.install(
        "atlas-sumo",
        group="atlas.backends",
        entry_points={"sumo": reference},
        modules={"atlas_sumo": source},
    )
    monkeypatch.setenv("ATLAS_BACKEND", "sumo")
    monkeypatch.setattr("warnings.filters", [])

    import atlas

    assert isinstance(atlas.early, BackendLoadError)
    assert atlas.double(1) == "helped"
    assert "atlas_sumo" in sys.modules
