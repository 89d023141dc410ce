"""The signatures of every public function of three libraries, written and read."""

from __future__ import annotations

import ast
import importlib
import inspect
import warnings

import pytest

from scverse_backends.manifest import Opaque, read_signature, write_signature

LIBRARIES = {
    "numpy": "char ctypeslib fft lib linalg ma polynomial random rec strings testing",
    "scipy": "cluster.hierarchy cluster.vq constants datasets differentiate fft integrate interpolate"
    " io linalg ndimage odr optimize signal sparse sparse.linalg sparse.csgraph spatial special"
    " stats stats.contingency stats.qmc",
    "sklearn": "base calibration cluster compose covariance cross_decomposition datasets"
    " decomposition discriminant_analysis dummy ensemble feature_extraction feature_selection"
    " gaussian_process impute inspection isotonic kernel_approximation kernel_ridge linear_model"
    " manifold metrics mixture model_selection multiclass multioutput naive_bayes neighbors"
    " neural_network pipeline preprocessing random_projection semi_supervised svm tree utils",
}


def modules(library):
    yield importlib.import_module(library)
    for name in LIBRARIES[library].split():
        try:
            yield importlib.import_module(f"{library}.{name}")
        except ModuleNotFoundError:  # of another release
            continue


def public_functions(library):
    """Give the public functions and classes, and their public methods, that have a signature."""
    seen = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in modules(library):
            for name in getattr(module, "__all__", dir(module)):
                try:
                    found = getattr(module, name, None)
                except ImportError:  # scikit-learn wants to be asked for what is experimental
                    continue
                if not name.startswith("_") and callable(found):
                    seen.setdefault(f"{module.__name__}.{name}", found)
                    for method in dir(found) if inspect.isclass(found) else ():
                        if not method.startswith("_"):
                            member = getattr(found, method, None)
                            seen.setdefault(f"{module.__name__}.{name}.{method}", member)
    for name, found in seen.items():
        try:
            yield name, inspect.signature(found)
        except (TypeError, ValueError):  # of a compiled function
            continue


def literal(value):
    """Tell whether Python itself reads a value from what it writes for it."""
    try:
        return type(ast.literal_eval(repr(value))) is type(value)
    except (ValueError, SyntaxError):
        return False


@pytest.mark.parametrize(("library", "least"), [("numpy", 900), ("scipy", 1500), ("sklearn", 1000)])
def test_every_signature_survives_writing_and_reading(library, least):
    count = 0
    for name, signature in public_functions(library):
        text = write_signature(signature)
        back = read_signature(text)
        assert write_signature(back) == text, name
        pairs = zip(back.parameters.values(), signature.parameters.values(), strict=True)
        for ours, theirs in pairs:
            assert (ours.name, ours.kind) == (theirs.name, theirs.kind), name
            if isinstance(ours.default, Opaque):
                assert not literal(theirs.default), name
            else:
                assert ours.default == theirs.default, name
        count += 1
    assert count > least
