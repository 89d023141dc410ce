"""What all commands share: the console, the help, and wrong words."""

import io
import os
import subprocess
import sys

import pytest

import scverse_backends


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch, run):
    """Run with a terminal for both streams."""

    def run_there(*words):
        out, err = Terminal(), Terminal()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        run(*words)
        return out.getvalue(), err.getvalue()

    monkeypatch.setenv("TERM", "xterm")
    return run_there


@pytest.fixture
def installed(site, host):
    site.install("plain-cells", entry_points={"plain": "plain_cells"}, group=host)


def test_a_terminal_gets_colours(terminal, installed):
    assert "\x1b[2minstalled\x1b[0m" in terminal("list", "cells:dispatcher")[0]


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colours_gets_none(terminal, installed, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    assert "\x1b" not in terminal("list", "cells:dispatcher")[0]


def test_a_file_gets_no_colours(run, installed):
    assert "\x1b" not in run("list", "cells:dispatcher").out


def test_a_terminal_shows_progress_until_the_work_is_done(terminal, installed):
    out, err = terminal("list", "cells:dispatcher")
    assert err == "importing cells ...\r\x1b[K"
    assert "importing" not in out


def test_a_file_gets_no_progress(run, installed):
    assert run("list", "cells:dispatcher").err == ""


def test_foreign_text_cannot_steer_the_terminal(run, installed, monkeypatch):
    monkeypatch.setenv("CELLS_BACKEND", "sly\x1b[2Jcells\u202e")
    out = run("doctor", "cells:dispatcher").out
    assert "CELLS_BACKEND: sly\\x1b[2Jcells\\u202e\n" in out


def test_characters_that_a_stream_cannot_show_are_escaped(monkeypatch, run, site, host):
    site.install("größe", entry_points={"sly": "sly"}, group=host)
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    run("list", "cells:dispatcher")
    assert b"gr\\xf6\\xdfe" in ascii_only.buffer.getvalue()


def test_a_reader_that_stops_reading_ends_the_command_quietly(monkeypatch, run, installed):
    class Closed(io.StringIO):
        encoding = None

        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    ran = run("list", "cells:dispatcher")
    assert (ran.status, ran.err) == (1, "")


def test_a_closed_pipe_ends_the_process_quietly():
    command = [sys.executable, "-m", "scverse_backends", "list", "--help"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait() == 1


def test_an_interrupt_ends_the_command_quietly(run, site):
    site.write("slow.py", "raise KeyboardInterrupt")
    ran = run("list", "slow:dispatcher")
    assert (ran.status, ran.err) == (130, "")


def test_colours_can_be_forced_and_no_colours_are_stronger(run, installed, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[2minstalled\x1b[0m" in run("list", "cells:dispatcher").out
    assert "\x1b[31merror\x1b[0m" in run("lst").err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("list", "cells:dispatcher").out


@pytest.mark.parametrize("place", [0, 2])
def test_a_quiet_command_writes_results_and_errors_only(run, site, host, tmp_path, place):
    site.install("thief", entry_points={"fast": "thief"}, group=host)
    words = ["verify", "cells:dispatcher", "-o", str(tmp_path / "verify.txt")]
    assert run(*words).err
    ran = run(*words[:place], "--quiet", *words[place:])
    assert (ran.status, ran.err) == (0, "")
    assert "error: cannot write" in run("-q", *words[:-1], str(tmp_path / "absent" / "x")).err


def test_a_quiet_terminal_shows_no_progress(terminal, installed):
    assert terminal("list", "cells:dispatcher", "-q")[1] == ""


def test_the_version_is_told(run):
    assert run("--version").out == f"scverse-backends {scverse_backends.__version__}\n"
    assert run("-V").status == 0


@pytest.mark.parametrize("words", [[], ["manifest"]])
def test_without_a_command_the_help_is_shown_with_status_2(run, words):
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("usage: scverse-backends")
    assert "commands:\n" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], "'lst' is no command; did you mean 'list'?"),
        (["manifest", "writ"], "'writ' is no command; did you mean 'write'?"),
        (["zzz"], "'zzz' is no command; choose from run, list, doctor"),
        (["--versoin"], "unexpected option '--versoin'; did you mean '--version'?"),
        (["list", "--jsn"], "unexpected option '--jsn'; did you mean '--json'?"),
        (["list", "a", "b"], "unexpected argument 'b'\n"),
        (["matrix", "x", "--format", "htm"], "'htm' is no value of --format; did you mean 'html'?"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest(run, words, said):
    assert said in run(*words).err


COMMANDS = ("run", "list", "doctor", "explain", "matrix", "verify", "manifest write")


@pytest.mark.parametrize("command", ["", *COMMANDS, "manifest check"])
def test_help_shows_examples_and_fits_into_80_columns(run, command):
    ran = run(*command.split(), "--help")
    assert ran.status == 0
    assert f"  scverse-backends {command}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("words", [["lst"], ["list", "--jsn"]])
def test_a_wrong_command_line_has_status_2_and_points_to_the_help(run, words):
    ran = run(*words)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("scverse-backends: error: ")
    assert "--help" in ran.err


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "cellz:dispatcher",
            "cannot import 'cellz' (ModuleNotFoundError: No module named 'cellz')",
        ),
        (
            "cells",
            (
                "cells does not say where its dispatcher is; "
                "name the dispatcher as module:attribute; there is cells:dispatcher"
            ),
        ),
        (
            "json",
            "json does not say where its dispatcher is; name the dispatcher as module:attribute",
        ),
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


def test_a_host_whose_name_is_misspelt_is_refused_with_the_nearest(run, site, host):
    points = {"cell_host": "cells:dispatcher"}
    site.install("cells-host", entry_points=points, group="scverse_backends.hosts")
    assert "No module named 'cel_host'); did you mean 'cell_host'?" in run("list", "cel_host").err


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
