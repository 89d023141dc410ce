"""The plugin for pytest, used as a host or a backend uses it: in a process of its own."""

import json

import pytest

pytest_plugins = ["pytester"]
# Of the tests inside, which would be warned by the rules of those around them.
pytestmark = pytest.mark.filterwarnings("default")

HOST = """
    from scverse_backends import BackendDispatcher
    dispatcher = BackendDispatcher(
        entrypoint_group="tiny.backends", host_name="tiny"
    )
    settings = dispatcher.settings
    @dispatcher.backend_dispatch
    def double(values, *, copy=True):
        return [2 * value for value in values]
    @dispatcher.backend_dispatch
    def halve(values):
        return [value / 2 for value in values]
    @dispatcher.backend_dispatch
    def total(values):
        return sum(values)
"""
# Declines `copy`, is wrong about halves, and lacks `total`.
QUICK = """
    name = "quick"
    aliases = ["q"]
    __all__ = ["double", "halve"]
    def double(values):
        return [value + value for value in values]
    def halve(values):
        if not values:
            raise ValueError("nothing to halve")
        return [value // 2 for value in values]
"""
TESTS = """
    import pytest
    import tiny
    @pytest.mark.parametrize("value", [1, 2])
    def test_double(value):
        assert tiny.double([value]) == [2 * value]
    def test_double_in_place():
        assert tiny.double([1], copy=False) == [2]
    class TestHalve:
        def test_even(self):
            assert tiny.halve([2]) == [1]
        def test_odd(self):
            assert tiny.halve([1]) == [0.5]
        def test_none(self):
            assert tiny.halve([]) == []
    def test_total():
        assert tiny.total(tiny.double([1])) == 2
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Load no plugin that happens to be installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def install(pytester):
    """Install a backend where the tests run."""

    def install(name, source, distribution=None):
        pytester.makepyfile(**{f"{name}_tiny": source})
        info = pytester.mkdir(f"{name}_tiny-1.5.dist-info")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}-tiny\nVersion: 1.5\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(
            f"[tiny.backends]\n{name} = {name}_tiny\n", encoding="utf-8"
        )

    return install


@pytest.fixture
def run(pytester, install):
    """Run tests of the host in a process of their own."""
    pytester.makepyfile(tiny=HOST)
    install("quick", QUICK)

    def run(*arguments):
        plugin = ("-p", "scverse_backends.pytest_plugin", "-p", "no:cacheprovider")
        pytester.syspathinsert()
        start = (
            pytester.runpytest_subprocess if "xdist" in arguments else pytester.runpytest_inprocess
        )
        return start(*plugin, "-rA", *arguments)

    return run


UNDER_QUICK = ("--backend=q", "--backend-dispatcher=tiny:dispatcher")


def counts(file):
    return json.loads(file.read_text(encoding="utf-8"))["functions"]


def write_ini(pytester, **lists):
    lines = (f"{name} =\n  " + "\n  ".join(entries) for name, entries in lists.items())
    pytester.makeini("\n".join(["[pytest]", "backend_dispatcher = tiny:dispatcher", *lines]))


def write_toml(pytester, **lists):
    lines = (f"{name} = {json.dumps(entries)}" for name, entries in lists.items())
    pytester.makepyprojecttoml(
        "\n".join(["[tool.pytest.ini_options]", 'backend_dispatcher = "tiny:dispatcher"', *lines])
    )


class TestARunUnderABackend:
    @pytest.fixture(autouse=True)
    def _tests(self, pytester):
        pytester.makepyfile(test_tiny=TESTS)

    def test_the_hosts_own_tests_run_on_it_and_each_function_is_accounted_for(self, run, pytester):
        result = run(*UNDER_QUICK, "--backend-report=report.json")

        result.assert_outcomes(passed=5, failed=2)
        result.stdout.fnmatch_lines(
            [
                "backend: quick (quick-tiny 1.5, which the host does not trust); * silent",
                "*calls under 'quick'*",
                "function  ran  raised  fell back  host  declined",
                "double    3    0       1          0     does not take 'copy' (1)",
                "halve     3    1       0          0",
                "total     0    0       1          0     does not implement it (1)",
            ]
        )
        report = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))
        assert report["backends"] == [
            {"name": "quick", "distribution": "quick-tiny", "version": "1.5"}
        ]
        assert (report["ran"], report["fallback"], report["unmatched"]) == (6, "silent", [])
        assert report["functions"]["double"] == {
            "ran": 3,
            "raised": 0,
            "fell_back": 1,
            "host": 0,
            "missing": 0,
            "declined": {"does not take 'copy'": 1},
        }
        assert report["tests"]["test_tiny.py::TestHalve::test_odd"] == "failed"
        assert report["tests"]["test_tiny.py::test_double[1]"] == "passed"

    def test_workers_of_xdist_report_to_the_process_that_sums_up(self, run, pytester):
        run(*UNDER_QUICK, "--backend-report=made/alone.json")

        result = run(*UNDER_QUICK, "-p", "xdist", "-n", "2", "--backend-report=workers.json")

        result.assert_outcomes(passed=5, failed=2)
        result.stdout.fnmatch_lines(["halve     3    1       0          0"])
        alone, workers = pytester.path / "made" / "alone.json", pytester.path / "workers.json"
        assert counts(alone) == counts(workers)

    def test_without_an_option_nothing_happens(self, run):
        result = run()

        result.assert_outcomes(passed=7)
        result.stdout.no_fnmatch_line("*calls under*")

    def test_the_loopback_needs_no_installation(self, run):
        result = run("--backend=loopback", "--backend-dispatcher=tiny:dispatcher")

        result.assert_outcomes(passed=7)
        result.stdout.fnmatch_lines(["backend: loopback (this process); fallback: silent"])
        result.stdout.fnmatch_lines(["double    4    0       0          0"])

    def test_several_backends_are_asked_in_turn(self, run):
        result = run("--backend=quick,loopback", "--backend-dispatcher=tiny:dispatcher")

        result.assert_outcomes(passed=5, failed=2)
        result.stdout.fnmatch_lines(
            ["double    4    0       0          0     does not take 'copy' (1)"]
        )

    def test_what_a_test_asks_of_another_backend_is_not_counted_as_declined(
        self, run, install, pytester
    ):
        install("other", "name = 'other'")
        pytester.makepyfile(
            test_other="""
                import tiny
                def test_both():
                    assert tiny.double([1], backend=["other", "quick"]) == [2]
            """
        )

        result = run(*UNDER_QUICK, "test_other.py")

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["double    1    0       0          0"])

    def test_a_policy_may_refuse_to_fall_back(self, run):
        result = run(*UNDER_QUICK, "--backend-fallback=error", "-k", "total or place")

        result.assert_outcomes(failed=2)
        result.stdout.fnmatch_lines(["*BackendFallbackError*does not implement it*"])

    def test_a_run_fails_if_the_backend_never_ran(self, run):
        result = run(*UNDER_QUICK, "-k", "test_double_in_place")

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["FAILED: the backend never ran"])
        assert result.ret == pytest.ExitCode.TESTS_FAILED

    def test_a_run_fails_with_xdist_if_the_backend_never_ran(self, run):
        result = run(*UNDER_QUICK, "-k", "test_double_in_place", "-p", "xdist", "-n", "2")

        result.assert_outcomes(passed=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED

    def test_an_optional_backend_that_does_not_load_is_left_out(self, run, install):
        install("torn", "1 / 0")

        result = run("--backend=torn?,q", *UNDER_QUICK[1:], "-k", "test_double_in_place or even")

        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines(["backend: quick *left out 'torn' could not be loaded: Zero*"])

    def test_a_run_on_the_host_alone_is_none_that_failed_if_that_was_allowed(self, run, install):
        install("torn", "1 / 0")

        result = run("--backend=torn?,cpu", *UNDER_QUICK[1:], "-k", "test_double_in_place")

        assert result.ret == pytest.ExitCode.OK

    def test_what_was_selected_by_function_before_is_put_back(self, run, pytester):
        pytester.makepyfile(
            conftest="""
                import pytest, tiny
                tiny.settings.backend = {"halve": "cpu"}
                @pytest.hookimpl(trylast=True)
                def pytest_sessionfinish():
                    print("afterwards", dict(tiny.settings.by_function))
            """
        )

        result = run(*UNDER_QUICK, "-s", "-k", "even")

        result.stdout.fnmatch_lines(["*afterwards {'halve': ('cpu',)}*"])

    def test_collecting_alone_is_no_run(self, run):
        result = run(*UNDER_QUICK, "--collect-only", "--backend-report=report.json")

        assert result.ret == pytest.ExitCode.OK
        result.stdout.no_fnmatch_line("*never ran*")

    def test_what_is_missing_may_be_reported_as_xfail(self, run, pytester):
        pytester.makepyfile(
            test_missing="""
                import tiny
                def test_fails_on_the_host():
                    assert tiny.total([1]) == 2
                def test_fails_with_the_backend():
                    assert tiny.total(tiny.halve([1])) == 0.5
                def test_calls_what_the_host_implements_with_what_is_missing():
                    assert tiny.total_of_halves([2]) == 1
            """
        )
        pytester.makepyfile(
            tiny=HOST
            + """
    @dispatcher.backend_dispatch
    def total_of_halves(values):
        return total(halve(values))
"""
        )

        result = run(*UNDER_QUICK, "--backend-xfail-missing", "-k", "total or missing or even")

        result.assert_outcomes(passed=1, failed=1, xfailed=3)
        result.stdout.fnmatch_lines(
            [
                "XFAIL test_missing.py::test_fails_on_the_host - the backend does not * 'total'",
                "XFAIL test_tiny.py::test_total - the backend does not implement 'total'",
                "FAILED test_missing.py::test_fails_with_the_backend*",
            ]
        )

    def test_what_a_backend_asks_of_the_host_is_not_missing_from_it(self, run, install, pytester):
        install(
            "caller",
            """
            name = "caller"
            def halve(values):
                import tiny
                return [value / tiny.total([2]) for value in values]
            """,
        )

        result = run(
            "--backend=caller",
            "--backend-dispatcher=tiny:dispatcher",
            "--backend-xfail-missing",
            "-k",
            "even",
        )

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["total     0    0       1 * does not implement it (1)"])

    @pytest.mark.parametrize("write", [write_ini, write_toml], ids=["ini", "toml"])
    def test_the_author_says_where_the_backend_is_wrong_and_what_does_not_apply(
        self, run, pytester, write
    ):
        write(
            pytester,
            backend_wrong=[
                "TestHalve::test_odd - rounds down",
                "test_tiny.py::TestHalve::test_even - rounds down too",
                "test_gone.py - was there once",
            ],
            backend_inapplicable=[
                "test_double - needs no test",
                "test_none - an empty list is an error here",
            ],
        )

        result = run("--backend=quick")

        result.assert_outcomes(passed=2, xfailed=1, failed=1, skipped=3)
        result.stdout.fnmatch_lines(
            [
                "no test that ran matches 'test_gone.py'",
                "XFAIL test_tiny.py::TestHalve::test_odd - the backend is wrong: rounds down*",
                "FAILED test_tiny.py::TestHalve::test_even*",
            ]
        )
        result.stdout.fnmatch_lines(["*XPASS(strict)*rounds down too*"])
        result.stdout.fnmatch_lines(["*does not apply to the backend: needs no test"])

    def test_the_backend_is_selected_for_every_thread_and_anew_for_every_test(self, run, pytester):
        pytester.makepyfile(
            test_threads="""
                from concurrent.futures import ThreadPoolExecutor
                import pytest
                import tiny
                @pytest.fixture(scope="session")
                def prepared():
                    return tiny.halve([3])
                def test_thread(prepared):
                    assert prepared == [1]
                    with ThreadPoolExecutor() as pool:
                        assert pool.submit(tiny.halve, [3]).result() == [1]
                    tiny.settings.backend, tiny.settings.fallback = "cpu", "error"
                def test_next():
                    assert tiny.settings.backend == "quick"
                    assert tiny.settings.fallback == "silent"
                    assert tiny.halve([3]) == [1]
                    with tiny.settings.use_backend("cpu"):
                        assert tiny.halve([3]) == [1.5]
            """
        )

        result = run(*UNDER_QUICK, "test_threads.py")

        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines(["halve     2    0       0          1"])

    def test_a_host_with_such_an_option_of_its_own_can_be_run_too(self, run, pytester, monkeypatch):
        pytester.makeconftest(
            "def pytest_addoption(parser): parser.addoption('--backend', default='theirs')"
        )
        monkeypatch.setenv("SCVERSE_BACKENDS_PYTEST_PREFIX", "scverse-")

        result = run(
            "--scverse-backend=quick", "--scverse-backend-dispatcher=tiny:dispatcher", "-k", "even"
        )

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["halve     1    0       0          0"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend=quick"], "*which host? Give --backend-dispatcher module:attribute*"),
        (
            ["--backend=quick", "--backend-dispatcher=tyni:dispatcher"],
            "*cannot import 'tyni' (ModuleNotFoundError*",
        ),
        (
            ["--backend=quick", "--backend-dispatcher=tiny"],
            "*name the dispatcher as module:attribute; there is tiny:dispatcher*",
        ),
        (
            ["--backend=quicke", "--backend-dispatcher=tiny:dispatcher"],
            "*tiny has no backend 'quicke'. Did you mean 'quick'?*",
        ),
        (
            ["--backend=loopback,,", "--backend-dispatcher=tiny:dispatcher"],
            "*not a valid backend name*",
        ),
    ],
)
def test_a_wrong_command_says_what_is_wrong(run, arguments, message):
    result = run(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_tests_of_backends_without_a_dispatcher_say_what_is_missing(run, pytester):
    pytester.makepyfile(test_tiny="def test_by_name(backend_name): pass")

    result = run()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["which host? Give --backend-dispatcher module:attribute*"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_an_environment_that_selects_what_is_not_there_is_told_so(run, monkeypatch):
    monkeypatch.setenv("TINY_BACKEND", "absent")

    result = run(*UNDER_QUICK)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*tiny has no backend 'absent'*"])


class TestTestsOfBackends:
    @pytest.fixture(autouse=True)
    def _configured(self, pytester):
        pytester.makeini(
            "[pytest]\nbackend_dispatcher = tiny:dispatcher\naddopts = --strict-markers"
        )

    def test_a_test_runs_once_for_each_backend_that_is_installed(
        self, run, install, pytester, monkeypatch
    ):
        install("blocked", QUICK)
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "blocked")
        install("slow", QUICK.replace('"quick"', '"slow"').replace('"q"', ""))
        pytester.makepyfile(
            """
            import pytest
            import tiny
            def test_by_name(backend_name):
                assert tiny.settings.backend == "cpu"
                assert tiny.halve([3], backend=backend_name) == [1]
            @pytest.mark.backends
            def test_in_force():
                assert tiny.halve([3]) == [1]
                with pytest.raises(NotImplementedError):
                    tiny.total([1])
            @pytest.mark.backends("quick", "q?", "absent", fallback="silent")
            def test_of_these(backend_name):
                assert tiny.settings.backend == "quick"
                assert tiny.total([1]) == 1
            def test_of_none():
                assert tiny.settings.backend == "cpu"
            """
        )

        result = run()

        result.assert_outcomes(passed=7, skipped=1)
        result.stdout.fnmatch_lines(
            ["PASSED *test_by_name[[]quick]", "PASSED *test_by_name[[]slow]"]
        )
        result.stdout.fnmatch_lines(["PASSED *test_in_force[[]slow]"])
        result.stdout.fnmatch_lines(["PASSED *test_of_these[[]q?]"])
        result.stdout.fnmatch_lines(["SKIPPED *tiny has no backend 'absent'.*"])

    def test_a_test_of_an_optional_backend_that_cannot_be_had_is_skipped(
        self, run, install, pytester
    ):
        install("torn", "1 / 0")
        pytester.makepyfile(
            test_optional="""
                import pytest
                import tiny
                @pytest.mark.backends("quick?", "absent?", "torn?")
                def test_halve():
                    assert tiny.halve([3]) == [1]
                @pytest.mark.backends("torn")
                def test_of_one_that_must_be_there():
                    tiny.halve([3])
            """
        )

        result = run("test_optional.py")

        result.assert_outcomes(passed=1, skipped=2, errors=1)

    def test_a_label_that_is_nearly_a_backends_fails_the_run_with_its_name(self, run, pytester):
        pytester.makepyfile(
            """
            import pytest
            import tiny
            @pytest.mark.backends("quik")
            def test_in_force():
                assert tiny.halve([3]) == [1]
            def test_after():
                assert tiny.settings.backend == "cpu"
            """
        )

        result = run()

        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines(["E *tiny has no backend 'quik'. Did you mean 'quick'?*"])
        assert result.ret == pytest.ExitCode.TESTS_FAILED

    @pytest.mark.parametrize(
        ("names", "problem"),
        [
            ('["q", "cpu"]', "a backend name must be a string, not list"),
            ('"q,cpu"', "'q,cpu' is not a valid backend name*"),
            ('"q", "no label"', "'no label' is not a valid backend name*"),
            ('names="q"', "it has no keyword 'names'"),
        ],
    )
    def test_a_malformed_marker_fails_the_run(self, run, pytester, names, problem):
        pytester.makepyfile(
            f"""
            import pytest
            @pytest.mark.backends({names})
            def test_in_force(): pass
            """
        )

        result = run()

        result.stdout.fnmatch_lines([f"*The marker 'backends' takes names of backends*: {problem}"])
        assert result.ret == pytest.ExitCode.INTERRUPTED

    def test_a_backend_that_cannot_be_loaded_fails_its_test_alone(self, run, install, pytester):
        install("broken", "raise OSError('libfast.so is missing')")
        pytester.makepyfile(
            """
            import pytest
            import tiny
            @pytest.mark.backends
            def test_in_force():
                assert tiny.halve([3]) == [1]
            def test_after():
                assert tiny.settings.backend == "cpu"
            """
        )

        result = run()

        result.assert_outcomes(passed=2, errors=1)
        result.stdout.fnmatch_lines(["E *BackendLoadError: *libfast.so is missing*"])

    def test_a_fixture_or_parameter_of_the_hosts_own_stays_its_own(self, run, pytester):
        pytester.makepyfile(
            test_fixture="""
                import pytest
                @pytest.fixture
                def backend_name():
                    return "agg"
                def test_it(backend_name):
                    assert backend_name == "agg"
            """,
            test_parameter="""
                import pytest
                @pytest.mark.parametrize("backend_name", ["agg", "svg"])
                def test_it(backend_name):
                    assert backend_name in ("agg", "svg")
            """,
        )

        run().assert_outcomes(passed=3)

    def test_a_method_of_unittest_cannot_be_run_for_each_backend(self, run, pytester):
        pytester.makepyfile(
            """
            import unittest
            import pytest
            @pytest.mark.backends
            class TestIt(unittest.TestCase):
                def test_it(self):
                    pass
            """
        )

        result = run()

        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["the marker 'backends' is for test functions, which *"])

    def test_a_temporary_adapter_goes_and_everything_is_as_before(self, run, pytester):
        pytester.makepyfile(
            """
            import pytest
            import tiny
            class Ready:
                name = "ready"
                def total(self, values):
                    return "ready"
            def test_first(register_backend):
                registration = register_backend(Ready)
                assert registration.name == "ready"
                tiny.settings.backend, tiny.settings.fallback = "ready", "error"
                assert tiny.total([1]) == "ready"
            def test_second():
                assert "ready" not in tiny.dispatcher.available_backend_names()
                assert (tiny.settings.backend, tiny.settings.fallback) == ("cpu", "warn")
                assert tiny.settings.explain(tiny.total, []).reason == "nothing is selected"
                tiny.settings.backend = "quick"
            def test_third(register_backend):
                register_backend(Ready)
                tiny.settings.backends = ("ready", "cpu")
            def test_fourth():
                assert tiny.settings.backends == ("quick",)
            @pytest.mark.backends("quick")
            def test_fifth(register_backend):
                register_backend(Ready)
                tiny.settings.backend = "ready"
                assert tiny.total([1]) == "ready"
            """
        )

        run().assert_outcomes(passed=5)

    def test_a_host_names_its_dispatcher_in_a_fixture_of_its_own(self, run, pytester):
        pytester.makeini("[pytest]\n")
        pytester.makeconftest(
            """
            import pytest
            import tiny
            @pytest.fixture
            def backend_dispatcher():
                return tiny.dispatcher
            """
        )
        pytester.makepyfile(
            """
            import types
            import tiny
            def test_it(register_backend):
                register_backend(types.SimpleNamespace(name="mine", total=lambda values: 7))
                assert tiny.total([], backend="mine") == 7
            """
        )

        run().assert_outcomes(passed=1)
