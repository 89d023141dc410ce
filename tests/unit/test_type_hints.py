"""The annotations of public callables are found by `typing.get_type_hints`, as frameworks do it."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing

import pytest

import scverse_backends
import scverse_backends.typing
from scverse_backends import exceptions, manifest, records, testing

MODULES = (scverse_backends, exceptions, manifest, records, testing)
PUBLIC = {name: getattr(module, name) for module in MODULES for name in module.__all__}


def callables():
    """Give every public function and method, by its full name."""
    for name, found in PUBLIC.items():
        if inspect.isfunction(found):
            yield name, found
        if inspect.isclass(found):
            yield name, found
            for member, method in inspect.getmembers(found):
                plain = getattr(method, "fget", method)
                is_public = member == "__init__" or not member.startswith("_")
                if is_public and inspect.isfunction(plain):
                    yield f"{name}.{member}", plain


FOUND = dict(callables())


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
def test_every_name_in_an_annotation_is_found(found):
    assert not any(isinstance(hint, str) for hint in typing.get_type_hints(found).values())


def test_what_a_method_returns_is_the_public_class():
    assert typing.get_type_hints(scverse_backends.Settings.explain)["return"] is records.Decision
    register = scverse_backends.BackendDispatcher.register
    assert typing.get_type_hints(register)["return"] is records.Registration


def test_annotations_are_found_where_nothing_else_was_imported():
    program = (
        "import sys, typing, scverse_backends\n"
        "assert 'scverse_backends.records' not in sys.modules\n"
        "print(typing.get_type_hints(scverse_backends.Settings.trace)['return'].__name__)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "Trace\n"


def test_the_package_has_no_other_attributes_that_are_made_late():
    with pytest.raises(AttributeError, match="has no attribute 'recordz'"):
        _ = scverse_backends.recordz


def test_the_types_of_dispatched_functions_can_be_named_at_run_time():
    assert inspect.isclass(scverse_backends.typing.Dispatched)
    assert scverse_backends.typing.Labels
