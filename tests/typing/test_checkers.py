"""mypy, pyright and ty agree on what a caller may write.

Nothing runs the snippets. A line that ends with ``# rejected`` must be an error for every
checker, and every other line must be fine for every checker.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SNIPPETS = Path(__file__).parent / "snippets"
FILES = sorted(path.name for path in SNIPPETS.glob("*.py"))


def printed_by(tool, *arguments, folder):
    finished = subprocess.run(
        [Path(sysconfig.get_path("scripts"), tool), *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "FORCE_COLOR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode in {0, 1}, f"{tool} broke down: {finished.stdout}{finished.stderr}"
    return finished.stdout


def mypy(folder):
    python = f"--python-executable={sys.executable}"
    printed = printed_by("mypy", "--strict", python, "--output=json", ".", folder=folder)
    for report in map(json.loads, printed.splitlines()):
        if report["severity"] == "error":
            yield report["file"], report["line"], report["message"]


def pyright(folder):
    folder.joinpath("pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    python = f"--pythonpath={sys.executable}"
    printed = printed_by("pyright", python, "--outputjson", folder=folder)
    for report in json.loads(printed)["generalDiagnostics"]:
        if report["severity"] == "error":
            line = report["range"]["start"]["line"] + 1
            yield Path(report["file"]).name, line, report["message"]


def ty(folder):
    python = f"--python={sys.prefix}"
    printed = printed_by("ty", "check", python, "--output-format=concise", folder=folder)
    for file, line, message in re.findall(r"^(.+?):(\d+):\d+: error(.*)$", printed, re.MULTILINE):
        yield file, int(line), message


@pytest.fixture(scope="module", params=[mypy, pyright, ty], ids=lambda checker: checker.__name__)
def complaints(request, tmp_path_factory):
    # In a folder of their own, the snippets are judged as a caller's code is: by each
    # checker's own rules, and by none of this repository's settings.
    folder = tmp_path_factory.mktemp("caller") / "snippets"
    shutil.copytree(SNIPPETS, folder)
    return list(request.param(folder))


def marked_lines(file):
    lines = SNIPPETS.joinpath(file).read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# rejected")}


@pytest.mark.parametrize("file", FILES)
def test_a_checker_objects_to_the_marked_lines_and_to_no_other(complaints, file):
    messages = {line: message for name, line, message in complaints if name == file}
    marked = marked_lines(file)
    rejected_by_mistake = {line: messages[line] for line in messages.keys() - marked}
    assert rejected_by_mistake == {}
    accepted_by_mistake = marked - messages.keys()
    assert accepted_by_mistake == set()


def test_there_are_snippets_of_both_kinds():
    kinds = {bool(marked_lines(file)) for file in FILES}
    assert kinds == {True, False}
