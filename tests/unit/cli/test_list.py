import json
import sys

ADAPTER = "name = 'fast'\n__all__ = ['scale']\ndef scale(values, factor=1.0): ...\n"


def test_every_group_of_backends_is_found_from_metadata_alone(run, site):
    site.install("fast-cells", entry_points={"fast": "fast_cells"}, group="cells.backends")
    site.install("other", entry_points={"x": "absent:thing"}, group="tests.genes.backends")
    site.install("unrelated", entry_points={"y": "absent"}, group="cells.plugins")
    ran = run("list")
    assert ran.status == 0
    assert (
        "cells.backends\n  NAME  PACKAGE         ENTRY POINT\n  fast  fast-cells 1.0  fast_cells\n"
    ) in ran.out
    assert "  x     other 1.0  absent:thing\n" in ran.out
    assert "cells.plugins" not in ran.out


def test_the_json_holds_every_group(run, site):
    site.install("fast-cells", entry_points={"fast": "fast_cells"}, group="cells.backends")
    groups = {
        found["group"]: found.get("backends") for found in json.loads(run("list", "--json").out)
    }
    (backend,) = groups["cells.backends"]
    assert backend == {
        "name": "fast",
        "entry_point": "fast_cells",
        "distribution": "fast-cells",
        "version": "1.0",
    }


def test_a_distribution_with_damaged_metadata_hides_no_other(run, site):
    site.install("fast-cells", entry_points={"fast": "fast_cells"}, group="cells.backends")
    info = site.install("torn", entry_points={"torn": "torn"}, group="cells.backends")
    (info / "entry_points.txt").write_bytes(b"[cells.backends]\nx = \xff\xfe\n")
    ran = run("list")
    assert "fast-cells 1.0" in ran.out
    assert "torn" in ran.err


def test_hosts_are_listed_that_say_where_their_dispatchers_are(run, site, host):
    points = {"cells": "cells:dispatcher"}
    site.install("cells-host", entry_points=points, group="scverse_backends.hosts")
    assert "hosts\n" in run("list").out
    assert "  cells " in run("list").out
    groups = {found["group"]: found for found in json.loads(run("list", "--json").out)}
    found = {one["name"]: one for one in groups["scverse_backends.hosts"]["hosts"]}
    assert found["cells"]["entry_point"] == "cells:dispatcher"
    assert "cells" not in sys.modules


def test_a_group_that_is_nearly_a_host_s_is_told(run, site):
    points = {"my_cells": "cells:dispatcher"}
    site.install("cells-host", entry_points=points, group="scverse_backends.hosts")
    site.install("lost", entry_points={"x": "absent"}, group="my_cells.backend")
    said = "Something is installed for 'my_cells.backend'; did it mean 'my_cells.backends'?"
    assert said in run("list").out


def test_a_host_is_found_by_its_name(run, site, host):
    points = {"Cell-Host": "cells:dispatcher"}
    site.install("cells-host", entry_points=points, group="scverse_backends.hosts")
    assert run("list", "cell_host").out == "No backend is installed.\n"


def test_two_packages_that_claim_one_host_are_named(run, site, host):
    for name, place in (("one", "cells:dispatcher"), ("two", "tissues:dispatcher")):
        points = {"cells": place}
        site.install(name, entry_points=points, group="scverse_backends.hosts")
    ran = run("list", "cells")
    assert ran.status == 2
    assert "one (cells:dispatcher) and two (tissues:dispatcher)" in ran.err


def test_a_list_without_backends_says_so(run, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    ran = run("list")
    assert "No installed package declares an entry point in a group *.backends" in ran.out


def test_the_backends_of_a_host_are_listed_without_importing_them(run, site, host):
    modules = {"fast_cells": ADAPTER}
    site.install("fast-cells", entry_points={"fast": "fast_cells"}, group=host, modules=modules)
    site.install("plain-cells", entry_points={"plain": "plain_cells"}, group=host)
    ran = run("list", "cells:dispatcher")
    assert ran.out == (
        "NAME   STATE      TRUSTED  PACKAGE          ENTRY POINT\n"
        "fast   installed  yes      fast-cells 1.0   fast_cells\n"
        "plain  installed  no       plain-cells 1.0  plain_cells\n"
    )
    assert "fast_cells" not in sys.modules


def test_a_backend_that_is_refused_is_listed_with_the_reason(run, site, host):
    site.install("thief", entry_points={"fast": "thief"}, group=host)
    ran = run("list", "cells:dispatcher")
    assert "fast  refused  no       thief 1.0  thief\n" in ran.out
    assert "\nfast: it claims the trusted name 'fast', but comes from 'thief'" in ran.out
    assert ran.err.startswith("warning: ")


def test_a_host_without_backends_says_so(run, host):
    assert run("list", "cells:dispatcher").out == "No backend is installed.\n"


def test_where_a_line_is_too_short_the_entry_point_stands_below(run, site, host):
    module = "a_package_with_a_long_name._adapters.for_cells_and_tissues"
    site.install("fast-cells", entry_points={"fast": module}, group=host)
    assert run("list", "cells:dispatcher").out == (
        f"NAME  STATE      TRUSTED  PACKAGE\nfast  installed  yes      fast-cells 1.0\n    {module}\n"
    )


def test_the_json_holds_a_hosts_backends(run, site, host):
    site.install("plain-cells", entry_points={"plain": "plain_cells"}, group=host)
    (backend,) = json.loads(run("list", "cells:dispatcher", "--json").out)
    assert (backend["name"], backend["state"], backend["trusted"]) == ("plain", "installed", False)
