"""What ``scverse-backends run`` runs does what it does under ``python``: output, status, tracebacks."""

import os
import re
import subprocess
import sys
import zipapp
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

import scverse_backends

pytestmark = pytest.mark.slow

SOURCES = Path(scverse_backends.__file__).parents[1]
SCRIPTS = {
    "ends": "print('done')",
    "exits with a number": "import sys; sys.exit(3)",
    "exits with a text": "import sys; sys.exit('no such cells')",
    "exits at once": "import os; os._exit(4)",
    "raises": """
        def outer():
            inner()
        def inner():
            raise ValueError("wrong")
        outer()
    """,
    "raises with a cause and a note": """
        try:
            {}["key"]
        except KeyError as error:
            wrong = ValueError("wrong")
            wrong.add_note("look here")
            raise wrong from error
    """,
    "has a syntax error": "print('before')\nif True print('after')",
    "has an excepthook": """
        import sys
        sys.excepthook = lambda kind, error, traceback: print(kind, error, traceback.tb_lineno)
        1 / 0
    """,
    "reads stdin": "import sys; print(input(), sys.stdin.read().upper())",
    "uses argparse": """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--backend")
        parser.add_argument("-m", action="store_true")
        parser.add_argument("rest", nargs="*")
        print(parser.parse_args())
    """,
    "says what it is": """
        'What it is.'
        import os, sys
        print(__name__, __file__, __doc__, __package__, __spec__, sys.argv, sys.path[0])
        print(type(__loader__).__name__, __loader__.name, __loader__.path, __builtins__)
        print(sys.modules["__main__"].__dict__ is globals(), sorted(globals()))
    """,
    "imports what stands beside it": "import beside; print(beside.VALUE, beside.__file__)",
    "changes directory": "import os; os.chdir('/'); print(os.getcwd(), __file__)",
    "warns": """
        import warnings
        warnings.warn("old", DeprecationWarning)
        warnings.warn("mine", UserWarning)
    """,
    "leaves a thread behind": """
        import threading, time
        def later():
            time.sleep(0.2)
            print("later", threading.main_thread().is_alive())
        threading.Thread(target=later).start()
        print("main")
    """,
    "registers what happens at its end": """
        import atexit, sys
        atexit.register(print, "at exit", file=sys.stderr)
        sys.exit("ending")
    """,
    "forks": """
        import os, sys
        sys.stdout.flush()
        child = os.fork()
        if child:
            print(os.waitpid(child, 0)[1])
        else:
            print("child")
            sys.exit(5)
    """,
    "forks and raises": """
        import os, sys
        child = os.fork()
        if child:
            print(os.waitpid(child, 0)[1])
        else:
            raise ValueError("in the child")
    """,
    "spawns": """
        import multiprocessing
        class Point:
            def __init__(self, x): self.x = x
        def double(point, answer): answer.put(2 * point.x)
        if __name__ == "__main__":
            context = multiprocessing.get_context("spawn")
            answer = context.SimpleQueue()
            process = context.Process(target=double, args=(Point(4), answer))
            process.start()
            process.join()
            print(answer.get())
        else:
            print(__name__, __file__)
    """,
    "pickles its own class": """
        import pickle
        class Point: pass
        print(pickle.loads(pickle.dumps(Point())).__class__ is Point)
    """,
    "looks at its own source": """
        import inspect, sys
        def double(x):
            return 2 * x
        print(inspect.getsource(double), inspect.getmodule(double))
    """,
    "hides its standard streams": "import sys; sys.stdout.close(); sys.stderr.close()",
    "has future annotations": """
        from __future__ import annotations
        import typing
        def double(x: int) -> "int": ...
        print(typing.get_type_hints(double), double.__annotations__)
    """,
    "has none, and no future of ours": "def double(x: int): ...\nprint(double.__annotations__)",
}
ARGUMENTS = {"uses argparse": ["--backend", "x", "-m", "--", "-b", "one"]}


@dataclass(frozen=True)
class Finished:
    status: int
    out: str
    err: str


def finish(command, folder):
    """Run a command in a folder, as a user would: nothing is imported from there by itself."""
    ran = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        input="first\nsecond\n",
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )
    return Finished(ran.returncode, ran.stdout, ran.stderr)


def both(words, folder, *, module=False):
    """Run a program with Python and with ours, whose report is cut off."""
    as_module = ["-m"] if module else []
    expected = finish([sys.executable, *as_module, *words], folder)
    command = [sys.executable, "-m", "scverse_backends", "run", *as_module, *words]
    ran = finish(command, folder)
    return expected, Finished(ran.status, ran.out, ran.err.partition("\nscverse-backends run")[0])


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    (made / "beside.py").write_text("VALUE = 7\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_as_python_runs_it(folder, name):
    (folder / "script.py").write_text(dedent(SCRIPTS[name]), encoding="utf-8")
    expected, ran = both(["script.py", *ARGUMENTS.get(name, [])], folder)
    assert ran == expected


def test_a_script_in_another_folder_imports_what_stands_beside_it(folder):
    (folder / "script.py").write_text(SCRIPTS["imports what stands beside it"], encoding="utf-8")
    expected, ran = both([f"{folder.name}/script.py"], folder.parent)
    assert ran == expected
    assert "7" in ran.out


@pytest.mark.parametrize("beside", [".", "../{}"])
def test_a_script_is_known_by_the_path_that_was_typed(folder, beside):
    (folder / "script.py").write_text(f"print(__file__){dedent(SCRIPTS['raises'])}", "utf-8")
    expected, ran = both([f"{beside.format(folder.name)}/script.py"], folder)
    assert ran == expected


def test_a_script_may_come_from_standard_input(folder):
    expected, ran = both(["-", "word"], folder)
    assert ran == expected
    assert 'File "<stdin>", line 1' in ran.err
    assert "name 'first' is not defined" in ran.err


def test_a_script_behind_a_link_is_itself(folder):
    (folder / "script.py").write_text(SCRIPTS["imports what stands beside it"], encoding="utf-8")
    (folder.parent / "link.py").symlink_to(folder / "script.py")
    expected, ran = both(["link.py"], folder.parent)
    assert ran == expected


@pytest.mark.parametrize("module", [False, True], ids=["script", "module"])
def test_an_interrupted_script_ends_by_the_signal(folder, module):
    (folder / "script.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    expected, ran = both(["script" if module else "script.py"], folder, module=module)
    assert ran.status == expected.status
    own = "KeyboardInterrupt\n"
    assert ran.err.endswith(own)
    assert expected.err.endswith(own)
    assert module or ran.err == expected.err


MAIN = """
import sys
from . import part
print(__name__, __package__, __spec__.name, sys.argv[1:], part.__name__, sys.path[0])
print(sys.argv[0], __file__)
"""


@pytest.mark.parametrize("name", ["pack", "pack.__main__"])
def test_a_module_runs_as_python_runs_it(folder, name):
    (folder / "pack").mkdir()
    for file, source in {"__init__": "", "part": "", "__main__": MAIN}.items():
        (folder / "pack" / f"{file}.py").write_text(source, encoding="utf-8")
    expected, ran = both([name, "--flag", "x"], folder, module=True)
    assert ran == expected
    assert "['--flag', 'x']" in ran.out


@pytest.mark.parametrize("source", ["import absent_package", "raise SystemExit(4)"])
def test_a_package_that_fails_around_the_module_fails_as_under_python(folder, source):
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text(source, encoding="utf-8")
    (folder / "pack" / "part.py").touch()
    expected, ran = both(["pack.part"], folder, module=True)
    assert (ran.status, ran.out) == (expected.status, expected.out)
    assert ran.err.splitlines()[-3:] == expected.err.splitlines()[-3:]
    assert "scverse_backends" not in ran.err


def test_a_module_that_spawns_runs_as_python_runs_it(folder):
    (folder / "script.py").write_text(dedent(SCRIPTS["spawns"]), encoding="utf-8")
    expected, ran = both(["script"], folder, module=True)
    assert ran == expected


ARCHIVED = """
import sys, inner
print(__name__, __package__, __spec__.name, __file__, sys.argv, sys.path[0], inner.VALUE)
"""


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
def test_what_has_a_main_inside_runs_as_python_runs_it(folder, packed):
    inside = folder / "app"
    inside.mkdir()
    (inside / "__main__.py").write_text(ARCHIVED, encoding="utf-8")
    (inside / "inner.py").write_text("VALUE = 3\n", encoding="utf-8")
    if packed:
        zipapp.create_archive(inside, folder / "app.pyz")
    expected, ran = both(["app.pyz" if packed else "app", "x"], folder)
    assert ran == expected
    assert "app" in ran.out


def test_compiled_code_runs_as_python_runs_it(folder):
    (folder / "script.py").write_text("print(__name__, __file__)", encoding="utf-8")
    code = "import py_compile; py_compile.compile('script.py', cfile='script.pyc')"
    finish([sys.executable, "-c", code], folder)
    expected, ran = both(["script.pyc"], folder)
    assert (ran.status, ran.out) == (expected.status, expected.out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.py"], "cannot open 'absent.py': No such file or directory"),
        (["."], "cannot find '__main__' module in '.'"),
        (["-m", "absent_module"], "no module 'absent_module' that can be run"),
        (["-m", "beside.inner"], "no module 'beside.inner' that can be run"),
        (["-m", "zlib"], "no module 'zlib' that can be run"),
        (["--report", "x.pdf", "beside.py"], "--report writes .json, .html, .md, not 'x.pdf'"),
        (
            ["--report", "no/x.md", "beside.py"],
            "--report cannot write 'no/x.md': there is no folder",
        ),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_run_is_misuse(folder, words, said):
    ran = finish([sys.executable, "-m", "scverse_backends", "run", *words], folder)
    assert ran.status == 2
    assert said in ran.err
    assert ran.out == ""


def test_with_a_safe_path_nothing_is_imported_from_beside_the_script(folder):
    (folder / "script.py").write_text("import beside", encoding="utf-8")
    ran = finish([sys.executable, "-P", "-m", "scverse_backends", "run", "script.py"], folder)
    assert re.search("ModuleNotFoundError: No module named .beside.", ran.err)
