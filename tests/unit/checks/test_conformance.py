"""A host's checks of single functions, run against one backend."""

import json
import pickle
import unittest
from functools import partial
from types import SimpleNamespace

import pytest

from scverse_backends.testing import compare, run_conformance


@pytest.fixture
def run(dispatcher):
    """Run checks of ``mine``, and go on after a failure."""

    def run(tests):
        options = {"backend_name": "mine", "dispatcher": dispatcher, "raise_on_failure": False}
        return run_conformance(tests=tests, **options)

    return run


@pytest.fixture
def checks(dispatcher, host):
    """What a host's maintainer would ship: a check of each function."""

    def close(ours, theirs):
        return ours == pytest.approx(theirs, rel=1e-6)

    def check_scale(backend):
        compare(dispatcher, backend, host.scale, [1.0, 2.0]).check(close)

    def check_rank(backend):
        compare(dispatcher, backend, host.rank, [3.0, 1.0, 2.0]).check(close)

    def check_sample(backend):
        values = list(range(1000))
        drawn = [host.sample(values, seed=seed, backend=backend) for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1], "the same seed gives two samples"
        assert drawn[0] != drawn[2], "two seeds give the same sample"

    def check_clear(backend):
        compare(dispatcher, backend, host.clear, [1.0]).check(close)

    return {
        "scale": check_scale,
        "rank": check_rank,
        "sample": check_sample,
        "clear": check_clear,
    }


def test_a_right_backend_passes_every_check(dispatcher, checks, backend):
    backend()
    report = run_conformance(backend_name="my_own", tests=checks, dispatcher=dispatcher)
    assert report == dict.fromkeys(checks, "PASSED")
    assert report.passed == tuple(checks)
    assert all(result.duration > 0 for result in report.results)


@pytest.mark.parametrize(
    ("fault", "function", "message"),
    [
        ("off", "scale", "scale: the result is not the same"),
        ("forgetful", "scale", "scale: the result is not the same.*gives None"),
        ("sorting", "rank", "rank: argument 'values', changed by backend 'mine', is not the same"),
        ("heedless", "sample", "two seeds give the same sample"),
        ("copying", "clear", "clear: argument 'values', changed by the host, is not the same"),
    ],
)
def test_a_wrong_backend_fails_the_check_of_what_is_wrong_and_no_other(
    run, checks, backend, wrong, fault, function, message
):
    backend(**{function: getattr(wrong, fault)})
    report = run(checks)
    assert report.failed == (function,)
    assert report.passed == tuple(name for name in checks if name != function)
    assert report[function].startswith("FAILED: ")
    (result,) = (result for result in report.results if result.outcome == "failed")
    with pytest.raises(AssertionError, match=message):
        raise result.error


class TestACheckInWhichTheBackendNeverRan:
    @pytest.fixture
    def text(self, run, host, backend):
        """Run one check and say what the report says of it."""
        backend(scale=lambda values: values)

        def text(function, check):
            return run({function: check})[function]

        return text

    def test_a_check_fails_if_it_does_not_use_the_backend(self, host, text):
        assert text("rank", lambda backend: host.rank([1.0])) == (
            "FAILED: backend 'mine' ran no call of 'rank': it ran on 'cpu' (nothing is selected)."
        )

    def test_a_check_fails_if_the_backend_declines(self, dispatcher, host, text):
        dispatcher.settings.fallback = "silent"
        assert text("scale", lambda backend: host.scale([1.0], 3.0, backend=backend)) == (
            "FAILED: backend 'mine' ran no call of 'scale': it ran on 'cpu' "
            "(backend 'mine' does not take 'factor')."
        )

    def test_a_check_fails_if_the_backend_ran_another_function_only(self, host, text):
        assert text("clear", lambda backend: host.rank([1.0], backend=backend)).startswith(
            "FAILED: backend 'mine' ran no call of 'clear': it was called nowhere"
        )


def test_without_a_dispatcher_nobody_knows_whether_the_backend_ran(dispatcher, host, backend):
    backend()
    report = run_conformance(
        backend_name="mine",
        tests={"rank": lambda backend: host.rank([1.0])},
        get_backend=dispatcher.get_backend,
    )
    assert report == {"rank": "PASSED"}


class TestAsRelease003DocumentsIt:
    @pytest.fixture
    def run(self):
        adapter = SimpleNamespace(
            name="mine", scale=lambda values: values, rank=lambda values: values, absent=None
        )
        get_backend = {"mine": adapter, "my-own": adapter}.get
        return partial(run_conformance, get_backend=get_backend, backend_name="mine")

    def test_a_check_is_given_the_label_it_was_run_for(self, run):
        seen = []
        found = run(backend_name="my-own", tests={"scale": seen.append})
        assert (found, seen) == ({"scale": "PASSED"}, ["my-own"])

    def test_what_the_backend_does_not_implement_is_skipped(self, run):
        tests = {"scale": str, "umap": str, "absent": str}
        found = run(tests=tests)
        assert found == {
            "scale": "PASSED",
            "umap": "SKIPPED (not implemented)",
            "absent": "SKIPPED (not implemented)",
        }
        assert found.skipped == ("umap", "absent")

    def test_the_first_failure_is_raised(self, run):
        seen = []
        with pytest.raises(ValueError, match="could not convert"):
            run(tests={"scale": float, "rank": seen.append})
        assert seen == []

    def test_functions_restrict_the_run(self, run):
        tests = {"scale": str, "rank": str}
        for wanted, expected in [(["rank"], ["rank"]), ([], []), (("rank", "scale"), [*tests])]:
            found = run(tests=tests, functions=wanted)
            assert list(found) == expected

    @pytest.mark.parametrize(
        ("functions", "message"),
        [
            (["rnak"], "no check of 'rnak'. Did you mean 'rank'"),
            (["x"], "Known: 'rank'"),
            ("rank", "several"),
        ],
    )
    def test_functions_that_have_no_check_are_an_error(self, run, functions, message):
        with pytest.raises(ValueError, match=message):
            run(tests={"rank": str}, functions=functions)

    @pytest.mark.parametrize("label", ["cuda", "cpu"])
    def test_a_backend_that_is_not_there_is_an_error(self, run, label):
        with pytest.raises(ValueError, match=f"no backend '{label}'"):
            run(backend_name=label, tests={})

    def test_a_backend_that_is_not_installed_is_an_error(self, make_dispatcher):
        dispatcher = make_dispatcher(trusted_backends={"cuda": {"package": "example-cuda"}})
        with pytest.raises(ValueError, match="pip install example-cuda"):
            run_conformance(backend_name="cuda", tests={}, get_backend=dispatcher.get_backend)

    def test_a_program_that_ends_is_not_kept_from_it(self, run):
        def leave(backend):
            raise SystemExit(2)

        with pytest.raises(SystemExit):
            run(tests={"scale": leave}, raise_on_failure=False)


def test_conformance_needs_a_dispatcher_or_get_backend():
    with pytest.raises(TypeError, match=r"get_backend=\.\.\. or dispatcher="):
        run_conformance(backend_name="mine", tests={})


def test_a_check_of_a_function_that_is_not_dispatched_is_an_error(dispatcher, checks, backend):
    backend()
    with pytest.raises(ValueError, match=r"no dispatched function 'scales'\. Did you mean 'scale'"):
        run_conformance(
            backend_name="mine", tests={"scales": checks["scale"]}, dispatcher=dispatcher
        )


def test_a_function_that_is_promised_and_cannot_be_had_fails(run, dispatcher, host, checks):
    dispatcher.register(SimpleNamespace(name="mine", __all__=["scale"]))
    report = run(checks)
    assert "cannot be fetched" in report["scale"]
    assert report["rank"] == "SKIPPED (not implemented)"


@pytest.mark.parametrize("skip", [unittest.SkipTest, pytest.skip], ids=["unittest", "pytest"])
def test_a_check_may_skip_itself(run, host, backend, skip):
    backend()

    def check(backend):
        raise skip("no gpu")

    assert run({"scale": check}) == {"scale": "SKIPPED (no gpu)"}


def test_a_failure_of_pytests_own_is_one(run, backend):
    backend()
    report = run({"scale": lambda backend: pytest.fail("too slow")})
    assert report == {"scale": "FAILED: too slow"}


class TestTheReport:
    @pytest.fixture
    def report(self, run, checks, backend, wrong):
        backend(scale=wrong.off, rank=None)
        return run(checks)

    def test_the_report_is_a_dictionary_to_those_who_want_one(self, report):
        assert isinstance(report, dict)
        assert json.loads(json.dumps(report)) == {**report}
        assert repr(report) == repr(dict(report))
        assert all(type(text) is str for text in report.values())

    def test_the_report_reads_as_a_table(self, report):
        first, *lines = str(report).splitlines()
        assert first == "mine: 2 passed, 1 failed, 1 skipped"
        assert lines[0].startswith("  scale   FAILED: scale: the result")
        assert lines[1] == "  rank    SKIPPED (not implemented)"

    def test_the_report_is_written_as_json(self, report):
        data = json.loads(report.to_json())
        assert data["backend"] == "mine"
        found = {result["function"]: result for result in data["results"]}
        assert found["scale"]["error"] == "AssertionError"
        assert (found["clear"]["outcome"], found["clear"]["error"]) == ("passed", None)

    def test_the_report_pickles(self, report):
        copied = pickle.loads(pickle.dumps(report))
        assert (copied, copied.backend, copied.failed) == (report, "mine", ("scale",))
        assert copied.results[0].duration == report.results[0].duration
