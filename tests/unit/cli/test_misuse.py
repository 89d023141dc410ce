import pytest


@pytest.mark.parametrize("words", [[], ["lst"], ["list", "--jsn"]])
def test_a_wrong_command_line_has_status_2_and_points_to_the_help(run, words):
    ran = run(*words)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("scverse-backends: error: ")
    assert "--help" in ran.err


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"]])
def test_help_shows_examples(run, words):
    ran = run(*words)
    assert ran.status == 0
    assert "_backends:dispatcher" in ran.out
    assert "  scverse-backends " in ran.out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "cellz:dispatcher",
            "cannot import 'cellz' (ModuleNotFoundError: No module named 'cellz')",
        ),
        ("cells", "name the dispatcher as module:attribute; there is cells:dispatcher"),
        ("json", "name the dispatcher as module:attribute"),
        ("cells:dispatchr", "cells has no attribute 'dispatchr'; did you mean 'dispatcher'?"),
        ("cells:settings", "cells has no attribute 'settings'; there is cells:dispatcher"),
        (
            "cells:scale",
            "cells:scale is a function, not a BackendDispatcher; there is cells:dispatcher",
        ),
        ("json:JSONDecoda", "json has no attribute 'JSONDecoda'; did you mean 'JSONDecoder'?"),
        ("json:nothing_of_the_kind", "json has no attribute 'nothing_of_the_kind'"),
    ],
)
def test_what_is_no_dispatcher_is_refused_with_the_nearest(run, host, target, message):
    ran = run("list", target)
    assert ran.status == 2
    assert ran.err == f"scverse-backends: error: {message}\n"


def test_a_host_that_cannot_be_imported_is_refused_with_its_error(run, site):
    site.write("torn.py", "raise SystemExit('no licence')")
    ran = run("list", "torn:dispatcher")
    assert ran.status == 2
    assert "cannot import 'torn' (SystemExit: no licence)" in ran.err


def test_a_host_where_the_user_stands_is_found(run, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "standing_here.py").write_text(
        "from scverse_backends import BackendDispatcher\n"
        "dispatcher = BackendDispatcher(entrypoint_group='x.backends', host_name='x')\n"
    )
    monkeypatch.chdir(folder)
    for _ in range(2):
        assert run("list", "standing_here:dispatcher").out == "No backend is installed.\n"
