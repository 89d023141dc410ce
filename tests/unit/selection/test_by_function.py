"""A mapping from dispatch names, or patterns over them, to labels selects by function."""

import pickle
import sys
from types import SimpleNamespace

import pytest

from scverse_backends.exceptions import (
    BackendFallbackWarning,
    BackendLoadError,
    BackendNotInstalledError,
    BackendSelectionWarning,
    UnknownBackendError,
    UnknownFunctionError,
)

NAMES = ("pp.neighbors", "pp.neighbors_of", "pp.scale", "tl.umap")


def adapter(name):
    def here():
        return name

    pp = SimpleNamespace(neighbors=here, neighbors_of=here, scale=here)
    return SimpleNamespace(
        name=name, aliases=[f"{name}-alias"], pp=pp, tl=SimpleNamespace(umap=here)
    )


@pytest.fixture
def make_functions(make_dispatcher):
    """Make a host of four functions that two backends implement; each says where it runs."""

    def make_functions(**options):
        dispatcher = make_dispatcher(
            trusted_backends={"absent": {"package": "absent-backend"}}, **options
        )
        for name in NAMES:
            dispatcher.backend_dispatch(name=name)(lambda: "cpu")
        for name in ("cuda", "torch"):
            dispatcher.register(adapter(name))
        return dispatcher

    return make_functions


@pytest.fixture
def functions(make_functions):
    return make_functions()


@pytest.fixture
def settings(functions):
    return functions.settings


def where(dispatcher):
    """Tell where each function runs, called twice: what is kept of the first call must hold."""
    first, again = ([func() for func in dispatcher.dispatched.values()] for _ in range(2))
    assert first == again
    return dict(zip(NAMES, again, strict=True))


def expect(neighbors="cpu", neighbors_of="cpu", scale="cpu", umap="cpu"):
    return dict(zip(NAMES, (neighbors, neighbors_of, scale, umap), strict=True))


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"pp.neighbors": "cuda"}, expect("cuda")),
        ({"pp.neighbors": "cuda-alias"}, expect("cuda")),
        ({"pp.neighbors": ["cuda", "torch"]}, expect("cuda")),
        ({"pp.*": "cuda"}, expect("cuda", "cuda", "cuda")),
        ({"pp.*": "cuda", "tl.*": "torch"}, expect("cuda", "cuda", "cuda", "torch")),
        ({"*": "torch", "pp.*": "cuda"}, expect("cuda", "cuda", "cuda", "torch")),
        ({"pp.*": "cuda", "pp.neighbors*": "torch"}, expect("torch", "torch", "cuda")),
        # A name comes before any pattern, however long that is.
        ({"pp.neighbor[s]*": "cuda", "pp.neighbors": "torch"}, expect("torch", "cuda")),
        ({"pp.*": "cuda", "pp.scale": "cpu"}, expect("cuda", "cuda", "cpu")),
        ({"pp.*": ["absent?", "torch"]}, expect("torch", "torch", "torch")),
    ],
)
def test_the_longest_key_that_fits_holds(functions, mapping, expected):
    with functions.settings.use_backend(mapping):
        assert where(functions) == expected
    assert where(functions) == expect()
    functions.settings.backend = mapping
    assert where(functions) == expected


def test_labels_beside_a_mapping_are_for_all_other_functions(functions):
    with functions.settings.use_backend({"tl.*": "torch"}, "cuda"):
        assert where(functions) == expect("cuda", "cuda", "cuda", "torch")


class TestAScopeOfItsOwn:
    def test_what_no_key_fits_keeps_the_outer_block(self, functions, settings):
        with settings.use_backend("torch"), settings.use_backend({"pp.neighbors": "cuda"}):
            assert where(functions) == expect("cuda", "torch", "torch", "torch")
            with settings.use_backend({"tl.*": "cuda", "pp.neighbors": "cpu"}):
                assert where(functions) == expect("cpu", "torch", "torch", "cuda")
            assert where(functions) == expect("cuda", "torch", "torch", "torch")

    @pytest.mark.parametrize("inner", [{"*": "torch"}, "torch"], ids=["shorter key", "labels"])
    def test_an_inner_choice_for_all_functions_replaces_it(self, functions, settings, inner):
        with settings.use_backend({"pp.neighbors": "cuda"}), settings.use_backend(inner):
            assert where(functions) == expect(*["torch"] * 4)

    def test_a_call_that_names_its_backend_replaces_it(self, functions, settings):
        with settings.use_backend({"pp.neighbors": "cuda"}):
            assert functions.dispatched["pp.neighbors"](backend="torch") == "torch"

    def test_a_policy_keeps_it(self, functions, settings):
        with settings.use_backend({"pp.*": "cuda"}), settings.use_backend(fallback="error"):
            assert where(functions) == expect("cuda", "cuda", "cuda")
            assert settings.fallback == "error"
            settings.fallback = "silent"
            assert where(functions) == expect("cuda", "cuda", "cuda")

    def test_setting_it_inside_a_block_keeps_what_the_block_selects(self, functions, settings):
        with settings.use_backend("torch"):
            with settings.use_backend("cuda"):
                settings.backend = {"tl.umap": "cpu"}
                assert where(functions) == expect("cuda", "cuda", "cuda", "cpu")
                settings.backend = {"pp.scale": "cpu"}
                assert where(functions) == expect("cuda", "cuda", "cpu", "cuda")
                settings.backend = "torch"
                assert where(functions) == expect(*["torch"] * 4)
            assert where(functions) == expect(*["torch"] * 4)

    def test_setting_it_in_a_block_without_labels_keeps_what_surrounds_that(
        self, functions, settings
    ):
        settings.backend = "torch"
        with settings.use_backend({"pp.*": "cuda"}), settings.use_backend({"tl.umap": "cpu"}):
            settings.backend = {"pp.scale": "cpu"}
            assert where(functions) == expect("cuda", "cuda", "cpu", "torch")

    def test_setting_it_keeps_what_the_process_selects(self, functions, settings):
        settings.backend = "torch"
        settings.backend = {"tl.umap": "cpu"}
        assert where(functions) == expect("torch", "torch", "torch", "cpu")
        settings.backend = {"pp.scale": "cpu"}
        assert where(functions) == expect("torch", "torch", "cpu", "torch")
        assert settings.backends == ("torch",)
        settings.backend = "cuda"
        assert where(functions) == expect(*["cuda"] * 4)

    def test_outside_of_the_process_is_the_environment(self, make_functions, monkeypatch):
        monkeypatch.setenv("EXAMPLE_HOST_BACKEND", "torch")
        functions = make_functions()
        functions.settings.backend = {"tl.umap": "cuda"}
        assert where(functions) == expect("torch", "torch", "torch", "cuda")
        functions.settings.backend = {"pp.scale": "cuda"}
        assert where(functions) == expect("torch", "torch", "cuda", "torch")
        del functions.settings.backend
        assert where(functions) == expect(*["torch"] * 4)

    def test_one_object_follows_what_surrounds_it(self, functions, settings):
        block = settings.use_backend({"pp.neighbors": "cuda"})
        for outer in ("torch", "cpu", "torch"):
            with settings.use_backend(outer), block:
                assert where(functions) == expect("cuda", outer, outer, outer)


def test_what_an_implementation_calls_is_selected_by_function_too(functions, settings, offer):
    neighbors = functions.dispatched["pp.neighbors"]
    nested = SimpleNamespace(scale=lambda: [neighbors(), functions.dispatched["pp.scale"]()])
    functions.register(SimpleNamespace(name="nesting", pp=nested))
    with settings.use_backend({"pp.scale": "nesting", "pp.neighbors": "cuda"}):
        assert functions.dispatched["pp.scale"]() == ["cuda", "cpu"]


class TestWhereAKeyIsLeftWithNothing:
    def test_the_next_key_holds_and_then_the_outer_selection(self, functions, settings):
        with settings.use_backend({"pp.neighbors": "absent?", "pp.*": "cuda", "tl.*": "absent?"}):
            assert where(functions) == expect("cuda", "cuda", "cuda")
            decision = settings.explain(functions.dispatched["pp.neighbors"])
        assert [(no.backend, decision.backend) for no in decision.refusals] == [("absent", "cuda")]

    @pytest.mark.parametrize("more", [{}, {"tl.*": "cuda"}], ids=str)
    def test_it_is_the_same_whatever_other_keys_there_are(self, functions, settings, more):
        neighbors = functions.dispatched["pp.neighbors"]
        settings.backend = "torch"
        with settings.use_backend({"pp.neighbors": "absent?", **more}):
            assert neighbors() == "torch"
            assert [no.backend for no in settings.explain(neighbors).refusals] == ["absent"]
        settings.backend = {"pp.neighbors": "absent?", **more}
        assert neighbors() == "torch"


def test_a_label_without_the_mark_must_be_there(settings):
    with pytest.raises(BackendNotInstalledError):
        settings.use_backend({"pp.neighbors": ["cuda", "absent"]})
    with pytest.raises(BackendNotInstalledError):
        settings.use_backend({"pp.neighbors": "cuda"}, "absent?").__enter__()
    with pytest.raises(UnknownBackendError):
        settings.backend = {"pp.neighbors": "cudaa"}


class TestAKeyThatFitsNoFunction:
    @pytest.mark.parametrize(
        ("key", "meant"),
        [
            ("pp.neighbours", "pp.neighbors"),
            ("t.*", "tl.*"),
            ("umap", "tl.umap"),
            ("zzz", None),
            ("", None),
        ],
    )
    def test_is_refused_with_the_nearest_name(self, settings, key, meant):
        for select in (
            lambda: settings.use_backend({key: "cuda"}),
            lambda: setattr(settings, "backend", {key: "cuda"}),
        ):
            with pytest.raises(UnknownFunctionError) as caught:
                select()
            assert (caught.value.function, caught.value.suggestion) == (key, meant)
            assert ("Did you mean" in str(caught.value)) is bool(meant)
            assert pickle.loads(pickle.dumps(caught.value)).known == tuple(sorted(NAMES))

    def test_of_a_function_that_is_imported_late_is_read_in_the_host_first(self, site):
        site.write(
            "late_host/__init__.py",
            """
            from scverse_backends import BackendDispatcher
            dispatcher = BackendDispatcher(entrypoint_group="late.backends", host_name="late_host")
            def __getattr__(name):
                import importlib
                if name in ("tl", "pl"): return importlib.import_module(f"late_host.{name}")
                raise AttributeError(name)
            """,
        )
        body = """
            from late_host import dispatcher
            __all__ = ["first"]
            def __getattr__(name):
                if name == "first":
                    return dispatcher.backend_dispatch(name="{space}.first")(lambda: "cpu")
                raise AttributeError(name)
        """
        for space in ("tl", "pl"):
            site.write(f"late_host/{space}.py", body.format(space=space))
        import late_host

        settings = late_host.dispatcher.settings
        settings.use_backend({"tl.first": "cpu"}).__enter__()
        assert "late_host.pl" not in sys.modules
        settings.use_backend({"pl.*": "cpu"}).__enter__()
        with pytest.raises(UnknownFunctionError, match="import its module first"):
            settings.use_backend({"pl.first.second": "cpu"})
        with pytest.raises(UnknownFunctionError):
            settings.use_backend({"nowhere.*": "cpu"})


@pytest.mark.parametrize(
    ("mapping", "error"),
    [
        ({}, ValueError),
        ({"pp.scale": []}, ValueError),
        ({3: "cuda"}, TypeError),
        ({"pp.scale": None}, UnknownBackendError),
    ],
)
def test_what_is_no_mapping_to_labels_is_refused(settings, mapping, error):
    with pytest.raises(error):
        settings.use_backend(mapping)
    with pytest.raises(error):
        settings.backend = mapping


class TestTheEnvironment:
    @pytest.fixture
    def given(self, make_functions, monkeypatch):
        def given(text):
            monkeypatch.setenv("EXAMPLE_HOST_BACKEND", text)
            return make_functions()

        return given

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("pp.neighbors=cuda", expect("cuda")),
            (" pp.neighbors = absent? : cuda , tl.* = torch ", expect("cuda", umap="torch")),
            ("pp.*=cuda, torch", expect("cuda", "cuda", "cuda", "torch")),
            ("absent?, torch, pp.neighbors=absent?", expect(*["torch"] * 4)),
        ],
    )
    def test_selects_by_function(self, given, text, expected):
        assert where(given(text)) == expected

    def test_warns_once_of_a_key_that_fits_no_function_and_keeps_it(self, given):
        functions = given("pp.later=cuda, torch")
        with pytest.warns(BackendSelectionWarning, match="'pp.later'") as caught:
            assert where(functions) == expect(*["torch"] * 4)
            assert functions.settings.backend == "torch"
        assert len(caught) == 1
        assert "EXAMPLE_HOST_BACKEND" in str(caught[0].message)
        later = functions.backend_dispatch(name="pp.later")(lambda: "cpu")
        with pytest.warns(BackendFallbackWarning, match="'cuda' does not implement it"):
            later()

    def test_warns_of_a_label_and_of_a_key_that_are_spelt_alike(self, given):
        functions = given("later=cuda, later?, torch")
        with pytest.warns(BackendSelectionWarning) as caught:
            assert where(functions) == expect(*["torch"] * 4)
        told = [str(one.message) for one in caught]
        assert ["It is left out." in text for text in told] == [True, False]
        assert ["Until then it selects nothing." in text for text in told] == [False, True]

    def test_stays_beside_what_is_set_by_function_after_a_refresh_too(self, given):
        functions = given("pp.scale=torch, cuda")
        settings = functions.settings
        for label in ("torch", "cpu"):
            settings.backend = {"tl.umap": label}
            assert where(functions) == expect("cuda", "cuda", "torch", label)
            settings.refresh()
        settings.backend = "cuda"
        settings.backend = {"tl.umap": "cpu"}
        assert where(functions) == expect("cuda", "cuda", "cuda", "cpu")

    @pytest.mark.parametrize("text", ["pp.scale=", "pp.scale=cuda torch", "pp.scale=cudaa"])
    def test_names_the_variable_where_a_label_is_wrong(self, given, text):
        functions = given(text)
        with pytest.raises(UnknownBackendError, match="EXAMPLE_HOST_BACKEND"):
            where(functions)


class TestIsTold:
    def test_by_reading_the_settings(self, settings):
        with settings.use_backend("torch"):
            with settings.use_backend({"pp.*": ["cuda", "cpu"], "pp.scale": "absent?"}):
                assert settings.backend == "torch"
                assert settings.backends == ("torch",)
                assert settings.by_function == {"pp.*": ("cuda", "cpu")}
                with settings.use_backend({"pp.*": "torch"}):
                    assert settings.by_function == {"pp.*": ("torch",)}
            assert settings.by_function == {}

    def test_by_explain_and_trace(self, functions, settings):
        umap, scale = functions.dispatched["tl.umap"], functions.dispatched["pp.scale"]
        settings.backend = "torch"
        with settings.use_backend({"tl.*": "cuda", "pp.*": "cpu"}), settings.trace() as trace:
            assert [umap(), umap(), scale(), scale()] == ["cuda", "cuda", "cpu", "cpu"]
            decision = settings.explain(umap)
        assert (decision.backend, decision.reason) == ("cuda", "selected by use_backend")
        assert [record.backend for record in trace.records] == ["cuda", "cuda", "cpu", "cpu"]
        assert {record.reason for record in trace.records} == {"selected by use_backend"}
        with settings.use_backend({"tl.*": "cuda"}):
            decision = settings.explain(scale)
        assert (decision.backend, decision.reason) == ("torch", "selected by settings.backend")

    def test_by_the_page_of_the_settings(self, settings):
        settings.backend = {"tl.*": ["absent?", "torch"], "pp.scale": "cuda"}
        shown = " ".join(str(settings).split())
        assert "process - warn others for pp.scale, tl.*" in shown
        assert "tl.* torch - settings.backend left out absent: is not installed" in shown
        with settings.use_backend("torch"):
            assert "By function" not in str(settings)
        with settings.use_backend({"tl.*": "cuda"}, "torch"):
            assert "block torch - others for tl.*" in " ".join(str(settings).split())


class TestCarried:
    @pytest.fixture
    def snapshot(self, settings):
        with settings.use_backend("torch"), settings.use_backend({"pp.*": "cuda", "tl.*": "cpu"}):
            return settings.snapshot()

    def test_by_a_snapshot(self, functions, snapshot):
        text = type(snapshot).from_json(snapshot.to_json())
        for one in (snapshot, pickle.loads(pickle.dumps(snapshot)), text):
            assert one == snapshot
            with one:
                assert where(functions) == expect("cuda", "cuda", "cuda", "cpu")
        assert "pp.*: 'cuda'" in repr(snapshot)
        assert snapshot.backends == ("torch",)

    def test_by_a_pickled_block(self, functions, settings):
        block = settings.use_backend({"pp.scale": ["absent?", "cuda"]}, "torch")
        assert "use_backend({'pp.scale': ['absent?', 'cuda']}, 'torch')" in repr(block)
        with pickle.loads(pickle.dumps(block)):
            assert where(functions) == expect("torch", "torch", "cuda", "torch")


def test_a_broken_backend_of_one_function_is_told_when_the_block_is_entered(make_functions, site):
    site.backend("broken", "raise RuntimeError('no driver')")
    functions = make_functions(untrusted="allow")
    block = functions.settings.use_backend({"tl.umap": "broken"})
    with pytest.raises(BackendLoadError):
        block.__enter__()
    with functions.settings.use_backend({"tl.umap": "broken?", "pp.*": "cuda"}):
        assert where(functions) == expect("cuda", "cuda", "cuda")


@pytest.mark.parametrize(
    ("block", "setting", "reason"),
    [
        ({"fallback": "error"}, "cuda", "selected by settings.backend"),
        ({"backend": {"tl.umap": "torch"}}, "cuda", "selected by settings.backend"),
        ({"backend": "torch"}, {"pp.scale": "cuda"}, "selected by use_backend"),
    ],
)
def test_setting_a_backend_in_a_block_is_told_as_that_unless_the_block_had_chosen(
    functions, settings, block, setting, reason
):
    with settings.use_backend(**block):
        settings.backend = setting
        decision = settings.explain(functions.dispatched["pp.scale"])
    assert (decision.backend, decision.reason) == ("cuda", reason)


def test_a_call_takes_no_mapping(functions):
    with pytest.raises(UnknownBackendError, match=r"not dict; give use_backend what"):
        functions.dispatched["pp.scale"](backend={"pp.scale": "cuda"})
