"""Whatever is installed where a documentation is built, it is built, and shows what is known."""

import re
import sys

import pytest

from .conftest import install

PAGE = ".. autofunction:: cells.scale\n\n.. backend-matrix::\n"
ON_SCALE = '* adds "tiles=64"'


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import no_such_library", "No module named 'no_such_library'"),
        ("raise SystemExit(3)", "SystemExit"),
        ("name = 3", "name"),
    ],
)
def test_a_backend_that_cannot_be_loaded_breaks_nothing(fast, documentation, source, why):
    install(fast, "sick", source)
    documentation.write(index=PAGE).build()
    assert why in documentation.status
    assert ON_SCALE in documentation.lines()
    assert '* "sick": cells-sick 1.0; what it implements is not known here' in documentation.lines()


def test_a_backend_that_is_not_there_is_named_with_how_to_get_it(cells, documentation):
    documentation.write(index=PAGE).build()
    assert '* "cuda" or "gpu12": "pip install cells-cuda"' in documentation.lines()


def test_a_backend_that_is_there_under_a_trusted_name_is_named_once(cells, documentation):
    install(cells, "cuda", "name = 'cuda'\ndef scale(values): pass", version="12.1")
    documentation.write(index=PAGE).build()
    entries = [line for line in documentation.lines() if line.startswith('* "cuda"')]
    assert entries == ['* "cuda" (cells-cuda 12.1)', '* "cuda" or "gpu12": cells-cuda 12.1']


def test_an_impostor_is_not_shown_and_never_imported(cells, documentation):
    install(cells, "thief", "raise SystemExit", entry_points={"cuda": "thief_cells"})
    documentation.write(index=PAGE).build()
    assert "thief" not in documentation.page()
    assert "thief_cells" not in sys.modules


def test_nothing_is_imported_where_that_is_not_wanted(fast, documentation):
    documentation.write(index=PAGE).build(scverse_backends_load=False)
    assert "fast_cells" not in sys.modules
    assert "Backends:" not in documentation.lines()
    assert '* "fast": cells-fast 1.0; what it implements is not known here' in documentation.lines()


@pytest.mark.parametrize("load", [True, False])
def test_a_manifest_tells_all_where_no_backend_can_be_imported(cells, documentation, load):
    manifest = """
        schema = 1
        adapter = "fast_cells"
        name = "fast"
        aliases = ["quick"]
        offers = 1

        [functions.scale]
        signature = "(values, factor=2.0, *, tiles: int = 64, n_jobs=1)"
        parameters = '''
        tiles : int
            How many values at a time.
        '''
    """
    install(cells, "fast", "raise SystemExit('this machine has none')")
    cells.write("fast_cells.toml", manifest)
    page = documentation.write(index=PAGE)
    page.build(scverse_backends_load=load, extensions=["numpydoc"])
    assert "fast_cells" not in sys.modules
    lines = documentation.lines()
    assert '* "fast" (cells-fast 1.0)' in lines
    assert ON_SCALE in lines
    assert '* has other defaults: "factor=2.0" (host: 1.0)' in lines
    assert any("Only with backend" in line for line in lines)
    assert any(re.fullmatch(r'\| "scale" +\| partly +\|', line) for line in lines)
    assert '* "fast" or "quick": cells-fast 1.0' in lines


def test_a_backend_registered_in_the_process_has_no_version(cells, documentation):
    cells.write(
        "local.py",
        """
        from cells import dispatcher
        class Local:
            name = "local"
            def scale(self, values, factor=1.0, *, copy=True, n_jobs=1):
                return values
        dispatcher.register(Local)
        """,
    )
    page = documentation.write(index=PAGE)
    page.build(scverse_backends_imports=["local"])
    assert documentation.lines().count('* "local"') == 2


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("cels:dispatcher", "No module named 'cels'"),
        ("cells", "there is cells:dispatcher"),
    ],
)
def test_a_wrong_address_is_a_mistake_that_hides_no_other_host(fast, documentation, address, hint):
    page = documentation.write(index=PAGE)
    addresses = [address, "cells:dispatcher"]
    page.build(strict=False, scverse_backends_dispatchers=addresses)
    assert "WARNING: scverse_backends_dispatchers: " in documentation.warnings
    assert hint in documentation.warnings
    assert ON_SCALE in documentation.lines()
    quiet = ["scverse_backends.dispatchers"]
    page.build(scverse_backends_dispatchers=addresses, suppress_warnings=quiet)


def test_hosts_that_import_parts_late_say_which(fast, documentation):
    fast.write(
        "late.py",
        """
        from cells import dispatcher
        @dispatcher.backend_dispatch
        def late(values):
            pass
        """,
    )
    page = documentation.write(index=".. backend-matrix::")
    page.build()
    assert "late" not in documentation.page()
    page.build(scverse_backends_imports=["late"])
    assert "late" in documentation.page()


def test_unused_it_costs_and_says_nothing(documentation):
    documentation.write(index="Nothing").build(scverse_backends_dispatchers=[])
    assert documentation.lines() == ["Nothing"]
