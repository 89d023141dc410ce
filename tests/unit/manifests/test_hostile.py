"""Manifests that are damaged or lie: a warning that names the distribution, and nothing lost."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from scverse_backends import manifest
from scverse_backends.exceptions import (
    BackendRegistrationWarning,
    UntrustedBackendWarning,
)

from .conftest import MANIFEST

ADAPTER = "name = 'tiled'\naliases = ['tiles']\ndef scale(values, factor=2, *, own=1): return 'ran'"
HEAD = "schema = 1\nname = 'tiled'\n"

SIGNED, WRONG = f"{HEAD}[functions.scale]\nsignature = ", "is wrong about 'scale'"
DAMAGED = {
    "no TOML": ("nothing = ", "cannot be read"),
    "cut off": (MANIFEST.encode()[:40], "cannot be read"),
    "cut off between tables": (f"{HEAD}offers = 2\n[functions.scale]\n", "should hold 2"),
    "another encoding": ("schema = 1\nname = 'größer'".encode("utf-16"), "cannot be read"),
    "no text": (bytes(range(256)), "cannot be read"),
    "an endless number": (f"{HEAD}x = {'9' * 9_000}", "cannot be read"),
    "too large": (HEAD.encode() + b"#" * 2**18, "is larger than 256 KiB"),
    "another schema": ("schema = 2\nname = 'tiled'", "has schema 2"),
    "no schema": ("name = 'tiled'", "does not say 'schema'"),
    "a schema that Python cannot print": (
        f"name = 'tiled'\nschema = 0x{'f' * 9_000}",
        "has schema <int",
    ),
    "a number of offers that Python cannot print": (
        f"{HEAD}offers = 0x{'f' * 9_000}",
        "should hold <int",
    ),
    "a list for a name that Python cannot print": (
        f"schema = 1\nname = [0x{'f' * 9_000}]",
        "a string for 'name', not <list",
    ),
    "two tables of one endless name": (
        f"{HEAD}['{'a' * 50_000}']\n['{'a' * 50_000}']",
        "cannot be read",
    ),
    "a schema that is no number": ("schema = true\nname = 'tiled'", "an integer for 'schema'"),
    "no name": ("schema = 1", "does not say 'name'"),
    "a name that is none": ("schema = 1\nname = 'ti led'", "`name` is not valid"),
    "aliases that are no list": (f"{HEAD}aliases = 'tiles'", "a list for 'aliases'"),
    "aliases that are no strings": (f"{HEAD}aliases = [1]", "strings in 'aliases'"),
    "functions that are no table": (f"{HEAD}functions = []", "a table for 'functions'"),
    "a function that is no table": (f"{HEAD}functions.scale = 1", "a table for 'scale'"),
    "renames of one to another twice": (
        f"{HEAD}[renames.scale]\na = 'x'\nb = 'x'",
        "the same name",
    ),
    "a fixed value that is no text": (f"{HEAD}[fixed.scale]\nfactor = 2", "a string for 'factor'"),
    **{
        f"a fixed value that is {what}": (f"{HEAD}[fixed.scale]\nfactor = '{text}'", WRONG)
        for what, text in {"none": "2 +", "two": "2, b=3", "a signature": "2) -> (3"}.items()
    },
    "fixed values of too many words": (f"{HEAD}[fixed.scale]\nfactor = '{'a ' * 21_000}'", "20000"),
    "a signature that is none": (f"{SIGNED}'values'", WRONG),
    "a signature that is code": (f"{SIGNED}'(x=__import__(\"os\").abort()): ...; abort()'", WRONG),
    "a signature of many brackets": (f"{SIGNED}'(x={'(' * 9000}'", WRONG),
    "a signature of a huge number": (f"{SIGNED}'(x={'1' * 30_000})'", WRONG),
    "a signature that nests too deep for Python's parser": (
        f"{SIGNED}'(x={'lambda x=' * 700}0)'",
        WRONG,
    ),
    "a signature of a repeated parameter": (f"{SIGNED}'(x, x)'", WRONG),
    "a signature of a list as a key": (f"{SIGNED}'(x={{[]: 1}}, x)'", WRONG),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_manifest_is_reported_and_the_adapter_asked(
    ship, site, dispatcher, scale, case, recwarn
):
    text, said = DAMAGED[case]
    ship(text, modules={"tiled.adapter": ADAPTER})
    (info,) = dispatcher.backends()
    (warning,) = (found.message for found in recwarn)
    assert isinstance(warning, BackendRegistrationWarning)
    assert (warning.distribution, warning.version) == ("tiled", "1.0")
    assert said in str(warning)
    assert len(str(warning)) < 1000
    assert (info.name, site.imported()) == ("tiled_point", set())
    dispatcher.discover()
    assert "Only with backend ``'tiled'``." in scale.__doc__
    assert "tiles" in dispatcher.available_backend_names()
    assert [found.category for found in recwarn] == [
        BackendRegistrationWarning,
        UntrustedBackendWarning,
    ]


@pytest.mark.parametrize("name", ["a fixed value that is none", "a signature that is none"])
def test_a_file_that_is_read_by_itself_is_read_in_full(name):
    text, said = DAMAGED[name]
    with pytest.raises(manifest.ManifestError, match=said):
        manifest.loads(text.encode())


def test_a_function_called_as_a_hook_is_no_hook(ship, dispatcher, scale):
    ship(
        MANIFEST
        + """
    [functions.should_run]
    signature = "()"
    coroutine = true
    """
    )
    dispatcher.discover()
    assert "tile_size" in scale.__doc__


def test_nothing_in_a_signature_is_run(ship, dispatcher, scale, monkeypatch):
    monkeypatch.delenv("RAN", raising=False)
    default = "__import__('os').environ.setdefault('RAN', 'yes')"
    ship(f'{HEAD}[functions.scale]\nsignature = "(values, *, own: {default} = {default})"')
    dispatcher.discover()
    assert "own" in scale.__doc__
    assert "RAN" not in os.environ


def test_a_folder_in_its_place_is_no_manifest(ship, site, dispatcher):
    site.install("plain", entry_points={"plain": "plain"}, modules={"plain": "name = 'plain'"})
    (site.folder / "plain.toml").mkdir()
    assert [info.name for info in dispatcher.backends()] == ["plain"]


class TestLies:
    """What a manifest claims is judged as what an adapter claims, and none of it is run."""

    TRUSTED: ClassVar = {
        "trusted_backends": {"cuda": {"aliases": ["gpus"], "package": "real-cuda"}}
    }

    @pytest.mark.parametrize("name", ["cuda", "CUDA", "gpus", "cpu", "auto"])
    def test_a_name_that_is_not_its_own(self, ship, site, make_dispatcher, name):
        ship(f"schema = 1\nname = '{name}'")
        dispatcher = make_dispatcher(**self.TRUSTED)
        with pytest.warns(BackendRegistrationWarning, match="claims what is not its own") as caught:
            names = [info.name for info in dispatcher.backends()]
        assert caught[0].message.distribution == "tiled"
        assert (names, site.imported()) == (["tiled_point"], set())

    @pytest.mark.parametrize("alias", ["cuda", "gpus", "gpu", "cpu", "no label"])
    def test_an_alias_that_it_may_not_have(self, ship, site, make_dispatcher, alias):
        ship(f"schema = 1\nname = 'tiled'\naliases = ['{alias}', 'tiles']")
        reserved = {"gpu": "Name the one you mean."}
        dispatcher = make_dispatcher(**self.TRUSTED, reserved_backends=reserved)
        with pytest.warns(BackendRegistrationWarning, match=f"{alias!r} is not accepted") as caught:
            labels = dispatcher.available_backend_names()
        assert caught[0].message.distribution == "tiled"
        assert labels == ["tiled", "tiled_point", "tiles"]
        assert site.imported() == set()

    def test_what_the_adapter_claims_as_well_is_told_once(self, ship, dispatcher):
        said = "name = 'tiled'\naliases = ['cpu']"
        ship(f"schema = 1\n{said}", modules={"tiled.adapter": said})
        with pytest.warns(BackendRegistrationWarning, match="'cpu' is not accepted") as caught:
            dispatcher.backends()
            with pytest.warns(UntrustedBackendWarning):
                dispatcher.get_backend("tiled")
        assert sum(w.category is BackendRegistrationWarning for w in caught) == 1

    def test_the_name_of_another_entry_point(self, ship, site, dispatcher):
        ship("schema = 1\nname = 'other'\naliases = ['mine']")
        site.install("other", entry_points={"other": "other"}, modules={"other": "name = 'other'"})
        told = "other 1.0 also provides a backend named 'other'"
        with pytest.warns(BackendRegistrationWarning, match=told):
            names = [info.name for info in dispatcher.backends()]
        assert (names, site.imported()) == (["other", "tiled_point"], set())

    def test_a_label_that_another_manifest_has_as_well_goes_to_the_first(self, ship, dispatcher):
        for name in ("b", "a"):
            text = f"schema = 1\nname = '{name}'\naliases = ['both']"
            ship(text, distribution=name, name=name, module=name)
        told = "a 1.0 also provides a backend named 'both'"
        with pytest.warns(BackendRegistrationWarning, match=told):
            assert dispatcher.available_backend_names() == ["a", "b", "both"]


def test_a_function_that_should_be_a_class_is_reported(ship, dispatcher):
    ship(f"{HEAD}[functions.Model]\nsignature = '(layers)'")

    @dispatcher.backend_class
    class Model:
        """A model."""

    with pytest.warns(BackendRegistrationWarning, match="Model.*no class"):
        dispatcher.discover()


def test_warnings_made_errors_leave_everything_usable(ship, dispatcher):
    ship("nothing =", modules={"tiled.adapter": ADAPTER})
    with pytest.raises(BackendRegistrationWarning):  # the tests make errors of warnings
        dispatcher.backends()
    assert [info.name for info in dispatcher.backends()] == ["tiled_point"]


@pytest.mark.parametrize(
    "names",
    [
        ["scale", "scale.fast"],
        ["__class__", "__class__.x"],
        ["Model.__mro__"],
        ["", "."],
        ["a b"],
        ["name", "aliases", "renames", "fixed", "can_run", "should_run", "__all__"],
    ],
)
def test_names_that_nest_or_that_no_function_can_have_hide_nothing(ship, dispatcher, scale, names):
    offered = "".join(f"[functions.'{name}']\nsignature = '(x)'\n" for name in names)
    ship(f"{HEAD}aliases = ['tiles']\n{offered}[classes.Model]\n[functions.other]\n")
    assert dispatcher.available_backend_names() == ["tiled", "tiled_point", "tiles"]
    assert [info.name for info in dispatcher.backends()] == ["tiled"]
    dispatcher.discover()


def test_a_number_that_python_cannot_print_is_compared_with_the_adapter(ship, dispatcher, scale):
    source = "name = 'tiled'\ndef scale(values, factor=0xfff): return 'ran'"
    text = f"{SIGNED}'(values, factor=0x{'f' * 9_000})'"
    ship(text, modules={"tiled.adapter": source})
    with pytest.warns(UntrustedBackendWarning):
        dispatcher.get_backend("tiled")
    with pytest.warns(BackendRegistrationWarning, match="for 'scale'"):
        assert scale([1], backend="tiled") == "ran"
