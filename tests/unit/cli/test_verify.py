import json
from xml.etree import ElementTree as ET

import pytest

ADAPTER = """
name = "fast"
__all__ = ["scale", "clustr"]
def scale(values, factor=2.0): ...
def clustr(values): ...
"""


@pytest.fixture(autouse=True)
def installed(site, host):
    site.backend("fast", ADAPTER, reference="fast_cells", distribution="fast-cells", group=host)


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_the_option_fail_on_chooses_what_fails_the_command(run, site, fail_on, status):
    source = "name = 'fast'\n__all__ = ['scale']\ndef scale(values, factor=2.0): ...\n"
    site.write("fast_cells.py", source)
    assert run("verify", "cells:dispatcher", "--fail-on", fail_on).status == status


def test_every_backend_is_verified_where_none_is_named(run, site, host):
    site.backend(
        "slow", "name='slow'", reference="slow_cells", distribution="slow-cells", group=host
    )
    ran = run("verify", "cells:dispatcher")
    assert "fast (fast-cells 1.0) of cells" in ran.out
    assert "slow (slow-cells 1.0) of cells" in ran.out


def test_a_host_without_backends_says_so(run, bare):
    assert run("verify", "bare:dispatcher").out == "There is no backend to verify.\n"


def test_the_json_holds_the_functions(run):
    (result,) = json.loads(run("verify", "cells:dispatcher", "--json").out)
    assert result["functions"] == {"cluster": False, "scale": True}


def test_verification_is_written_for_continuous_integration_into_a_file(run, tmp_path):
    file = tmp_path / "verify.xml"
    ran = run(
        "verify", "cells:dispatcher", "--format", "junit", "--fail-on", "never", "-o", str(file)
    )
    assert (ran.status, ran.out, ran.err) == (0, "", f"wrote {file}\n")
    assert ET.parse(file).getroot().get("failures") == "0"  # noqa: S314 - our own


def test_the_host_itself_cannot_be_verified(run):
    ran = run("verify", "cells:dispatcher", "-b", "cpu")
    assert (ran.status, "'cpu' is the host itself" in ran.err) == (2, True)


def test_a_broken_backend_has_status_1(run, site, host):
    site.install("torn", entry_points={"torn": "torn"}, group=host, modules={"torn": "1 / 0"})
    ran = run("verify", "cells:dispatcher", "-b", "torn")
    assert (ran.status, "ZeroDivisionError" in ran.err) == (1, True)


def test_an_optional_backend_that_cannot_be_had_is_left_out(run, site, host):
    site.install("torn", entry_points={"torn": "torn"}, group=host, modules={"torn": "1 / 0"})
    ran = run("verify", "cells:dispatcher", "-b", "torn?", "-b", "fast?", "--fail-on", "never")
    assert (ran.status, "fast (fast-cells 1.0) of cells" in ran.out) == (0, True)
    assert ran.err.startswith("left out: Backend 'torn' of cells")
