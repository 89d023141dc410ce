"""What a decision shows of itself: where the call runs, why, and what is not as on the host."""

import pytest


@pytest.fixture(autouse=True)
def installed(fast):
    """A backend with a default of its own."""


def test_a_call_on_the_host(settings, scale):
    assert repr(settings.explain(scale, [1])).splitlines() == [
        "scale runs on cpu, the host itself",
        "  because  nothing is selected",
    ]


def test_a_call_on_a_backend_says_whose_defaults_apply_and_what_is_ignored(settings, scale):
    decision = settings.explain(scale, [1], n_jobs=4, backend="fast")
    assert str(decision).splitlines() == [
        "scale runs on fast (fast-backend 1.2)",
        "  because  selected by the call's own argument",
        "  ignored  n_jobs",
        "  default  factor=2.0 (host: 1.0)",
    ]


def test_a_call_that_a_backend_refuses_tells_why(settings, scale):
    shown = " ".join(repr(settings.explain(scale, [1], copy=False, backend="fast")).split())
    assert shown.startswith("scale runs on cpu, the host itself")
    assert "skipped fast: does not take 'copy'" in shown


def test_an_argument_that_goes_by_another_name_is_shown(dispatcher, offer, settings, scale):
    with offer(renames={"scale": {"factor": "by"}}, scale=lambda values, by=1.0: None):
        decision = settings.explain(scale, [1], 3, backend="mine")
    assert repr(decision).splitlines()[0] == "scale runs on mine"
    assert "  renamed  factor as by" in repr(decision).splitlines()


def test_values_are_shown_short_and_whatever_their_repr_does(dispatcher, offer, settings):
    class Rude:
        def __repr__(self):
            raise RuntimeError("no")

    fill = dispatcher.backend_dispatch(name="fill")(lambda a=None, b=None, c=None: None)
    rude = Rude()
    with offer(fill=lambda a="x" * 500, b=rude, c="one\ntwo": None):
        lines = repr(settings.explain(fill, backend="mine")).splitlines()
    assert max(map(len, lines)) < 100
    assert "  default  b=<Rude, whose repr raises RuntimeError> (host: None)" in lines
    assert r"  default  c='one\ntwo' (host: None)" in lines


def test_a_notebook_is_told_the_same_and_no_markup_of_others_is_let_in(
    read, dispatcher, offer, settings
):
    mark = dispatcher.backend_dispatch(name="mark")(lambda text=None: None)
    with offer(
        mark=lambda text="<b>&</b>": None,
        can_run=lambda name, arguments: "text" not in arguments or "<script>alert('x')</script>",
    ):
        taken = settings.explain(mark, backend="mine")
        refused = settings.explain(mark, "x", backend="mine")
    for decision in (taken, refused):
        elements, text = read(decision._repr_html_())
        assert not {"b", "script"} & set(elements)
        assert set(repr(decision).split()) <= set(text.split())


def test_a_page_brings_its_own_style_and_asks_nothing_of_others(settings, scale):
    html = settings.explain(scale, [1])._repr_html_()
    assert "<style>" in html
    assert not any(fetching in html for fetching in ("http", "url(", "src=", "@import", "<link"))
