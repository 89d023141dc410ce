"""What is known of a backend from its manifest, while its adapter cannot be imported."""

from __future__ import annotations

import inspect
import zipfile
from textwrap import dedent
from typing import ClassVar

import pytest

from scverse_backends.exceptions import (
    BackendLoadError,
    BackendRegistrationWarning,
    UnknownBackendError,
    UntrustedBackendError,
    UntrustedBackendWarning,
    UnusedBlockWarning,
)
from scverse_backends.testing import verify

from .conftest import MANIFEST, MODULE


def test_discovery_shows_signatures_and_documentation(ship, site, dispatcher, scale):
    ship()
    dispatcher.discover()
    assert str(inspect.signature(scale)) == (
        "(values, factor=2, *, backend: Any = None, tile_size: 'int' = 64)"
    )
    assert "\ntile_size\n" in inspect.getdoc(scale)
    assert "How many values to work on at once." in scale.__doc__
    assert "With backend ``'tiled'``, ``factor`` is ``3`` by default." in scale.__doc__
    with pytest.raises(TypeError, match="'tile_size' is an option of backend 'tiled'"):
        scale([1], tile_size=2)
    assert site.imported() == set()


def test_labels_are_listed_and_suggested(ship, site, dispatcher):
    ship()
    assert dispatcher.available_backend_names() == ["tiled", "tiled_point", "tiles"]
    assert dispatcher.settings.available_backends() == ["tiled"]
    (info,) = dispatcher.backends()
    assert (info.name, info.state) == ("tiled", "installed")
    with pytest.raises(UnknownBackendError, match="Did you mean 'tiles'"):
        dispatcher.settings.use_backend("tilse")
    assert site.imported() == set()


def test_an_alias_is_resolved_up_to_the_moment_of_entering(ship, site, dispatcher):
    ship()
    ship("schema = 1\nname = 'other'", distribution="other", name="other", module="other")
    block = dispatcher.settings.use_backend("TILES")
    assert site.imported() == set()
    with pytest.warns(UntrustedBackendWarning), pytest.raises(BackendLoadError, match="nobody was"):
        block.__enter__()
    # The failed import leaves only the package behind, and the other backend is not asked.
    assert site.imported() <= {"tiled"}


def test_an_adapter_without_manifest_is_still_asked(ship, site, dispatcher):
    ship()
    site.backend(
        "plain", "name = 'plain'\naliases = ['simple']", reference="plain", distribution="plain"
    )
    with pytest.warns(UnusedBlockWarning), pytest.warns(UntrustedBackendWarning, match="plain"):
        dispatcher.settings.use_backend("simple")
    assert site.imported() == {"plain"}
    assert dispatcher.settings.available_backends() == ["plain", "tiled"]


def test_the_loaded_adapter_takes_the_place_of_its_manifest(ship, site, dispatcher, scale):
    adapter = """
        name = "tiled"
        aliases = ["tiles"]
        renames = {"scale": {"factor": "by"}}
        __all__ = ["scale"]
        def scale(values, by=3, *, tile_size=64):
            return [value * by for value in values]
        """
    ship(modules={"tiled.adapter": adapter}, distribution="tiled", module="tiled.adapter")
    dispatcher.discover()
    described = inspect.getdoc(scale)
    with pytest.warns(UntrustedBackendWarning):
        assert scale([1], factor=5, backend="tiles") == [5]
    assert inspect.signature(scale).parameters["tile_size"].annotation is inspect.Parameter.empty
    assert inspect.getdoc(scale).count("\ntile_size\n") == described.count("\ntile_size\n") == 1
    dispatcher.refresh()
    assert "\ntile_size\n" in inspect.getdoc(scale)


def test_after_a_refresh_manifests_are_read_anew(ship, site, dispatcher, scale):
    ship()
    dispatcher.discover()
    ship(MANIFEST.replace("tile_size", "block_size").replace('"tiles"', '"blocks"'))
    dispatcher.refresh()
    assert "\nblock_size\n" in inspect.getdoc(scale)
    assert "tile_size" not in scale.__doc__
    parameters = [*inspect.signature(scale).parameters]
    assert parameters == ["values", "factor", "backend", "block_size"]
    assert dispatcher.available_backend_names() == ["blocks", "tiled", "tiled_point"]


def test_a_backend_that_failed_to_load_is_still_shown_and_not_available(ship, dispatcher, scale):
    ship()
    with pytest.warns(UntrustedBackendWarning), pytest.raises(BackendLoadError):
        dispatcher.get_backend("tiled")
    dispatcher.discover()
    assert "\ntile_size\n" in inspect.getdoc(scale)
    assert dispatcher.settings.available_backends() == []


def test_names_inside_of_namespaces_and_methods_are_described(ship, dispatcher):
    head = 'schema = 1\nname = "tiled"\n[functions.hidden]\n'
    described = {"tl.embed": "(data, *, neighbors=15)", "Model.build": "(path, *, strict=True)"}
    ship(head + "".join(f'[functions."{f}"]\nsignature = "{s}"\n' for f, s in described.items()))
    decorate = dispatcher.backend_dispatch
    shown = [decorate(name=name)(lambda data: None) for name in ("tl.embed", "hidden")]
    shown.append(decorate(name="Model.build")(lambda path: None))
    dispatcher.discover()
    added = [[*inspect.signature(func).parameters][2:] for func in shown]
    assert added == [["neighbors"], [], ["strict"]]


def test_what_the_adapter_always_works_with_is_known(ship, dispatcher, scale):
    ship(f"{dedent(MANIFEST)}\n[fixed.scale]\nfactor = '3'\nlike = 'numpy.float32'\n")
    dispatcher.discover()
    (fit,) = verify(dispatcher, "tiled").functions
    unknown, always = fit.of("unknown-fixed", "fixed-parameter")
    assert (fit.state, unknown.parameter) == ("partly", "like")
    assert always[-3:] == ("factor", "2", "3")


def test_a_manifest_that_is_not_for_this_adapter_is_not_there(ship, site, dispatcher):
    ship("schema = 1\nadapter = 'tiled.adapter:Other'\nname = 'tiled'")
    assert [info.name for info in dispatcher.backends()] == ["tiled_point"]


@pytest.mark.parametrize("value", ["tiled..adapter", "/etc/x", ".adapter", "a b"])
def test_what_is_no_module_has_no_manifest(site, dispatcher, value):
    site.install("odd", entry_points={"odd": value})
    assert [info.name for info in dispatcher.backends()] == ["odd"]


class TestRefused:
    """A backend that may not run is not read either."""

    def test_the_manifest_of_a_refused_backend_is_not_read(self, ship, make_dispatcher):
        ship("this is no TOML")
        dispatcher = make_dispatcher(untrusted="refuse")
        dispatcher.discover()
        assert [info.name for info in dispatcher.backends()] == ["tiled_point"]

    def test_the_manifest_of_a_blocked_backend_is_not_read(
        self, ship, site, dispatcher, monkeypatch
    ):
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "tiled-point")
        ship("this is no TOML")
        dispatcher.discover()
        (info,) = dispatcher.backends()
        assert (info.name, info.state) == ("tiled_point", "refused")
        assert "SCVERSE_BACKENDS_BLOCK" in info.reason

    def test_a_backend_is_blocked_by_a_name_that_only_its_manifest_tells(
        self, ship, site, dispatcher, monkeypatch
    ):
        monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "tiles")
        ship()
        with pytest.warns(BackendRegistrationWarning, match="'tiles' is blocked"):
            dispatcher.discover()
        with pytest.raises(UntrustedBackendError, match="'tiles' is blocked"):
            dispatcher.get_backend("tiled_point")
        assert site.imported() == set()
        assert [info.state for info in dispatcher.backends()] == ["refused"]

    def test_the_manifest_of_an_impostor_is_not_read(self, ship, make_dispatcher):
        ship("this is no TOML")
        dispatcher = make_dispatcher(trusted_backends={"tiled_point": {"package": "real"}})
        with pytest.warns(UntrustedBackendWarning, match="tiled"):
            dispatcher.discover()
        dispatcher.discover()  # the tests make errors of warnings


class TestOnceLoaded:
    """A manifest that is not true of its adapter is reported once, and the adapter wins."""

    ADAPTER: ClassVar = {
        "name": "name = 'tiled'",
        "aliases": "aliases = ['tiles']",
        "renames": "renames = {'scale': {'factor': 'by'}}",
        "scale": "def scale(values, by=3, *, tile_size: int = 64): return [by]",
    }

    def use(self, ship, dispatcher, **changes):
        source = "\n".join({**self.ADAPTER, **changes}.values())
        ship(modules={"tiled.adapter": source})
        with pytest.warns(UntrustedBackendWarning):
            return dispatcher.get_backend("tiled_point")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"name": "name = 'other'"}, "name 'tiled', and the adapter 'other'"),
            ({"aliases": "aliases = ['bits']"}, r"aliases \['tiles'\], and the adapter \['bits'\]"),
            ({"renames": "renames = {}"}, "renames .*'by'.*, and the adapter {}"),
            (
                {"fixed": "fixed = {'scale': {'factor': 2, 'like': object()}}"},
                "fixed {}, and the adapter {'scale': {'factor': '2', 'like': 'opaque'}}",
            ),
        ],
    )
    def test_about_itself(self, ship, dispatcher, change, said):
        with pytest.warns(BackendRegistrationWarning, match=said) as caught:
            self.use(ship, dispatcher, **change)
        (warning,) = (w.message for w in caught if w.category is BackendRegistrationWarning)
        assert warning.distribution == "tiled"
        assert "scverse-backends manifest write tiled.adapter" in str(warning)
        assert [info.name for info in dispatcher.backends()] == [
            "other" if "name" in change else "tiled"
        ]

    @pytest.mark.parametrize(
        ("scale_source", "said"),
        [
            ("def scale(values, by=4, *, tile_size: int = 64): return [by]", r"\(values, by=4"),
            ("def scale(values, *, by=3, tile_size: int = 64): return [by]", r"\(values, \*, by"),
            ("def scale(values, by, *, tile_size: int = 64): return [by]", r"\(values, by, \*"),
            ("def scale(values, by=object(), *, tile_size=64): return [3]", "opaque"),
            ("scale = type('scale', (), {})", r"has \(values, by=3.*, and the adapter class"),
        ],
    )
    def test_about_a_function(self, ship, dispatcher, scale, scale_source, said):
        self.use(ship, dispatcher, scale=scale_source)
        explain = dispatcher.settings.explain
        with pytest.warns(BackendRegistrationWarning, match=said) as caught:
            explain(scale, [1], 2, backend="tiled")
        assert "'scale'" in str(caught[0].message)
        explain(scale, [1], backend="tiled")

    @pytest.mark.parametrize(
        ("changes", "name", "said"),
        [
            ({"scale": ""}, "scale", "and the adapter nothing, for 'scale'"),
            ({"more": "def more(values): return values"}, "more", "has nothing, and the adapter"),
        ],
    )
    def test_about_a_function_that_is_not_there_or_that_it_does_not_list(
        self, ship, dispatcher, changes, name, said
    ):
        self.use(ship, dispatcher, **changes)
        func = dispatcher.backend_dispatch(name=name)(lambda values: values)
        with pytest.warns(BackendRegistrationWarning, match=said):
            dispatcher.settings.explain(func, [1], backend="tiled")

    def test_words_and_annotations_may_differ(self, ship, dispatcher, scale):
        source = "def scale(values: list, by=3, *, tile_size=64): return [by]"
        self.use(ship, dispatcher, scale=source)
        assert scale([1], backend="tiled") == [3]


class TestInZipFiles:
    """Code in a zip file, whose distribution's metadata lies elsewhere."""

    @pytest.fixture
    def archive(self, site, monkeypatch):
        site.install("zipped", entry_points={"zipped": "pack.adapter"})
        path = site.folder / "code.zip"

        def archive(files, damage=None):
            with zipfile.ZipFile(path, "w") as made:
                for name, text in files.items():
                    made.writestr(name, text)
            if damage:
                path.write_bytes(path.read_bytes().replace(*damage))
            monkeypatch.syspath_prepend(str(path))

        return archive

    @pytest.mark.parametrize(
        ("more", "name"),
        [({"pack/adapter.toml": "schema = 1\nname = 'packed'"}, "packed"), ({}, "zipped")],
    )
    def test_a_manifest_is_found_where_there_is_one(self, archive, site, dispatcher, more, name):
        archive({"pack/__init__.py": MODULE, **more})
        assert [info.name for info in dispatcher.backends()] == [name]
        assert site.imported() == set()

    def test_a_damaged_manifest_in_a_zip_file_is_reported(self, archive, dispatcher):
        files = {"pack/__init__.py": MODULE, "pack/adapter.toml": "schema = 1\nname = 'packed'"}
        archive(files, damage=(b"'packed'", b"'parked'"))
        with pytest.warns(BackendRegistrationWarning, match="cannot be read: BadZipFile"):
            dispatcher.backends()


def test_a_coroutine_function_in_place_of_a_plain_one_is_a_disagreement(ship, dispatcher):
    ship(
        "schema = 1\nname = 'tiled'\n[functions.fetch]\nsignature = '(key)'",
        modules={"tiled.adapter": "name = 'tiled'\nasync def fetch(key): ..."},
    )

    @dispatcher.backend_dispatch
    async def fetch(key): ...

    told = r"has \(key\), and the adapter async \(key"
    with (
        pytest.warns(UntrustedBackendWarning),
        pytest.warns(BackendRegistrationWarning, match=told),
    ):
        dispatcher.settings.explain(fetch, 1, backend="tiled")


def test_another_order_of_aliases_is_no_disagreement(ship, make_dispatcher):
    ship(
        "schema = 1\nname = 'tiled'\naliases = ['b', 'a']",
        modules={"tiled.adapter": "name = 'tiled'\naliases = ['a', 'b']"},
    )
    dispatcher = make_dispatcher(untrusted="allow")
    assert dispatcher.get_backend("a") is dispatcher.get_backend("b")


def test_what_a_manifest_says_is_shown_no_more_once_its_adapter_is_refused(ship, make_dispatcher):
    ship(modules={"tiled.adapter": "name = 'fast'"})
    rules = {"fast": {"package": "fast-backend"}}
    dispatcher = make_dispatcher(untrusted="allow", trusted_backends=rules)
    assert [info.name for info in dispatcher.backends()] == ["tiled"]
    with pytest.raises(UntrustedBackendError, match="belongs to the trusted backend 'fast'"):
        dispatcher.get_backend("tiled")
    assert [(info.name, info.state) for info in dispatcher.backends()] == [
        ("tiled_point", "refused")
    ]
