import json

import pytest

ADAPTER = """
name = "fast"
__all__ = ["scale", "pick"]
renames = {"scale": {"factor": "by"}}
def scale(values, by=1.0): ...
def pick(data, at, /, *, seed): ...
def can_run(function, arguments):
    return "zero is not for me" if arguments.get("factor") == 0 else True
"""


@pytest.fixture(autouse=True)
def installed(site, host):
    site.backend("fast", ADAPTER, reference="fast_cells", distribution="fast-cells", group=host)
    site.write(
        "more_cells.py",
        """
        from cells import dispatcher
        @dispatcher.backend_dispatch(selector=None)
        def pick(data, at=0, /, *, seed=0): ...
        @dispatcher.backend_dispatch
        def plot(data, **options): ...
        """,
    )


def test_a_call_that_runs_where_it_was_asked_to_has_status_0(run):
    ran = run("explain", "cells:dispatcher", "scale", "--backend", "fast", "factor=2")
    assert ran.status == 0
    assert ran.out.startswith("scale runs on fast (fast-cells 1.0)\n")
    assert "renamed  values as" not in ran.out
    assert "factor as by" in ran.out


def test_a_silent_fallback_is_told_with_the_reason(run, monkeypatch):
    monkeypatch.setenv("CELLS_BACKEND", "fast")
    monkeypatch.setenv("CELLS_BACKEND_FALLBACK", "silent")
    ran = run("explain", "cells:dispatcher", "cluster")
    assert ran.status == 1
    assert "cluster runs on cpu, the host itself\n" in ran.out
    assert "fast: does not implement it" in ran.out


def test_a_refusal_of_the_adapter_is_told(run):
    ran = run("explain", "cells:dispatcher", "scale", "-b", "fast", "factor=0")
    assert ran.status == 1
    assert "zero is not for me" in ran.out


def test_asking_for_the_host_is_no_fallback(run):
    ran = run("explain", "cells:dispatcher", "cluster", "-b", "cpu")
    assert (ran.status, "cluster runs on cpu" in ran.out) == (0, True)


def test_several_backends_are_asked_in_order(run):
    ran = run("explain", "cells:dispatcher", "cluster", "-b", "fast", "-b", "cpu")
    assert "cluster runs on cpu" in ran.out


def test_an_optional_backend_that_is_left_out_is_told_and_is_no_fallback(run, site, host):
    site.install("torn", entry_points={"torn": "torn"}, group=host, modules={"torn": "1 / 0"})
    ran = run("explain", "cells:dispatcher", "cluster", "-b", "torn?", "-b", "cpu")
    assert ran.status == 0
    assert "left out  torn: could not be loaded: ZeroDivisionError: division by zero" in ran.out
    ran = run("explain", "cells:dispatcher", "scale", "-b", "torn?", "-b", "fast")
    assert (ran.status, ran.out.partition("\n")[0]) == (0, "scale runs on fast (fast-cells 1.0)")


def test_values_are_literals_or_else_text(run):
    words = ["explain", "cells:dispatcher", "scale", "-b", "fast", "--json"]
    assert run(*words, "factor=0").status == 1
    assert run(*words, "factor=zero").status == 0
    assert run(*words, "factor='0'").status == 0


def test_parameters_without_a_name_are_handed_over_too(run):
    words = ["explain", "cells:dispatcher", "pick", "-i", "more_cells", "-b", "fast", "--json"]
    ran = run(*words, "seed=3")
    assert ran.status == 1
    assert "needs 'at'" in ran.out
    ran = run(*words, "seed=3", "at=4")
    assert json.loads(ran.out)["forwarded"] == ["data", "at", "seed"]


def test_a_difference_of_defaults_is_told(run, site, host):
    site.backend(
        "other",
        "name = 'other'\ndef cluster(values, n_clusters=5, *, seed=0): ...",
        reference="other_cells",
        distribution="other-cells",
        group=host,
    )
    ran = run("explain", "cells:dispatcher", "cluster", "-b", "other", "--json")
    assert json.loads(ran.out)["differing_defaults"] == [
        {"parameter": "n_clusters", "host": 8, "backend": 5}
    ]


def test_what_the_host_would_refuse_is_told_with_the_nearest(run):
    ran = run("explain", "cells:dispatcher", "cluster", "n_cluster=3")
    assert ran.status == 1
    assert "fails the host itself does not take 'n_cluster'; did you mean 'n_clusters'?" in ran.said
    ran = run("explain", "cells:dispatcher", "cluster", "zzz=3", "--json")
    assert json.loads(ran.out)["host_refuses"] == "does not take 'zzz'"


def test_a_host_that_takes_any_keyword_refuses_none(run):
    ran = run("explain", "cells:dispatcher", "plot", "-i", "more_cells", "zzz=3")
    assert ran.status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scales"], "cells dispatches no function 'scales'; did you mean 'scale'?"),
        (["zzz"], "no function 'zzz'; known: 'cluster', 'scale'; --import MODULE imports more"),
        (["scale", "factor"], "write arguments as name=value, not 'factor'"),
        (["scale", "3=4"], "write arguments as name=value, not '3=4'"),
        (["scale", "-b", "fest"], "cells has no backend 'fest'. Did you mean 'fast'?"),
        (["scale", "-b", "gpu"], "'gpu' is reserved by cells. Name the one you mean."),
        (["scale", "x=1", "--what"], "unexpected option '--what'"),
        (["scale", "--backnd", "fast"], "unexpected option '--backnd'; did you mean '--backend'?"),
    ],
)
def test_what_makes_no_sense_has_status_2(run, words, message):
    ran = run("explain", "cells:dispatcher", *words)
    assert ran.status == 2
    assert message in ran.err


def test_a_backend_that_is_known_and_not_installed_has_status_1(run, bare):
    ran = run("explain", "bare:dispatcher", "scale", "-b", "fast")
    assert (ran.status, "pip install fast-x" in ran.err) == (1, True)
