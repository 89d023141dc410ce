"""Run a package's own tests in a process of their own, and say how each of them ended."""

import os
import re
import subprocess
import sys
from collections import Counter
from xml.etree import ElementTree as ET

OUTCOMES = ("passed", "failed", "error", "skipped")
PREFIX = "scverse-"
"""Stands before our options: the tests may have a --backend of their own."""


def loopback(dispatcher):
    """Give the options of a run through the loopback of a dispatcher, which writes ``report.json``."""
    return [
        "-pscverse_backends.pytest_plugin",
        f"--{PREFIX}backend=loopback",
        f"--{PREFIX}backend-dispatcher={dispatcher}",
        f"--{PREFIX}backend-report=report.json",
    ]


def run_tests(folder, tests, *options, modules, **environment):
    """Run tests of installed packages; give how many of which name ended how, and pytest's last line.

    ``modules`` is the folder of those that the options name.
    """
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    found = folder / "tests.xml"
    found.unlink(missing_ok=True)
    common = ["--quiet", "-pno:cacheprovider", f"--junitxml={found.name}"]
    path = os.pathsep.join([str(modules), *filter(None, [os.environ.get("PYTHONPATH")])])
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-cpytest.ini", *common, *options, "--pyargs", *tests],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": path,
            "SCVERSE_BACKENDS_PYTEST_PREFIX": PREFIX,
            "PYTEST_ADDOPTS": "",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if not found.exists():
        sys.exit(f"The tests did not run:\n{finished.stdout}{finished.stderr}")
    cases = ET.parse(found).iter("testcase")  # noqa: S314 - pytest wrote it
    return Counter(map(ended, cases)), finished.stdout.rstrip().splitlines()[-1]


def ended(case):
    """Give the name of one test, without what is another in each process, and how it ended."""
    kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
    name = re.sub(r" at 0x[0-9a-f]+", "", f"{case.get('classname')}::{case.get('name')}")
    return name, next((kinds[child.tag] for child in case if child.tag in kinds), "passed")


def by_outcome(ended_):
    """Count tests by how they ended."""
    counts = Counter(dict.fromkeys(OUTCOMES, 0))
    for (_, how), count in ended_.items():
        counts[how] += count
    return counts


def differing(one, other):
    """Name the tests that ended differently in two runs.

    What a test is parametrized with may have got a name by being decorated, which pytest then shows. So
    tests that only one run has count as the same if as many of their function ended in the same way.
    """
    mine, theirs = one - other, other - one
    functions = {name.partition("[")[0] for name, _ in (mine + theirs)}
    changed = {f for f in functions if _outcomes(f, mine) != _outcomes(f, theirs)}
    return sorted({name for name, _ in (mine + theirs) if name.partition("[")[0] in changed})


def _outcomes(function, ended_):
    """Count how the tests of one function ended."""
    counts = Counter()
    for (name, how), count in ended_.items():
        counts[how] += count * (name.partition("[")[0] == function)
    return +counts


def show(title, ended_, last_line):
    """Say how many tests ended in which way."""
    numbers = ", ".join(f"{count} {name}" for name, count in by_outcome(ended_).items())
    print(f"{title:12} {ended_.total()} collected: {numbers}\n{'':12} pytest says: {last_line}")
