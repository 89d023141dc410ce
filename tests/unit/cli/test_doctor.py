import json
import os

import pytest

GOOD = """
name = "fast"
aliases = ["swift"]
__all__ = ["scale", "cluster"]
def scale(values, factor=1.0): ...
def cluster(values, n_clusters=8, *, seed=0): ...
"""


@pytest.fixture
def install(site, host):
    """Install a backend of one module for the host."""

    def install(distribution="fast-cells", name="fast", source=GOOD, module=None, **more):
        module = module or distribution.replace("-", "_")
        return site.install(
            distribution,
            entry_points={name: module},
            group=host,
            modules={module: source},
            **more,
        )

    return install


def test_working_backends_give_status_0(run, install):
    install()
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 0
    assert ran.out == (
        "cells: 1 backend in the group 'cells.backends', no problems\n"
        "\n"
        "STATUS  NAME  PACKAGE         TRUSTED  FUNCTIONS\n"
        "ok      fast  fast-cells 1.0  yes      2 of 2\n"
        "    also called swift, quick\n"
        "\n"
        "CELLS_BACKEND: not set\n"
        "CELLS_BACKEND_FALLBACK: not set\n"
        "SCVERSE_BACKENDS_BLOCK: not set\n"
    )


@pytest.mark.parametrize("variable", ["CELLS_BACKEND_OFF", "SCVERSE_BACKENDS_OFF"])
def test_what_keeps_every_call_on_the_host_is_shown(run, install, monkeypatch, variable):
    install()
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("CELLS_BACKEND", "fast")
    ran = run("doctor", "cells:dispatcher")
    assert f"\n{variable}: 1\n" in ran.out
    assert ran.status == 0


@pytest.mark.parametrize("group", ["cells.backend", "cels.backends", "Cells_Backends"])
def test_a_group_that_is_nearly_the_hosts_is_named(run, install, site, group):
    install()
    site.install("lost-cells", entry_points={"lost": "lost_cells"}, group=group)
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert f"something is installed for {group!r}; did it mean 'cells.backends'?" in ran.said


def test_the_group_of_another_host_is_no_problem(run, install, site):
    install()
    site.install("other", entry_points={"other": "other"}, group="cellrank.backends")
    assert run("doctor", "cells:dispatcher").status == 0


def test_a_host_without_backends_has_no_problem(run, host):
    ran = run("doctor", "cells:dispatcher")
    assert (ran.status, "no backends" in ran.out) == (0, True)


def test_a_missing_library_is_reported_with_the_line_that_loads_it(run, install, site):
    source = 'import ctypes\n\nctypes.CDLL("libcuda_of_nobody.so.1")\n'
    install("cuda-cells", "cuda", source)
    install()
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert "broken  cuda  cuda-cells 1.0  no\n" in ran.out
    assert ran.said.count("OSError: libcuda_of_nobody.so.1: cannot open shared object file") == 1
    place = site.folder / "cuda_cells.py"
    assert f'raised at {place}, line 3: ctypes.CDLL("libcuda_of_nobody.so.1")' in ran.said
    assert "ok      fast  fast-cells 1.0" in ran.out


def test_a_blocked_backend_is_shown_and_no_problem(run, install, monkeypatch, site):
    install()
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "fast-cells")
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 0
    assert "it is blocked by SCVERSE_BACKENDS_BLOCK" in ran.out
    assert "SCVERSE_BACKENDS_BLOCK: fast-cells\n" in ran.out
    assert "fast_cells" not in site.imported()


def test_an_adapter_with_a_function_of_another_name_is_reported(run, install):
    install("new-cells", "new", "name = 'new'\n__all__ = ['rescale']\ndef rescale(values): ...\n")
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert "    implements no function of cells\n" in ran.out
    assert (
        "    offers 'rescale', which the host does not dispatch; did you mean 'scale'?\n" in ran.out
    )


def test_a_manifest_that_is_out_of_date_is_a_problem(run, install, site):
    install()
    site.write(
        "fast_cells.toml",
        """
        schema = 1
        name = "fast"
        aliases = ["swift"]
        offers = 2

        [functions.scale]
        signature = "(values, factor=2.0)"

        [functions.cluster]
        signature = "(values, n_clusters=8, *, seed=0)"
        """,
    )
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert "warning  fast  fast-cells 1.0  yes      2 of 2\n" in ran.out
    assert "scverse-backends manifest write fast_cells" in ran.out
    run("manifest", "write", "fast_cells")
    assert run("doctor", "cells:dispatcher").status == 0


def test_a_manifest_that_cannot_be_read_is_a_problem(run, install, site):
    install()
    site.write("fast_cells.toml", "schema =")
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert "1 problem\n" in ran.out


def test_damaged_metadata_is_reported(run, install):
    install()
    info = install("torn-cells", "torn")
    (info / "entry_points.txt").write_bytes(b"[cells.backends]\nx = \xff\xfe\n")
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert "problem: its metadata cannot be read" in ran.out


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("CELLS_BACKEND", "fest", "cells has no backend 'fest' (from the environment variable"),
        ("CELLS_BACKEND", "nowhere=fast", "cells dispatches no function 'nowhere'"),
        ("CELLS_BACKEND", "fest?, fast", "cells has no backend 'fest'"),
        ("CELLS_BACKEND_FALLBACK", "never", "CELLS_BACKEND_FALLBACK='never' is none of"),
    ],
)
def test_a_variable_that_selects_what_is_not_there_is_reported(
    run, install, monkeypatch, variable, value, problem
):
    install()
    monkeypatch.setenv(variable, value)
    ran = run("doctor", "cells:dispatcher")
    assert ran.status == 1
    assert f"{variable}: {value}\n" in ran.out
    assert "problem: " in ran.out
    assert problem in ran.out


def test_the_json_holds_all_of_the_report(run, install):
    install("cuda-cells", "cuda", "raise OSError('no device')")
    install()
    ran = run("doctor", "cells:dispatcher", "--json")
    assert ran.status == 1
    value = json.loads(ran.out)
    assert (value["host"], value["group"], value["problems"]) == ("cells", "cells.backends", [])
    assert value["environment"]["CELLS_BACKEND"] is None
    broken, fine = value["backends"]
    assert (broken["health"], fine["health"]) == ("broken", "ok")
    assert broken["raised_at"].endswith(
        f"{os.sep}cuda_cells.py, line 1: raise OSError('no device')"
    )
    assert fine["labels"] == ["fast", "swift", "quick"]
    assert (broken["functions"], fine["functions"]) == ({}, {"cluster": True, "scale": True})


def test_a_registered_adapter_is_not_examined(run, install, site):
    install()
    site.write(
        "more.py",
        "import cells, types\na = types.SimpleNamespace(name='here')\n"
        "cells.dispatcher.register(a)\n",
    )
    ran = run("doctor", "cells:dispatcher", "-i", "more")
    assert (ran.status, "1 backend" in ran.out) == (0, True)


def test_a_choice_of_the_environment_that_is_blocked_is_a_problem_in_two_sentences(
    run, site, host, monkeypatch
):
    site.install("fast-cells", entry_points={"fast": "fast_cells"}, group=host)
    monkeypatch.setenv("SCVERSE_BACKENDS_BLOCK", "fast-cells")
    monkeypatch.setenv("CELLS_BACKEND", "fast")
    said = run("doctor", "cells:dispatcher").said
    assert "blocked by SCVERSE_BACKENDS_BLOCK. It was selected by the environment" in said
