"""What of an adapter is written into its manifest: what hosts can reach, and nothing else."""

import sys

import pytest

from scverse_backends import manifest


@pytest.fixture
def offers(site):
    """Write an adapter module, and list what its manifest describes."""

    def offers(source, reference="mine.adapter", **modules):
        for name, text in {"__init__": "", "adapter": source, **modules}.items():
            site.write(f"mine/{name}.py", text)
        return manifest.describe(reference).offers

    return offers


def test_without_a_list_it_is_what_is_public_and_its_own(offers):
    found = offers(
        """
        import json
        from copy import copy
        from . import tl
        name = "mine"
        METRICS = {"a": print}
        def scale(values): ...
        def _private(): ...
        def can_run(function_name, arguments): return True
        """,
        tl="import json\ndef embed(data): ...",
    )
    assert [*found] == ["scale", "tl.embed"]


def test_with_a_list_it_is_what_is_listed(offers):
    found = offers(
        """
        from types import SimpleNamespace
        from . import tl
        name = "mine"
        __all__ = ["tl", "pp", "scale", "SIZE", "deep.down"]
        SIZE = 3
        def scale(values): ...
        def other(values): ...
        pp = SimpleNamespace(log=scale)
        deep = SimpleNamespace(down=other, more=other)
        """,
        tl="__all__ = ['embed']\ndef embed(data): ...\ndef hidden(data): ...",
    )
    assert sorted(found) == ["deep.down", "pp.log", "scale", "tl.embed"]


def test_an_adapter_class_has_methods_and_namespaces(offers):
    found = offers(
        """
        class Tools:
            def embed(self, data, *, size=2): ...
            @property
            def broken(self): raise RuntimeError
        class Adapter:
            name = "mine"
            tl = Tools()
            def scale(self, values): ...
            @property
            def broken(self): raise RuntimeError("not today")
            class Model:
                def __init__(self, layers=2): ...
                def fit(self): ...
                @classmethod
                def build(cls, path): ...
                @staticmethod
                def load(path, reach=5): ...
        """,
        "mine.adapter:Adapter",
    )
    assert {name: offer.signature for name, offer in found.items()} == {
        "Model": "(layers=2)",
        "Model.build": "(path)",
        "Model.load": "(path, reach=5)",
        "scale": "(values)",
        "tl.embed": "(data, *, size=2)",
    }
    assert found["Model"].kind == "class"


def test_namespaces_may_hold_one_another(offers):
    found = offers(
        """
        from types import SimpleNamespace
        name = "mine"
        def scale(values): ...
        a, b = SimpleNamespace(scale=scale), SimpleNamespace()
        a.b, b.a = b, a
        """
    )
    assert sorted(found) == ["a.scale", "b.a.scale", "scale"]


def test_functions_without_a_readable_signature_are_listed_without(offers):
    found = offers(
        """
        class Odd:
            __doc__ = property(lambda self: 1 / 0)
            __signature__ = property(lambda self: 1 / 0)
            def __call__(self): ...
        name, scale, __all__ = "mine", Odd(), ["scale", "shift"]
        class Named:
            from inspect import Parameter, Signature
            __signature__ = Signature([Parameter("from", Parameter.POSITIONAL_ONLY)])
            def __call__(self, value, /): ...
        shift = Named()
        """
    )
    assert found == {name: manifest.Offer("function", None) for name in ("scale", "shift")}


def test_aliases_in_a_set_are_always_written_in_the_same_order(offers):
    source = "name = 'mine'\naliases = {'e', 'd', 'c', 'b', 'a'}"
    offers(source)
    text = manifest.dumps(manifest.describe("mine.adapter"))
    assert "aliases = ['a', 'b', 'c', 'd', 'e']" in text


@pytest.mark.skipif(sys.version_info < (3, 14), reason="earlier annotations are evaluated at once")
def test_annotations_are_written_as_they_stand_in_the_source_and_not_evaluated(offers):
    found = offers(
        """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from somewhere import AnnData, Table
        name = "mine"
        def scale(data: AnnData, by: list[Table] | None = None) -> AnnData: ...
        class Model:
            def __init__(self, data: AnnData, *, table: missing.Table = 1) -> None: ...
        """
    )
    assert {name: offer.signature for name, offer in found.items()} == {
        "scale": "(data: AnnData, by: list[Table] | None = None) -> AnnData",
        "Model": "(data: AnnData, *, table: missing.Table = 1) -> None",
    }


@pytest.mark.parametrize("default", ["...", "{1, 2}", "set()", "{'a': [1, (2,)], None: {}}", "()"])
def test_a_literal_default_is_written_as_python_writes_it(default):
    text = f"(data, by={default})"
    assert manifest.write_signature(manifest.read_signature(text)) == text


def test_a_default_that_nests_too_deep_is_opaque():
    default = "[" * 20 + "]" * 20
    text = manifest.write_signature(manifest.read_signature(f"(by={default})"))
    assert text == f"(by=opaque('{default}'))"


@pytest.mark.parametrize("names", [["\ue000", "\ud800"], ["\ud800", "\ud801"]])
def test_names_that_no_file_has_bytes_for_are_read_and_written_again_the_same(names):
    facts = {"name": "mine", "aliases": [], "fixed": {name: {} for name in names}}
    offers = {name: manifest.Offer("function", None) for name in names}
    text = manifest.dumps(manifest.Manifest(None, facts, offers))
    assert manifest.dumps(manifest.loads(text.encode())) == text
