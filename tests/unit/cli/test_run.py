"""``run``: a script under a selection, with a report on standard error."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

import scverse_backends

HOST = """
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(
    entrypoint_group="{name}.backends", host_name="{name}", untrusted="allow",
    ignorable=["n_jobs"],
)
@dispatcher.backend_dispatch
def scale(values, factor=1.0, *, n_jobs=1): return "host"
@dispatcher.backend_dispatch
def cluster(values): return "host"
"""
BACKEND = """
name = "fast"
__all__ = ["scale"]
def scale(values, factor=2.0):
    if values is None: raise ValueError("no values")
    return "fast"
"""
SCRIPT = """
import sys
import cells

def main():
    for _ in range(2):
        print(cells.cluster([1]))

print(cells.scale([1], n_jobs=2))
main()
"""


@pytest.fixture
def play(site, tmp_path):
    """Run scripts in a process where two hosts can be imported, for both of which fast is there."""
    for name in ("cells", "tissues"):
        site.write(f"{name}.py", HOST.format(name=name))
        points = {"fast": f"fast_{name}"}
        modules = {f"fast_{name}": BACKEND}
        group = f"{name}.backends"
        site.install(f"fast-{name}", entry_points=points, modules=modules, group=group)
    folder = tmp_path / "work"
    folder.mkdir()

    def play(*words, script=SCRIPT):
        (folder / "script.py").write_text(dedent(script), encoding="utf-8")
        folders = [str(Path(scverse_backends.__file__).parents[1]), str(site.folder)]
        kept = {name: value for name, value in os.environ.items() if "_BACKEND" not in name}
        ran = subprocess.run(
            [sys.executable, "-m", "scverse_backends", "run", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**kept, "PYTHONPATH": os.pathsep.join(folders)},
        )
        return SimpleNamespace(status=ran.returncode, out=ran.stdout, err=ran.stderr, folder=folder)

    return play


def test_a_script_runs_on_the_backend_and_is_reported(play):
    ran = play("--backend", "cells=fast", "script.py")
    assert (ran.status, ran.out) == (0, "fast\nhost\nhost\n")
    script = ran.folder / "script.py"
    assert f"{script}:7: BackendFallbackWarning: cluster: 'fast' does not implement it" in ran.err
    report = ran.err.partition("scverse-backends run script.py\n")[2]
    assert report.startswith("cells: 3 calls\n  time      ")
    assert "  backends  fast (fast-cells 1.0)\n" in report
    assert "script.py:7  cluster   2 " in report
    assert "\n        fast does not implement it\n" in report
    assert "ignored n_jobs; default factor=2.0 (host: 1.0)" in report
    assert max(map(len, report.splitlines())) <= 80


@pytest.mark.parametrize("choice", ["CELLS=fast", "fast", "cells=cpu,fast"])
def test_a_host_is_named_as_in_its_variable_or_not_at_all(play, choice):
    expected = "host" if "cpu" in choice else "fast"
    assert play("-b", choice, "script.py").out.startswith(f"{expected}\n")


def test_several_hosts_each_have_their_own(play):
    script = "import cells, tissues; print(cells.scale([1]), tissues.scale([1]))"
    ran = play("-b", "cells=fast", "-b", "tissues=cpu", "script.py", script=script)
    assert ran.out == "fast host\n"
    assert "cells: 1 call" in ran.err
    assert "tissues: 1 call" in ran.err


def test_labels_alone_are_for_the_first_host_and_the_others_are_told(play):
    script = "import cells, tissues; print(cells.scale([1]), tissues.scale([1]))"
    ran = play("-b", "fast", "script.py", script=script)
    assert (ran.status, ran.out) == (2, "fast host\n")
    assert "--backend fast was taken for 'cells', the first host; not for 'tissues'" in ran.err


def test_labels_alone_leave_a_host_that_is_named_with_its_own(play):
    script = "import cells, tissues; print(cells.scale([1]), tissues.scale([1]))"
    ran = play("-b", "cells=cpu", "-b", "fast", "script.py", script=script)
    assert (ran.status, ran.out) == (0, "host fast\n")


@pytest.mark.parametrize(
    ("words", "script", "said"),
    [
        (["-b", "cellz=fast"], "import cells", "no host 'cellz' was imported; there were: 'cells'"),
        (["-b", "cells=fast"], "", "no host 'cells' was imported; there was none"),
        (["-b", "fast"], "", "--backend fast had no effect: no host was imported"),
        (["-b", "cells=cpu", "-b", "fast"], "import cells", "no other host was imported"),
    ],
)
def test_a_choice_without_effect_is_told(play, words, script, said):
    ran = play(*words, "script.py", script=script)
    assert ran.status == 2
    assert said in ran.err


@pytest.mark.parametrize("choice", ["pp.scale=fast", "*=fast", "fast,scale=cpu"])
def test_a_function_where_a_host_should_stand_is_told_before_anything_runs(play, choice):
    ran = play("-b", choice, "script.py", script="print('ran')")
    assert (ran.status, ran.out) == (2, "")
    assert f"write HOST={choice}" in ran.err


@pytest.mark.parametrize("first", ["", "cells=", "CELLS="])
def test_two_choices_for_one_host_are_refused_before_anything_runs(play, first):
    words = ("-b", f"{first}fast", "-b", f"{first.lower()}cpu", "script.py")
    ran = play(*words, script="print('ran')")
    assert (ran.status, ran.out) == (2, "")
    assert "--backend is given twice for one host; write --backend HOST=LABEL,LABEL" in ran.err


def test_an_unknown_label_ends_the_script_that_needs_it(play):
    ran = play("-b", "cells=fats", "script.py")
    assert ran.status == 1
    assert "CELLS_BACKEND" in ran.err
    assert "Did you mean 'fast'?" in ran.err


def test_the_policy_holds_for_hosts_that_are_named_and_that_are_not(play):
    for choice, policy, status in (("cells=fast", "error", 1), ("fast", "silent", 0)):
        ran = play("-b", choice, "--fallback", policy, "script.py")
        assert (ran.status, "Warning" in ran.err) == (status, False)
    script = "import cells; cells.dispatcher.settings.backend = 'fast'; cells.cluster([1])"
    assert play("--fallback", "error", "script.py", script=script).status == 1


def test_a_fallback_fails_the_run_if_that_is_asked_for(play):
    words = ("-b", "cells=fast", "--fallback", "silent", "--fail-on", "fallback", "script.py")
    assert play(*words).status == 1
    assert play(*words, script="import cells; cells.scale([1])").status == 0
    assert play(*words, script="import cells, sys; cells.cluster([1]); sys.exit()").status == 1
    assert play(*words, script="import cells, sys; cells.cluster([1]); sys.exit(5)").status == 5


def test_a_host_that_is_switched_off_fails_the_run_too(play):
    words = ("-b", "cells=fast", "script.py")
    script = "import os; os.environ['CELLS_BACKEND_OFF'] = '1'; import cells; cells.scale([1])"
    ran = play("--fail-on", "fallback", *words, script=script)
    assert ran.status == 1
    assert "warning: CELLS_BACKEND_OFF is set: cells ran every call itself" in ran.err
    assert play(*words, script=script).status == 0


def test_calls_of_every_thread_and_after_the_script_are_reported(play):
    script = """
        import atexit, cells, threading
        threading.Thread(target=cells.scale, args=([1],)).start()
        atexit.register(cells.scale, [1])
    """
    assert "cells: 2 calls" in play("-b", "cells=fast", "script.py", script=script).err


def test_processes_that_the_script_starts_have_the_selection(play):
    script = """
        import multiprocessing
        def ask(_):
            import cells
            return cells.scale([1])
        if __name__ == "__main__":
            import cells
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(ask, [1]))
    """
    for choice in ("cells=fast", "fast"):
        assert play("-b", choice, "script.py", script=script).out == "['fast']\n"


def test_a_script_that_only_starts_processes_is_no_failure(play):
    code = "import cells; print(cells.scale([1]))"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    ran = play("-b", "cells=fast", "script.py", script=script)
    assert (ran.status, ran.out) == (0, "fast\n")
    assert "warning: --backend cells=fast had no effect here" in ran.err
    # Labels alone wait for a host in this process.
    assert play("-b", "fast", "script.py", script=script).status == 2


def test_a_forked_child_reports_nothing(play):
    script = "import cells, os\nif os.fork(): os.wait()\nelse: cells.scale([1])"
    assert (
        play("-b", "cells=fast", "script.py", script=script).err.count("scverse-backends run") == 1
    )


def test_a_script_that_raises_is_reported_below_its_traceback(play):
    ran = play("-b", "cells=fast", "script.py", script="import cells\ncells.scale(None)")
    assert ran.status == 1
    assert ran.err.startswith("Traceback (most recent call last):\n")
    assert ran.err.index("ValueError: no values") < ran.err.index("cells: 1 call")
    assert "1 raised" in ran.err
    assert "_cli" not in ran.err


def test_the_lines_of_the_script_are_shown_with_what_ran_there(play):
    elsewhere = "exec(compile('cells.scale([1])', 'elsewhere', 'exec'))\n"
    ran = play("-b", "cells=fast", "--line-profile", "script.py", script=SCRIPT + elsewhere)
    lines = {line.split()[-1]: line for line in ran.err.splitlines() if line.strip()}
    assert lines["print(cells.cluster([1]))"].split()[:1] == ["2"]
    assert " cpu " in lines["print(cells.cluster([1]))"]
    assert lines["cells"].split() == ["3", "import", "cells"]


def test_a_report_is_written_as_json(play):
    ran = play("-b", "cells=fast", "--report", "r.json", "script.py", "--own", "word")
    written = json.loads((ran.folder / "r.json").read_text(encoding="utf-8"))
    assert written["program"] == "script.py --own word"
    (trace,) = written["traces"]
    assert [record["function"] for record in trace["records"]] == ["scale", "cluster", "cluster"]
    assert trace["provenance"]["backends"]["fast"]["version"] == "1.0"
    assert "wrote " in ran.err


def test_a_report_is_written_as_a_page_that_needs_nothing_else(play):
    script = f"import os; os.chdir('/'){SCRIPT}"
    ran = play("-b", "cells=fast", "--report", "r.html", "script.py", script=script)
    page = (ran.folder / "r.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "Trace of cells: 3 calls" in page
    assert '<figure class="timeline">' in page
    assert "http" not in page


def test_markdown_shows_names_as_they_are(play):
    script = "import cells\nexec(compile('cells.cluster(1)', '<made>', 'exec'))"
    ran = play("-b", "cells=fast", "--report", "r.md", "script.py", "my_x|", "__y__", script=script)
    written = (ran.folder / "r.md").read_text(encoding="utf-8")
    assert written.startswith("# What ran where: script.py my_x\\| \\_\\_y\\_\\_\n")
    assert "## cells: 1 call" in written
    assert "| line | function | calls | time | note |" in written
    assert "| \\<made>:1 |" in written
    assert "fast does not implement it |" in written


def test_a_report_that_cannot_be_written_is_told(play):
    script = "import os; os.mkdir('r.md')"
    ran = play("--report", "r.md", "script.py", script=script)
    assert ran.status == 0
    assert "cannot write" in ran.err


def test_a_run_without_calls_says_so(play):
    assert "cells: 0 calls" in play("script.py", script="import cells").err
    assert "No host was imported." in play("script.py", script="").err


def test_a_run_that_begins_where_the_host_is_imported_already_sees_its_calls(play):
    script = "import cells; cells.scale([1])"
    module = "import runpy, sys, cells\nsys.argv = ['run', 'run', '-b', 'fast', 'script.py']\n"
    module += "runpy.run_module('scverse_backends', run_name='__main__')"
    first = play("script.py", script=script)
    (first.folder / "start.py").write_text(module, encoding="utf-8")
    ran = play("start.py", script=script)
    assert "cells: 1 call" in ran.err


def test_calls_beyond_a_limit_are_counted_in_the_report_and_fail_the_run_too(play):
    words = ("-b", "cells=fast", "--fallback", "silent", "--most-calls", "1", "script.py")
    ran = play("--fail-on", "fallback", *words)
    assert (ran.status, "cells: 1 call, and 2 not recorded (2 fell back)\n" in ran.err) == (1, True)


def test_a_quiet_run_shows_what_the_script_shows(play):
    assert play("-q", "-b", "cells=fast", "--fallback", "silent", "script.py").err == ""
    ran = play("--quiet", "-b", "cellz=fast", "script.py")
    assert ran.err.startswith("scverse-backends: error: --backend cellz=fast had no effect")
