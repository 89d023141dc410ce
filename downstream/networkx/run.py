"""Run NetworkX's own tests twice, without us and through our loopback, and compare every test.

    python downstream/networkx/run.py            the whole suite
    python downstream/networkx/run.py --part     a representative part, in a minute or two

It needs this library, networkx (3.6 or later), numpy, scipy, pytest and pytest-xdist. What NetworkX
has skipped for want of another package is skipped in both runs. The exit status is 0 if each test
ends in the same way in both, and nine in ten of the dispatched functions that the tests call really
went through dispatch.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from networkx_host import dispatcher, nx, refused

WHOLE = ["networkx"]
# All that takes its tests less than a quarter of a minute.
PART = [
    "networkx.algorithms.assortativity",
    "networkx.algorithms.bipartite",
    "networkx.algorithms.centrality",
    "networkx.algorithms.coloring",
    "networkx.algorithms.community",
    "networkx.algorithms.components",
    "networkx.algorithms.link_analysis",
    "networkx.algorithms.minors",
    "networkx.algorithms.operators",
    "networkx.algorithms.shortest_paths",
    "networkx.algorithms.traversal",
    "networkx.algorithms.tree",
    "networkx.generators",
    "networkx.linalg",
    "networkx.readwrite",
    "networkx.tests",
    "networkx.utils",
]
OUTCOMES = ("passed", "failed", "error", "skipped")
NEEDED_SHARE = 0.9

HERE = Path(__file__).parent
LOOPBACK = [
    "-pscverse_backends.pytest_plugin",
    "--scverse-backend=loopback",
    "--scverse-backend-dispatcher=networkx_host:dispatcher",
    "--scverse-backend-report=report.json",
]


def run_tests(folder, packages, workers, *options):
    """Run NetworkX's tests in a process of their own; give how each of them ended."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    common = ["--quiet", "-pno:cacheprovider", "--junitxml=tests.xml", f"--numprocesses={workers}"]
    command = [sys.executable, "-m", "pytest", "-cpytest.ini", *common, *options]
    # NetworkX's tests have a --backend option of their own.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "SCVERSE_BACKENDS_PYTEST_PREFIX": "scverse-",
        "PYTEST_ADDOPTS": "",
    }
    finished = subprocess.run(
        [*command, "--pyargs", *packages],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if not (folder / "tests.xml").exists():
        sys.exit(f"The tests did not run:\n{finished.stdout}{finished.stderr}")
    cases = ET.parse(folder / "tests.xml").iter("testcase")  # noqa: S314 - pytest wrote it
    ended = [(f"{case.get('classname')}::{case.get('name')}", outcome(case)) for case in cases]
    return Counter(ended), finished.stdout.rstrip().splitlines()[-1]


def outcome(case):
    """Tell how one test ended."""
    kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
    return next((kinds[child.tag] for child in case if child.tag in kinds), "passed")


def show(title, ended, last_line):
    """Say how many tests ended in which way."""
    counts = Counter(dict.fromkeys(OUTCOMES, 0))
    for (_, how), count in ended.items():
        counts[how] += count
    numbers = ", ".join(f"{counts[name]} {name}" for name in OUTCOMES)
    print(f"{title:12} {ended.total()} collected: {numbers}\n{'':12} pytest says: {last_line}")


def show_route(report):
    """Say how much of what was called went through dispatch, and give that share."""
    functions = report["functions"]
    through = [name for name, counts in functions.items() if counts["ran"]]
    share = len(through) / max(len(functions), 1)
    calls = sum(counts["ran"] + counts["host"] for counts in functions.values())
    print(
        f"{len(through)} of the {len(functions)} dispatched functions that the tests called went "
        f"through dispatch ({share:.1%}), with {report['ran']} of {calls} calls; the other calls "
        "are those of a function by itself, which stay with it."
    )
    for name, counts in functions.items():
        if counts["fell_back"] or not counts["ran"]:
            print(f"  {name}: {counts}")
    return share


def main():
    """Run both, compare, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", action="store_true", help="run a representative part")
    parser.add_argument("--workers", type=int, default=2, help="processes to use (2)")
    options = parser.parse_args()
    packages = PART if options.part else WHOLE
    print(f"NetworkX {nx.__version__}: {', '.join(packages)}")
    print(f"{len(dispatcher.dispatched)} functions are dispatched; {len(refused)} cannot be:")
    for reason in refused.values():
        print(f"  {reason}")
    with tempfile.TemporaryDirectory() as folder:
        without, last_line = run_tests(Path(folder), packages, options.workers)
        show("without us", without, last_line)
        ours, last_line = run_tests(Path(folder), packages, options.workers, *LOOPBACK)
        show("with us", ours, last_line)
        share = show_route(json.loads(Path(folder, "report.json").read_text(encoding="utf-8")))
    differing = sorted({name for name, _ in (without - ours) | (ours - without)})
    print(f"{len(differing)} tests end differently with us.", *differing, sep="\n  ")
    return 1 if differing or share < NEEDED_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
