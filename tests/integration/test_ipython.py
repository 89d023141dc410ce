"""The IPython extension: magics and completion, in this process, in a real kernel, under nbconvert."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.manager import start_new_kernel
from traitlets.config import Config

import scverse_backends


@pytest.fixture
def shell(world, monkeypatch):
    """A shell in this process, with the extension and a host in it."""
    # A shell puts a module of its own there, from which no process can be started.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.Completer.use_jedi = False
    made.run_cell("%load_ext scverse_backends")
    made.user_ns["host"] = world.load()

    def run(cell):
        with capture_output() as captured:
            ran = made.run_cell(cell)
        error = ran.error_before_exec or ran.error_in_exec
        return SimpleNamespace(error=error, stdout=captured.stdout, outputs=captured.outputs)

    yield SimpleNamespace(run=run, ip=made, name=world.name, host=made.user_ns["host"])
    made.reset(new_session=False)
    InteractiveShell.clear_instance()


def html(ran):
    return "".join(output.data.get("text/html", "") for output in ran.outputs)


def test_a_cell_runs_under_a_selection_with_a_report_below_its_value(shell):
    ran = shell.run(f"%%backend {shell.name}=fast\nfound = host.where()\nfound")
    assert re.search("Out.*: 'fast 1.0'", ran.stdout)
    assert f"Trace of {shell.name}: 1 call" in html(ran)
    assert '<figure class="timeline">' in html(ran)
    assert shell.ip.user_ns["found"] == "fast 1.0"
    assert shell.host.where() == "cpu"


def test_a_value_is_not_shown_where_the_cell_ends_in_a_semicolon(shell):
    assert "Out" not in shell.run(f"%%backend {shell.name}=fast\nhost.where();").stdout


def test_an_empty_cell_is_no_error(shell):
    assert shell.run(f"%%backend {shell.name}=fast\n\n").error is None


def test_a_cell_that_fails_fails_and_is_reported(shell):
    ran = shell.run(f"%%backend {shell.name}=fast\nhost.where()\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "magics.py" not in ran.stdout
    assert f"Trace of {shell.name}: 1 call" in html(ran)
    assert shell.host.where() == "cpu"


def test_magics_and_shell_commands_work_inside_a_cell(shell):
    ran = shell.run(f"%%backend {shell.name}=fast\n%env HOME\nthere = !echo there\nthere[0]")
    assert "there" in ran.stdout


def test_a_selection_by_function_is_read_as_the_environment_reads_it(shell):
    for labels, others in (("where=fast", ("cpu",)), ("where=fast:other, other", ("cpu",))):
        cell = f"%%backend {shell.name}={labels}\nseen = host.where(), host.settings.backends"
        assert shell.run(cell).error is None
        assert shell.ip.user_ns["seen"] == ("fast 1.0", others)


def test_a_line_selects_for_the_session_and_shows_what_is_selected(shell):
    shell.run(f"%backend {shell.name}=fast")
    assert shell.host.where() == "fast 1.0"
    assert f"Settings of {shell.name}" in html(shell.run("%backend"))


def in_another_process(world, lines):
    """Run lines in a shell of a process where this host is the only one; give what it printed."""
    script = [
        "from IPython.core.interactiveshell import InteractiveShell",
        "ip = InteractiveShell.instance()",
        "ip.run_cell('%load_ext scverse_backends')",
        *(f"ip.run_cell({line!r})" for line in lines),
    ]
    folders = [str(Path(scverse_backends.__file__).parents[1]), str(world.site.folder)]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(script)],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(folders),
            "IPYTHONDIR": str(world.site.folder),
        },
    )
    return ran.stdout + ran.stderr


def test_the_only_host_needs_no_name(world):
    lines = [f"import {world.name} as host", "%backend fast", "host.where()"]
    assert "'fast 1.0'" in in_another_process(world, lines)


def test_without_a_host_a_selection_says_what_to_write(world):
    said = in_another_process(world, ["%backend fast"])
    assert "Name the host, as HOST=LABELS: none is imported." in said


def test_a_host_that_says_where_it_is_is_imported(world):
    name, group = "lazy-host", "scverse_backends.hosts"
    points = {name: f"{world.name}:dispatcher"}
    world.site.install("lazy", group=group, entry_points=points)
    lines = [f"%backend {name}=fast", f"import {world.name} as host", "host.where()"]
    assert "'fast 1.0'" in in_another_process(world, lines)


def test_several_hosts_need_their_names(shell, make_dispatcher):
    other = make_dispatcher(host_name="other_host")
    ran = shell.run("%backend fast")
    assert "several are imported" in str(ran.error)
    assert other.host_name in str(ran.error)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%backend {}=fats", "Did you mean 'fast'?"),
        ("%%backend {}=fats\n1", "Did you mean 'fast'?"),
        ("%%backend\n1", "Name a backend"),
        ("%backend {}=", "Name a backend"),
        ("%backend pp.f=fast", "write HOST=pp.f=fast"),
        ("%backend no.such:host=fast", "cannot import 'no.such'"),
        ("%backend no_such_host_at_all=fast", "cannot import 'no_such_host_at_all'"),
    ],
)
def test_what_is_written_wrongly_is_told_without_a_traceback(shell, line, said):
    ran = shell.run(line.format(shell.name))
    assert type(ran.error).__name__ == "UsageError"
    assert said in str(ran.error)


WRITTEN = {
    'host.settings.use_backend("': ["fast", "other", "cpu"],
    'host.settings.use_backend("fa': ["fast"],
    "host.settings.use_backend('fast', 'ot": ["other"],
    "host.where(backend='fa": ["fast"],
    "host.where(backend=['fast', 'ot": ["other"],
    'host.settings.backend = "ot': ["other"],
    "%backend ot": ["other"],
    "%%backend a_host=fast,ot": ["other"],
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("text", WRITTEN)
def test_labels_are_completed_where_a_backend_is_named(shell, text):
    _, found = shell.ip.complete(text, text, len(text))
    assert [label for label in WRITTEN[text] if not any(one.endswith(label) for one in found)] == []
    assert all(one.endswith(tuple(WRITTEN[text])) or text.endswith('"') for one in found)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_completion_imports_no_backend_and_leaves_other_text_alone(shell, world):
    shell.ip.complete('use_backend("', 'use_backend("', 13)
    assert f"{world.name}_fast" not in sys.modules
    _, found = shell.ip.complete("pri", "pri", 3)
    assert "fast" not in found
    assert "print" in found


def test_loading_the_extension_again_changes_nothing(shell):
    before = len(shell.ip.Completer.custom_matchers)
    shell.run("%reload_ext scverse_backends")
    assert len(shell.ip.Completer.custom_matchers) == before


@pytest.mark.slow
def test_a_real_kernel_runs_a_cell_and_completes_a_label(world, monkeypatch):
    folders = [str(world.site.folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    shown = []
    try:
        for cell in (
            f"%load_ext scverse_backends\nimport {world.name} as host",
            "%%backend fast\nhost.where()",
            "%backend other",
            "host.where()",
        ):
            client.execute_interactive(
                cell, timeout=60, output_hook=lambda message: shown.append(message["content"])
            )
        client.complete('host.settings.use_backend("fa')
        while True:
            reply = client.get_shell_msg(timeout=60)
            if reply["msg_type"] == "complete_reply":
                break
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    data = [content["data"] for content in shown if "data" in content]
    assert [one["text/plain"].partition("\n")[0] for one in data] == [
        "'fast 1.0'",
        f"Trace of {world.name}: 1 call",
        "'other 1.0'",
    ]
    assert "text/html" in data[1]
    assert reply["content"]["matches"] == ["fast"]
