"""What `inspect.signature` shows of a decorated function."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from inspect import Parameter, signature
from typing import Any

import pytest


@pytest.fixture
def shown(dispatcher):
    """Give the signature of a decorated function as text."""

    def shown(func, **options):
        public = dispatcher.backend_dispatch(name="func", **options)(func)
        assert [*signature(func).parameters] == [
            name
            for name in signature(public).parameters
            if name != options.get("selector", "backend")
        ]
        return [
            (parameter.name, parameter.kind, parameter.default)
            for parameter in signature(public).parameters.values()
        ]

    return shown


@pytest.mark.parametrize(
    ("func", "place"),
    [
        (lambda: None, 0),
        (lambda data: None, 1),
        (lambda data, /, factor=1: None, 2),
        (lambda data, *, copy=False: None, 2),
        (lambda data, **options: None, 1),
        (lambda data, *, copy, **options: None, 2),
        (lambda **options: None, 0),
    ],
)
def test_the_selector_is_keyword_only_and_last_but_for_keywords(shown, func, place):
    assert shown(func)[place] == ("backend", Parameter.KEYWORD_ONLY, None)


def test_without_a_selector_the_signature_is_the_hosts(shown):
    assert [name for name, *_ in shown(lambda data: None, selector=None)] == ["data"]


def umap(adata: list, *, min_dist: float = 0.5, **options: int) -> dict[str, float]:
    return {}


@pytest.fixture
def public(dispatcher):
    return dispatcher.backend_dispatch(umap)


def test_the_signature_reads_as_the_hosts_with_the_selector_added(public):
    own = signature(umap)
    assert str(signature(public).replace(parameters=[])) == f"() -> {own.return_annotation!r}"
    parameters = signature(public).parameters
    assert [*parameters] == ["adata", "min_dist", "backend", "options"]
    for name, parameter in own.parameters.items():
        assert parameters[name] == parameter
    assert str(signature(public)) == str(own).replace(
        "**options", f"{parameters['backend']}, **options"
    )


def test_the_signature_binds_as_the_call_does(public):
    bound = signature(public).bind(1, backend="mine", tiles=2)
    assert bound.arguments == {"adata": 1, "backend": "mine", "options": {"tiles": 2}}
    with pytest.raises(TypeError, match="missing a required argument: 'adata'"):
        signature(public).bind(backend="mine")


def test_a_decorator_outside_that_wraps_shows_the_same(public):
    @functools.wraps(public)
    def outer(*args, **kwargs):
        return public(*args, **kwargs)

    @functools.wraps(outer)
    def outermost(*args, **kwargs):
        return outer(*args, **kwargs)

    assert signature(outer) == signature(outermost) == signature(public)


def test_two_signatures_of_the_same_parameters_are_equal(dispatcher, public):
    again = dispatcher.backend_dispatch(name="again")(umap)
    assert signature(public) == signature(again)
    assert hash(signature(public)) == hash(signature(again))
    assert signature(public) != signature(umap)
    assert signature(umap) != signature(public)


def plain(found):
    return inspect.Signature(
        [*found.parameters.values()], return_annotation=found.return_annotation
    )


def test_the_signature_is_written_as_a_plain_signature(public):
    assert isinstance(signature(public), inspect.Signature)
    assert repr(signature(public)) == repr(plain(signature(public)))


def test_the_signature_equals_a_plain_signature_of_the_same_parameters(public):
    assert signature(public) == plain(signature(public))
    assert plain(signature(public)) == signature(public)


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        lambda found: pickle.loads(pickle.dumps(found)),
        lambda found: found.replace(),
        lambda found: found.__class__.__replace__(found),  # what copy.replace does from 3.13 on
    ],
    ids=["copied", "deep-copied", "pickled", "replaced", "replaced by copy"],
)
def test_a_copy_equals_it_and_does_not_need_it(public, duplicate):
    found = duplicate(signature(public))
    assert found == signature(public)
    assert str(found) == str(signature(public))
    assert type(found) is inspect.Signature


def test_the_selector_takes_anything_as_far_as_frameworks_can_tell(public):
    assert signature(public).parameters["backend"].annotation is Any
