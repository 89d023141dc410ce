"""The first thing that works end to end: an installed backend runs a host's function."""

from __future__ import annotations

import pytest

from scverse_backends.exceptions import UntrustedBackendWarning


def test_a_selected_backend_runs_the_call_and_an_unselected_one_is_not_imported(site, dispatcher):
    site.install(
        "my-backend",
        entry_points={"mine": "my_backend.adapter"},
        modules={
            "my_backend.adapter": """
                name = "mine"
                aliases = ["cuda"]
                __all__ = ["double"]
                def double(values): return [2.0 * value for value in values]
            """
        },
    )
    site.install(
        "other-backend",
        entry_points={"other": "other_backend"},
        modules={"other_backend": "name = 'other'"},
    )

    @dispatcher.backend_dispatch
    def double(values):
        return [2 * value for value in values]

    assert double([1]) == [2]
    assert site.imported() == set()
    with pytest.warns(UntrustedBackendWarning, match="my-backend 1.0"):
        assert repr(double([1], backend="mine")) == "[2.0]"
    assert site.imported() == {"my_backend", "my_backend.adapter"}
