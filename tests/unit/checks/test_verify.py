import functools
import json
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    UnknownBackendError,
    UntrustedBackendError,
)
from scverse_backends.testing import verify

IGNORABLE = ("n_jobs",)


@pytest.fixture
def verified(make_dispatcher):
    """Verify an adapter of the given attributes against host functions."""

    def verified(*functions, selector="backend", host_defaults=False, **adapter):
        dispatcher = make_dispatcher(ignorable=IGNORABLE)
        decorate = dispatcher.backend_dispatch(selector=selector, host_defaults=host_defaults)
        for function in functions:
            decorate(function)
        with dispatcher.register(SimpleNamespace(name="fast", **adapter)):
            return verify(dispatcher, "fast")

    return verified


def cluster(data, n_clusters=8, *, seed=0):
    """Group rows."""


def told(result):
    return [(found.severity, found.kind, found.parameter) for found in result.findings]


def message(result, kind):
    (found,) = (found for found in result.findings if found.kind == kind)
    return found.message


def same(data, n_clusters=8, *, seed=0):
    """Group rows."""


def test_nothing_is_found_where_nothing_differs(verified):
    result = verified(cluster, cluster=same)
    assert result.findings == ()
    assert result.implemented == ("cluster",)
    assert str(result) == "fast of example_host: 1 of 1 functions\nno errors, no warnings"


RENAMED = {"cluster": {"data": "rows"}}


async def later(data, n_clusters=8, *, seed=0): ...


def yielding(data, n_clusters=8, *, seed=0):
    yield 1


# An implementation of `cluster`, its renames, what is found, and something that is said of it.
FOUND = {
    "a missing parameter": (
        lambda data, n_clusters=8: None,
        {},
        [("warning", "missing-parameter", "seed")],
        "does not take 'seed', so calls that set it go elsewhere",
    ),
    "a renamed parameter": (
        lambda rows, n_clusters=8, *, seed=0: None,
        RENAMED,
        [("info", "renamed-parameter", "data")],
        "",
    ),
    "a default that differs": (
        lambda data, n_clusters=10, *, seed=0: None,
        {},
        [("warning", "differing-default", "n_clusters")],
        "n_clusters=10 (host: 8)",
    ),
    "a default that is not there": (
        lambda data, n_clusters, *, seed=0: None,
        {},
        [("warning", "required-parameter", "n_clusters")],
        "",
    ),
    "an option": (
        lambda data, n_clusters=8, *, seed=0, _hidden=1: None,
        {},
        [("info", "hidden-option", "_hidden")],
        "",
    ),
    "an option named as the selector": (
        lambda data, n_clusters=8, *, seed=0, backend=1: None,
        {},
        [("warning", "hidden-option", "backend")],
        "",
    ),
    "other keywords": (
        lambda data, **others: None,
        {},
        [("info", "unchecked-parameter", "n_clusters"), ("info", "unchecked-parameter", "seed")],
        "",
    ),
    "parameters that never receive anything": (
        lambda *rest, data, n_clusters=8, seed=0: None,
        {},
        [("info", "variadic", "rest")],
        "",
    ),
    "a coroutine function": (later, {}, [("error", "refused", None)], ""),
    "a generator function": (yielding, {}, [("warning", "generator", None)], ""),
    "a signature that cannot be read": (
        functools.partial(dict.fromkeys, 1, 2, 3),
        {},
        [("error", "refused", None)],
        "",
    ),
}


@pytest.mark.parametrize(("own", "renames", "found", "said"), FOUND.values(), ids=FOUND)
def test_each_difference_of_a_function_is_found(verified, own, renames, found, said):
    result = verified(cluster, cluster=own, renames=renames)
    assert told(result) == found
    assert said in str(result)


def test_a_function_that_is_not_implemented_is_information(verified):
    result = verified(cluster)
    assert told(result) == [("info", "not-implemented", None)]
    assert result.implemented == ()
    assert "\nnot implemented: cluster" in str(result)


# An implementation of `cluster` that lacks what every call gives, its renames, and the hint.
HINTS = [
    (
        lambda rows, n_clusters=8, *, seed=0: None,
        {},
        "if 'rows' is the same parameter, declare renames = {'cluster': {'data': 'rows'}}",
    ),
    (
        lambda values, n_clusters=8, *, seed=0: None,
        RENAMED,
        "its rename leads to 'rows', which is not one of its parameters",
    ),
]


@pytest.mark.parametrize(("own", "renames", "hint"), HINTS)
def test_a_missing_parameter_that_every_call_gives_is_an_error(verified, own, renames, hint):
    result = verified(cluster, cluster=own, renames=renames)
    assert told(result)[0] == ("error", "missing-parameter", "data")
    assert hint in message(result, "missing-parameter")


def test_a_parameter_with_a_like_name_is_suggested_for_a_missing_one(verified):
    result = verified(cluster, cluster=lambda data, n_cluster=8, *, seed=0: None)
    assert "if 'n_cluster' is the same parameter" in message(result, "missing-parameter")
    result = verified(cluster, cluster=lambda: None)
    assert not any("is the same parameter" in found.message for found in result.findings)


def test_a_parameter_that_the_host_lets_backends_lack_is_information(verified):
    def embed(data, *, n_jobs=1): ...

    result = verified(embed, embed=lambda data: None)
    assert told(result) == [("info", "ignored-parameter", "n_jobs")]


def test_other_keywords_that_only_the_host_takes_are_a_warning(verified):
    def plot(data, **options): ...

    result = verified(plot, plot=lambda data: None)
    assert told(result) == [("warning", "missing-parameter", "**kwargs")]


def test_a_rename_of_an_optional_parameter_to_what_is_not_there_is_an_error_too(verified):
    result = verified(cluster, cluster=same, renames={"cluster": {"n_clusters": "k"}})
    assert told(result)[0] == ("error", "missing-parameter", "n_clusters")
    assert "its rename leads to 'k'" in message(result, "missing-parameter")


@pytest.mark.parametrize(
    ("renames", "hint"),
    [
        (
            {"cluster": {"n_cluster": "k"}},
            "'n_cluster', which the host does not have; did you mean ",
        ),
        ({"cluster": {"zzz": "k"}}, "renames 'zzz', which the host does not have"),
        ({"cluster": {"rows": "data"}}, "from the host's name to the backend's: {'data': 'rows'}"),
        ({"clustr": {"data": "rows"}}, "'clustr', which the host does not dispatch; did you mean"),
        ({"zzz": {"data": "rows"}}, "'zzz', which the host does not dispatch"),
    ],
)
def test_renames_of_what_the_host_does_not_have_are_errors(verified, renames, hint):
    result = verified(cluster, cluster=same, renames=renames)
    (found,) = (found for found in result.findings if found.kind == "unknown-rename")
    assert found.severity == "error"
    assert hint in found.message


def test_a_host_that_takes_any_keyword_may_have_any_of_them_renamed(verified):
    def plot(data, **options): ...

    def drawn(data, **options): ...

    assert verified(plot, plot=drawn, renames={"plot": {"colour": "color"}}).findings == ()


def test_a_parameter_whose_name_a_rename_gives_to_another_is_missing(verified):
    def align(first, second=None): ...

    result = verified(align, align=lambda second=None: None, renames={"align": {"first": "second"}})
    assert ("warning", "missing-parameter", "second") in told(result)
    assert "its renames give that name to the host's 'first'" in str(result)


@pytest.mark.parametrize("name", ["a default that differs", "a default that is not there"])
def test_defaults_are_not_compared_where_the_host_forwards_its_own(verified, name):
    assert verified(cluster, host_defaults=True, cluster=FOUND[name][0]).findings == ()


def test_options_that_are_required_or_not_documented_are_found(verified):
    def own(data, n_clusters=8, *, seed=0, device, untold=2):
        """Group rows.

        Parameters
        ----------
        device
            Where.
        """

    result = verified(cluster, cluster=own)
    assert told(result) == [
        ("error", "required-option", "device"),
        ("warning", "undocumented-option", "untold"),
        ("info", "added-parameter", "device"),
        ("info", "added-parameter", "untold"),
    ]
    assert "adds the option 'device' (required)" in str(result)


def test_a_plain_function_for_a_coroutine_function_is_information(verified):
    async def fetch(data): ...

    assert told(verified(fetch, fetch=lambda data: None)) == [("info", "plain-function", None)]


class TestNames:
    """The names by which an adapter offers things."""

    def test_a_listed_name_like_one_that_is_not_implemented_is_an_error(self, verified):
        result = verified(cluster, __all__=["clustr"], clustr=same)
        assert ("error", "unknown-name", None) in told(result)
        assert "offers 'clustr', which the host does not dispatch; did you mean 'cluster'?" in str(
            result
        )
        assert result.failures() == result.findings[:1]

    @pytest.mark.parametrize(
        ("others", "found"),
        [
            ({"helper": same}, [("warning", "unknown-name", None)]),
            ({"clusters": same}, [("warning", "unknown-name", None)]),
            ({"name": None}, []),  # what it says of itself
            ({3: None}, []),  # no name at all
        ],
    )
    def test_a_listed_name_beside_what_is_implemented(self, verified, others, found):
        attributes = {name: one for name, one in others.items() if one is not None}
        result = verified(cluster, __all__=["cluster", *others], cluster=same, **attributes)
        assert told(result) == found
        assert ("did you mean" in str(result)) == ("clusters" in others)

    def test_without_a_list_only_slips_are_told(self, verified):
        result = verified(cluster, clustre=same, helper=same, _clustered=same, version="1")
        assert [found.function for found in result.findings if found.kind == "unknown-name"] == [
            "clustre"
        ]

    def test_what_is_there_and_not_listed_is_a_warning(self, verified):
        result = verified(cluster, __all__=[], cluster=same)
        assert ("warning", "unlisted-name", None) in told(result)

    def test_the_hosts_own_function_is_not_meant(self, make_dispatcher):
        dispatcher = make_dispatcher()
        public = dispatcher.backend_dispatch(cluster)
        for found in (public, cluster):
            adapter = SimpleNamespace(name="fast", __all__=[], cluster=found)
            with dispatcher.register(adapter):
                assert told(verify(dispatcher, "fast")) == [("info", "not-implemented", None)]

    def test_names_inside_of_namespaces_are_looked_at_too(self, make_dispatcher):
        dispatcher = make_dispatcher()
        dispatcher.backend_dispatch(name="tl.umap")(lambda data: None)
        inner = SimpleNamespace(__all__=["umpa"], umpa=lambda data: None)
        with dispatcher.register(SimpleNamespace(name="fast", __all__=["tl"], tl=inner)):
            result = verify(dispatcher, "fast")
        assert "offers 'tl.umpa', which the host does not dispatch; did you mean 'tl.umap'?" in str(
            result
        )

    def test_a_function_that_cannot_be_fetched_is_an_error_and_hides_no_other(self, verified):
        def tidy(data): ...

        result = verified(cluster, tidy, __all__=["cluster", "tidy"], tidy=lambda data: None)
        assert told(result) == [("error", "broken", None)]
        assert "is broken: it offers 'cluster', which cannot be fetched" in str(result)
        assert result.implemented == ("tidy",)

    def test_a_namespace_that_fails_is_no_reason_to_stop(self, make_dispatcher):
        class Lazy:
            name = "fast"
            __all__ = ()

            @property
            def cluster(self):
                raise OSError("libcuda.so.1")

        dispatcher = make_dispatcher()
        dispatcher.backend_dispatch(cluster)
        with dispatcher.register(Lazy()):
            assert told(verify(dispatcher, "fast")) == [("info", "not-implemented", None)]


class TestWhich:
    """Which backend is verified, and what if there is none."""

    def test_the_host_itself_cannot_be(self, dispatcher):
        with pytest.raises(ValueError, match="'cpu' is the host itself"):
            verify(dispatcher, "cpu")

    def test_an_unknown_one_cannot_be(self, dispatcher):
        with pytest.raises(UnknownBackendError):
            verify(dispatcher, "nobody")

    def test_a_refused_backend_cannot_be_verified(self, site, make_dispatcher):
        site.install("fast", entry_points={"fast": "fast"})
        with pytest.raises(UntrustedBackendError):
            verify(make_dispatcher(untrusted="refuse"), "fast")

    def test_an_installed_one_is_named_with_its_release(self, site, dispatcher):
        site.backend("fast", "name = 'fast'", reference="fast", distribution="fast", version="2.1")
        result = verify(dispatcher, "fast")
        assert (result.distribution, result.version) == ("fast", "2.1")
        assert str(result).startswith("fast (fast 2.1) of example_host: ")

    def test_a_backend_that_cannot_be_loaded_raises(self, site, dispatcher):
        site.install("fast", entry_points={"fast": "fast"}, modules={"fast": "1 / 0"})
        with pytest.raises(BackendLoadError):
            verify(dispatcher, "fast")

    def test_its_manifest_is_read_where_it_has_one(self, site, dispatcher):
        dispatcher.backend_dispatch(cluster)
        site.install("fast", entry_points={"fast": "fast"}, modules={"fast": "1 / 0"})
        site.write(
            "fast.toml",
            """
            schema = 1
            name = "fast"
            offers = 1

            [functions.cluster]
            signature = "(data, n_clusters=10)"
            """,
        )
        result = verify(dispatcher, "fast")
        assert told(result) == [
            ("warning", "not-loaded", None),
            ("warning", "missing-parameter", "seed"),
            ("warning", "differing-default", "n_clusters"),
        ]
        assert "ZeroDivisionError" in str(result)


class TestWritten:
    """What others can read."""

    @pytest.fixture
    def result(self, verified):
        def tidy(data): ...

        def own(data, n_clusters=9): ...

        return verified(cluster, tidy, __all__=["cluster", "helper"], cluster=own, helper=own)

    def test_findings_are_selected_by_severity(self, result):
        assert len(result.failures()) == 0
        assert len(result.failures("warning")) == 3
        assert len(result.failures("info")) == 4

    def test_everything_is_in_the_json(self, result):
        value = json.loads(result.to_json())
        assert value["counts"] == {"error": 0, "warning": 3, "info": 1}
        assert value["functions"] == {"cluster": True, "tidy": False}
        assert value["findings"][1]["kind"] == "missing-parameter"

    def test_the_junit_fails_what_is_severe_enough_and_skips_what_is_not_there(self, result):
        suites = ET.fromstring(result.to_junit("warning"))  # noqa: S314 - our own
        counts = {name: suites.get(name) for name in ("tests", "failures", "skipped", "errors")}
        assert counts == {"tests": "3", "failures": "2", "skipped": "1", "errors": "0"}
        failure = suites.find(".//testcase[@name='cluster']/failure")
        assert failure.get("message") == "does not take 'seed', so calls that set it go elsewhere"

    def test_what_is_not_severe_enough_is_written_beside(self, result):
        suites = ET.fromstring(result.to_junit())  # noqa: S314 - our own
        assert suites.get("failures") == "0"
        assert (
            "has another default: n_clusters=9 (host: 8)"
            in suites.find(".//testcase[@name='cluster']/system-out").text
        )

    def test_what_xml_cannot_hold_is_replaced(self, verified):
        class Odd:
            def __repr__(self):
                return "a\x00\ud800b"

        odd = Odd()
        result = verified(cluster, cluster=lambda data, n_clusters=odd, *, seed=0: None)
        assert ET.fromstring(result.to_junit()) is not None  # noqa: S314 - our own


class Moody:
    """Stands for a function, until it is in a mood."""

    mood = None

    def __call__(self, data, n_clusters=8, *, seed=0):
        return "mine"

    @property
    def __class__(self):
        if self.mood is not None:
            raise self.mood
        return Moody


@pytest.fixture
def moody(make_dispatcher):
    """Verify a backend whose implementation ran once, and then got into a mood."""

    def moody(mood):
        dispatcher, implementation = make_dispatcher(), Moody()
        public = dispatcher.backend_dispatch(cluster)
        with dispatcher.register(SimpleNamespace(name="fast", cluster=implementation)):
            assert public([1], backend="fast") == "mine"
            implementation.mood = mood
            return verify(dispatcher, "fast")

    return moody


@pytest.mark.parametrize("mood", [ValueError("sulks"), SystemExit("sulks")], ids=repr)
def test_an_implementation_that_cannot_be_examined_is_an_error(moody, mood):
    result = moody(mood)
    assert told(result) == [("error", "broken", None)]
    assert "sulks" in message(result, "broken")


@pytest.mark.parametrize("mood", [KeyboardInterrupt(), MemoryError()], ids=repr)
def test_an_interrupt_while_an_implementation_is_examined_passes(moody, mood):
    with pytest.raises(type(mood)):
        moody(mood)
