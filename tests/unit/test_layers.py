"""Who may import what, where the layer contract of import-linter cannot see it.

The contract in ``pyproject.toml`` keeps the modules of the package apart. Here stand the rules
about everything else: one module imports adapters, one reads package metadata, and an optional
partner is imported by the one file, or package, that needs it.
"""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import scverse_backends

PACKAGE = Path(scverse_backends.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

OPTIONAL = {
    "_cli/magics": {"IPython"},
    "dask_plugin": {"dask", "distributed"},
    "pytest_plugin": {"pytest"},
    "sphinx_ext": {"docutils", "sphinx"},
}


@cache
def nodes(source):
    return [*ast.walk(ast.parse(source))]


def imported_by(source):
    """Every module that a file names in an import, ``from a import b`` as ``a`` and ``a.b``."""
    for node in nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_by(source):
    """Every attribute and name that a file's code mentions."""
    for node in nodes(source):
        if isinstance(node, ast.Attribute):
            yield node.attr
        if isinstance(node, ast.Name):
            yield node.id


def modules_where(condition):
    """Name the rooms of the modules of which something is true, once for each module."""
    found = [path for path in MODULES if condition(path.read_text(encoding="utf-8"))]
    return [path.relative_to(PACKAGE).parts[0] for path in found]


def imports_by_name(source):
    importing = {"import_module", "__import__", "load_module", "exec_module"}
    return not importing.isdisjoint(used_by(source))


def loads_an_entry_point(source):
    """Whether a file calls ``something.load()``, which takes no argument where it imports."""
    for call in (node for node in nodes(source) if isinstance(node, ast.Call)):
        bare = not (call.args or call.keywords)
        if bare and isinstance(call.func, ast.Attribute) and call.func.attr == "load":
            return True
    return False


def reads_metadata(source):
    return "importlib.metadata" in set(imported_by(source))


def third_parties(source):
    roots = {name.partition(".")[0] for name in imported_by(source)}
    newer = {"annotationlib"}  # is in the standard library since Python 3.14
    return roots - sys.stdlib_module_names - newer - {"scverse_backends", "typing_extensions"}


def test_a_single_module_imports_adapters():
    assert modules_where(imports_by_name) == ["_backends"]


def test_no_module_loads_entry_points_by_itself():
    assert modules_where(loads_an_entry_point) == []


def test_a_single_module_reads_package_metadata():
    assert modules_where(reads_metadata) == ["_backends"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_the_standard_library_and_at_most_its_own_partner(path):
    partners = third_parties(path.read_text(encoding="utf-8"))
    place = path.relative_to(PACKAGE).as_posix()
    allowed = [own for owner, own in OPTIONAL.items() if place.startswith(owner)]
    assert partners <= set().union(*allowed)


@pytest.mark.parametrize(
    ("rule", "broken_by"),
    [
        (imports_by_name, "from importlib import import_module\nimport_module('backend')"),
        (imports_by_name, "__import__('backend')"),
        (loads_an_entry_point, "entry_point.load()"),
        (reads_metadata, "def late():\n    import importlib.metadata"),
        (reads_metadata, "from importlib import metadata"),
        (reads_metadata, "from importlib.metadata import entry_points"),
        (third_parties, "import numpy.linalg"),
        (third_parties, "def late():\n    from sphinx.application import Sphinx"),
    ],
)
def test_the_rules_see_an_offence(rule, broken_by):
    assert rule(broken_by)


HOST = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from scverse_backends import BackendDispatcher
made = BackendDispatcher(
    entrypoint_group="host.backends",
    host_name="host",
    trusted_backends={"accel": {"package": "host-accel"}},
)
@made.backend_dispatch
def scale(data, factor=2, *, copy=False, **options):
    \"\"\"Scale.

    Parameters
    ----------
    factor
        By how much.
    \"\"\"
@made.backend_dispatch(name="tl.steps")
def steps(data):
    yield data
scale([1])
new = sorted(set(sys.modules) - before)
import json
print(json.dumps(new))
"""


@pytest.fixture(scope="module")
def imported_at_start():
    """The modules that a fresh interpreter holds because of a host that decorates functions."""
    program = HOST
    # Without site, so that no .pth file of the environment imports anything beforehand.
    command = [sys.executable, "-I", "-S", "-c", program, str(PACKAGE.parent)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(finished.stdout))


def test_a_host_that_decorates_needs_nothing_but_the_standard_library(imported_at_start):
    roots = {name.partition(".")[0] for name in imported_at_start}
    assert roots - sys.stdlib_module_names == {"scverse_backends"}


def test_a_host_that_decorates_leaves_the_slow_modules_alone(imported_at_start):
    slow = {"asyncio", "importlib.metadata", "inspect", "tomllib", "typing_extensions"}
    assert imported_at_start & slow == set()
