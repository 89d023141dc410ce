"""The parameter that selects a backend for one call, and functions that know that name already."""

from __future__ import annotations


def test_a_parameter_of_the_implementation_named_as_the_selector_never_swallows_it(
    dispatcher, offer
):
    func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
    offer(func=lambda data, backend="none": f"mine, told {backend}")
    with dispatcher.settings.use_backend("mine"):
        assert func(1) == "mine, told none"
        assert func(1, backend="cpu") == "host"
        assert func(1, backend="mine") == "mine, told none"


def test_another_selector_leaves_the_name_backend_to_the_functions(dispatcher, offer):
    @dispatcher.backend_dispatch(selector="engine")
    def plot(data, backend="agg"):
        return "host", backend

    offer(plot=lambda data, backend="agg": ("mine", backend))
    assert plot(1, backend="svg") == ("host", "svg")
    assert plot(1, backend="svg", engine="mine") == ("mine", "svg")
    with dispatcher.settings.use_backend("mine"):
        assert plot(1, "svg") == plot(1, backend="svg") == ("mine", "svg")
        assert plot(1, backend="svg", engine="cpu") == ("host", "svg")


def test_without_a_selector_blocks_and_defaults_still_select(dispatcher, offer):
    @dispatcher.backend_dispatch(selector=None)
    def plot(data, **options):
        return "host", options

    offer(plot=lambda data, **options: ("mine", options))
    assert plot(1, backend="svg") == ("host", {"backend": "svg"})
    with dispatcher.settings.use_backend("mine"):
        assert plot(1, backend="svg") == ("mine", {"backend": "svg"})
