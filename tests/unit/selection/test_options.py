"""``use_backend(..., options={function: {option: value}})`` gives the block's calls options."""

import gc
import json
import pickle
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendFallbackWarning,
    UnknownFunctionError,
    UnknownOptionError,
    UnusedBlockWarning,
)

OPTIONS = {"pp.neighbors": {"algorithm": "ivfpq"}}


def adapter(name, neighbors, **facts):
    return SimpleNamespace(name=name, pp=SimpleNamespace(neighbors=neighbors), **facts)


@pytest.fixture
def host(make_dispatcher):
    """A host whose function two backends implement, each with options of its own."""
    dispatcher = make_dispatcher(trusted_backends={"absent": {"package": "absent-backend"}})

    @dispatcher.backend_dispatch(name="pp.neighbors")
    def neighbors(data, k=15):
        return "host", k

    dispatcher.backend_dispatch(name="tl.umap")(lambda data, **rest: ("host", rest))
    cuda = adapter("cuda", lambda data, k=15, algorithm="brute", tile=8: ("cuda", algorithm, tile))
    torch = adapter("torch", lambda data, *, device="cpu": ("torch", device))
    anything = adapter("anything", lambda data, k=15, **rest: ("anything", rest))
    for backend in (cuda, torch, anything):
        dispatcher.register(backend)
    return SimpleNamespace(dispatcher=dispatcher, settings=dispatcher.settings, neighbors=neighbors)


def test_the_calls_of_the_block_are_given_them(host):
    with host.settings.use_backend("cuda", options=OPTIONS):
        assert [host.neighbors(1), host.neighbors(1)] == [("cuda", "ivfpq", 8)] * 2
        assert host.neighbors(1, tile=4) == ("cuda", "ivfpq", 4)
        assert host.neighbors(1, algorithm="cagra") == ("cuda", "cagra", 8)
        assert host.neighbors(1, backend="cuda") == ("cuda", "brute", 8)
    assert host.neighbors(1, backend="cuda") == ("cuda", "brute", 8)


def test_the_host_gets_none(host):
    with (
        host.settings.use_backend("torch", options={"pp.neighbors": {"device": "mps"}}),
        pytest.warns(BackendFallbackWarning),
    ):
        assert host.neighbors(1, 5) == ("host", 5)


def test_a_function_that_takes_any_keyword_takes_any_option(host):
    with host.settings.use_backend("anything", options=OPTIONS):
        assert host.neighbors(1) == ("anything", {"algorithm": "ivfpq"})
    with pytest.raises(UnknownOptionError):
        host.settings.use_backend("anything", options={"pp.neighbors": {"k": 3}})


def test_one_parameter_by_two_names_is_refused_where_the_block_is_made(make_dispatcher):
    dispatcher = make_dispatcher(parameter_aliases={"random_state": "rng"})
    dispatcher.backend_dispatch(name="func")(lambda data: "host")
    dispatcher.register(SimpleNamespace(name="mine", func=lambda data, rng=0, k=1: (rng, k)))
    options = {"func": {"k": 1, "random_state": 2, "rng": 3}}
    for labels in (["mine"], []):
        with pytest.raises(TypeError, match=r"func give one parameter .* 'random_state', 'rng'"):
            dispatcher.settings.use_backend(*labels, options=options)
    with dispatcher.settings.use_backend("mine", options={"func": {"random_state": 2, "k": 3}}):
        assert dispatcher.dispatched["func"](1) == (2, 3)


def test_can_run_is_asked_about_them_too(host):
    asked = []
    backend = adapter(
        "asking",
        lambda data, fast=False: fast,
        can_run=lambda _, given: asked.append(given) or True,
    )
    host.dispatcher.register(backend)
    with host.settings.use_backend("asking", options={"pp.neighbors": {"fast": True}}):
        assert host.neighbors(1) is True
    assert asked == [{"data": 1, "fast": True}]


class TestNested:
    def test_a_block_without_labels_adds_to_the_present_choice(self, host):
        with (
            host.settings.use_backend("cuda", options={"pp.neighbors": {"tile": 2}}),
            host.settings.use_backend(options=OPTIONS),
        ):
            assert host.neighbors(1) == ("cuda", "ivfpq", 2)
            with host.settings.use_backend(options={"pp.neighbors": {"algorithm": "cagra"}}):
                assert host.neighbors(1) == ("cuda", "cagra", 2)
            with host.settings.use_backend(fallback="error"):
                assert host.neighbors(1) == ("cuda", "ivfpq", 2)
            with host.settings.use_backend({"tl.*": "cpu"}):
                assert host.neighbors(1) == ("cuda", "ivfpq", 2)

    @pytest.mark.parametrize("labels", [["cuda"], [], [{"pp.*": "cuda"}], [{"tl.*": "cpu"}]])
    def test_a_mapping_to_other_functions_that_the_block_is_set_to_keeps_them(self, host, labels):
        settings = host.settings
        with settings.use_backend("cuda"), settings.use_backend(*labels, options=OPTIONS):
            for other in ("torch", "cpu"):
                settings.backend = {"tl.*": other}
                assert host.neighbors(1) == ("cuda", "ivfpq", 8)
                assert settings.by_function["tl.*"] == (other,)
            settings.backend = {"pp.neighbors": "anything"}
            assert host.neighbors(1) == ("anything", {})

    def test_those_of_an_outer_block_are_kept_once(self, host):
        settings = host.settings
        with settings.use_backend("cuda", options=OPTIONS), settings.use_backend(fallback="error"):
            settings.backend = {"tl.*": "torch"}
            assert host.neighbors(1) == ("cuda", "ivfpq", 8)
            assert repr(settings.snapshot()).count("ivfpq") == 1

    def test_a_mapping_that_takes_their_backend_away_takes_them_too(self, host):
        with host.settings.use_backend({"pp.neighbors": "cuda"}, "torch", options=OPTIONS):
            host.settings.backend = {"tl.*": "torch"}
            assert host.neighbors(1) == ("torch", "cpu")

    def test_labels_replace_them(self, host):
        with host.settings.use_backend("cuda", options=OPTIONS), host.settings.use_backend("cuda"):
            assert host.neighbors(1) == ("cuda", "brute", 8)

    def test_one_object_is_entered_under_different_selections(self, host):
        block = host.settings.use_backend(options=OPTIONS)
        for outer, expected in (
            ("cuda", ("cuda", "ivfpq", 8)),
            ("anything", ("anything", {"algorithm": "ivfpq"})),
        ):
            with host.settings.use_backend(outer), block:
                assert host.neighbors(1) == expected
        with host.settings.use_backend("torch"), pytest.raises(UnknownOptionError):
            block.__enter__()


class TestAnOptionThatNoSelectedBackendHas:
    @pytest.mark.parametrize(
        ("labels", "option", "meant"),
        [
            (["cuda"], "algoritm", "algorithm"),
            (["cuda"], "device", None),
            (["cuda", "torch"], "devise", "device"),
            (["cuda"], "k", None),
            (["cpu"], "algorithm", None),
        ],
    )
    def test_raises_where_the_block_is_made(self, host, labels, option, meant):
        with pytest.raises(UnknownOptionError) as caught:
            host.settings.use_backend(*labels, options={"pp.neighbors": {option: 1}})
        error = pickle.loads(pickle.dumps(caught.value))
        assert (error.option, error.function) == (option, "pp.neighbors")
        assert (error.host, error.backends) == ("example_host", tuple(labels))
        assert error.suggestion == meant
        assert ("Did you mean" in str(error)) is bool(meant)

    @pytest.mark.parametrize("key", ["pp.neighbors", "pp.*"])
    def test_raises_where_the_block_is_made_by_function(self, host, key):
        options = {"pp.neighbors": {"devise": 1}}
        with pytest.raises(UnknownOptionError, match="Did you mean 'device'"):
            host.settings.use_backend({key: "torch"}, options=options)

    def test_waits_for_what_surrounds_a_mapping_to_other_functions(self, host):
        block = host.settings.use_backend({"tl.umap": "torch"}, options=OPTIONS)
        with host.settings.use_backend("cuda"), block:
            assert host.neighbors(1) == ("cuda", "ivfpq", 8)
        with host.settings.use_backend("torch"), pytest.raises(UnknownOptionError):
            block.__enter__()

    def test_of_a_function_that_it_does_not_implement(self, host):
        with pytest.raises(UnknownOptionError, match=r"no option of tl\.umap .* It has no options"):
            host.settings.use_backend("cuda", options={"tl.umap": {"tile": 1}})

    def test_raises_when_the_block_is_entered_where_only_the_import_tells(
        self, make_dispatcher, site
    ):
        dispatcher = make_dispatcher(untrusted="allow")
        site.backend("mine", "name = 'mine'\ndef func(data, tile=1): return tile")
        func = dispatcher.backend_dispatch(name="func")(lambda data: "host")
        block = dispatcher.settings.use_backend("mine", options={"func": {"tiles": 1}})
        assert "mine_backend" not in site.imported()
        with pytest.raises(UnknownOptionError, match="Did you mean 'tile'"):
            block.__enter__()
        with dispatcher.settings.use_backend("mine", options={"func": {"tile": 3}}):
            assert func(1) == 3

    def test_may_be_one_of_an_optional_backend_that_is_left_out(self, host):
        for labels in (["absent?", "cpu"], ["absent?", "torch"]):
            with host.settings.use_backend(*labels, options=OPTIONS):
                assert host.neighbors(1)[0] in ("host", "torch")


@pytest.mark.parametrize(
    "options", [3, ["pp.neighbors"], {"pp.neighbors": "algorithm"}, {"pp.neighbors": {3: 1}}]
)
def test_what_is_no_mapping_of_mappings_is_refused(host, options):
    with pytest.raises(TypeError, match="options must be"):
        host.settings.use_backend("cuda", options=options)


@pytest.mark.parametrize("name", ["pp.neighbours", "pp.*"])
def test_a_function_that_is_not_dispatched_is_refused_with_the_nearest(host, name):
    with pytest.raises(UnknownFunctionError) as caught:
        host.settings.use_backend("cuda", options={name: {"algorithm": "ivfpq"}})
    assert caught.value.suggestion == "pp.neighbors"


class TestIsTold:
    def test_by_explain_and_trace_as_the_block_s(self, host):
        with host.settings.use_backend("cuda", options=OPTIONS), host.settings.trace() as trace:
            for given in ({}, {"algorithm": "cagra"}, {}):
                host.neighbors(1, **given)
            decision = host.settings.explain(host.neighbors, 1)
        said = (("algorithm", "ivfpq"),)
        assert "options  algorithm='ivfpq' (given by the block)" in str(decision)
        assert [one.options for one in (decision, *trace.records)] == [said, said, (), said]
        (first, *_rest) = json.loads(trace.to_json())["records"]
        assert first["options"] == {"algorithm": "ivfpq"}
        told = trace.provenance()["backends"]["cuda"]["options"]
        assert told == {"pp.neighbors": ["algorithm='ivfpq'"]}

    def test_by_the_settings_and_the_block(self, host):
        block = host.settings.use_backend("cuda", options=OPTIONS)
        assert f"use_backend('cuda', options={OPTIONS!r})" in repr(block)
        with block:
            assert "pp.neighbors cuda algorithm='ivfpq' use_backend" in " ".join(
                str(host.settings).split()
            )


class TestCarried:
    @pytest.fixture
    def snapshot(self, host):
        with host.settings.use_backend("cuda", options=OPTIONS):
            return host.settings.snapshot()

    def test_by_snapshots_and_their_text(self, host, snapshot):
        text = type(snapshot).from_json(snapshot.to_json())
        assert text == snapshot
        for one in (snapshot, pickle.loads(pickle.dumps(snapshot)), text):
            with one:
                assert host.neighbors(1) == ("cuda", "ivfpq", 8)
        assert "with {'algorithm': 'ivfpq'}" in repr(snapshot)

    @pytest.mark.parametrize("value", [object(), (1, 2), {1: 2}])
    @pytest.mark.parametrize("inner", [True, False])
    def test_text_that_would_not_hold_the_value_is_refused(self, host, value, inner):
        options = {"pp.neighbors": {"algorithm": value}}
        with (
            host.settings.use_backend({"pp.neighbors": "cuda"} if inner else "cuda"),
            host.settings.use_backend(*([] if inner else ["cuda"]), options=options),
        ):
            snapshot = host.settings.snapshot()
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            snapshot.to_json()

    def test_by_snapshots_that_hash_whatever_the_values_are(self, host):
        options = {"pp.neighbors": {"algorithm": ["a", "list"]}}
        with host.settings.use_backend("cuda", options=options):
            one, same = host.settings.snapshot(), host.settings.snapshot()
        assert {one: 1}[same] == 1

    def test_by_a_pickled_block(self, host):
        block = pickle.loads(pickle.dumps(host.settings.use_backend("cuda", options=OPTIONS)))
        with block:
            assert host.neighbors(1) == ("cuda", "ivfpq", 8)


def test_a_block_of_another_process_waits_for_the_module_of_its_function(world):
    world.install(source="name = {name!r}\ndef late(tile=1): return tile")
    late = "host.dispatcher.backend_dispatch(name='late')(lambda: 'cpu')"
    options = "options={'late': {'tile': 5}}"
    block = world.elsewhere(f"host.settings.use_backend('fast', {options})", late)
    with block:
        late = world.load().dispatcher.backend_dispatch(name="late")(lambda: "cpu")
        assert late() == 5
    with block:
        assert late() == 5


@pytest.mark.parametrize("labels", [[], ["cuda"]])
def test_a_block_that_is_thrown_away_is_told_with_them(host, labels):
    with pytest.warns(UnusedBlockWarning) as caught:
        host.settings.use_backend(*labels, options=OPTIONS)
        gc.collect()
    (warning,) = caught
    assert f"options={OPTIONS!r}) alone selects nothing" in str(warning.message)
    assert str(warning.message).endswith(":' or decorate a function with it.")
    assert pickle.loads(pickle.dumps(warning.message)).options == OPTIONS
