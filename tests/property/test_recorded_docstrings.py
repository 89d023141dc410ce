"""Real pairs of signatures, documented in numpydoc style, merge as their users would expect."""

import inspect
import json
import typing
from collections.abc import Sequence
from inspect import Parameter, Signature
from pathlib import Path
from types import SimpleNamespace

import pytest
from numpydoc.docscrape import NumpyDocString

DATA = Path(__file__).parents[1] / "data" / "scanpy_rapids_signatures.json"
PAIRS = json.loads(DATA.read_text(encoding="utf-8"))["functions"]


def made(parameters, called):
    """Make a function of these parameters, with an entry for each in its docstring."""
    entries = [f"{found['name']}\n    {called}'s {found['name']}.\n" for found in parameters]

    def func(*args, **kwargs):
        return called

    func.__doc__ = f"Run it.\n\nParameters\n----------\n{''.join(entries)}"
    func.__signature__ = Signature([
        Parameter(
            found["name"],
            getattr(Parameter, found["kind"]),
            default=found.get("default", Parameter.empty),
        )
        for found in parameters
    ])  # fmt: skip
    return func


@pytest.fixture(params=PAIRS)
def merged(request, dispatcher):
    """Give the parameters of both sides, and the public function; any warning is an error."""
    sides = PAIRS[request.param]
    public = dispatcher.backend_dispatch(name="func")(made(sides["host"], "host"))
    mine = SimpleNamespace(name="mine", func=made(sides["backend"], "mine"))
    with dispatcher.register(mine):
        dispatcher.discover()
        yield sides, public


def only_there(sides):
    hosts = {found["name"] for found in sides["host"]}
    named = [found for found in sides["backend"] if not found["kind"].startswith("VAR_")]
    return [found["name"] for found in named if found["name"] not in hosts]


def test_the_signature_has_both_sides_parameters(merged):
    sides, public = merged
    rest = [found["name"] for found in sides["host"] if found["kind"] == "VAR_KEYWORD"]
    own = [found["name"] for found in sides["host"] if found["name"] not in rest]
    shown = [*inspect.signature(public).parameters]
    assert shown == [*own, "backend", *only_there(sides), *rest]


def test_the_docstring_has_them_too(merged):
    sides, public = merged
    read = NumpyDocString(public.__doc__)
    documented = [entry.name for entry in read["Parameters"]]
    assert sorted(documented) == sorted([*(found["name"] for found in sides["host"]), "backend"])
    others = {entry.name: " ".join(entry.desc) for entry in read["Other Parameters"]}
    assert others == {
        name: f"Only with backend ``'mine'``. mine's {name}." for name in only_there(sides)
    }


def test_a_default_that_differs_is_said_where_it_does(merged):
    sides, public = merged
    defaults = {found["name"]: found.get("default") for found in sides["backend"]}
    differing = [
        found["name"]
        for found in sides["host"]
        if found["name"] in defaults
        and None not in (found.get("default"), defaults[found["name"]])
        and found["default"] != defaults[found["name"]]
    ]
    for entry in NumpyDocString(public.__doc__)["Parameters"]:
        said = "With backend ``'mine'``" in " ".join(entry.desc)
        assert said == (entry.name in differing)


def test_its_type_hints_are_found(merged):
    assert typing.get_type_hints(merged[1]) == {"backend": str | Sequence[str] | None}
