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
import sys
import tempfile
from pathlib import Path

from networkx_host import dispatcher, nx, refused

sys.path.append(str(Path(__file__).parents[1]))

from comparison import differing, loopback, run_tests, show

WHOLE = ["networkx"]
# Some of each kind, none of which takes its tests more than a quarter of a minute.
PART = [
    "networkx.algorithms.components",
    "networkx.algorithms.link_analysis",
    "networkx.algorithms.operators",
    "networkx.algorithms.traversal",
    "networkx.generators",
    "networkx.linalg",
    "networkx.readwrite",
    "networkx.tests",
    "networkx.utils",
]
NEEDED_SHARE = 0.9

HERE = Path(__file__).parent


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
        common = (Path(folder), packages, f"--numprocesses={options.workers}")
        without, last_line = run_tests(*common, modules=HERE)
        show("without us", without, last_line)
        through = loopback("networkx_host:dispatcher")
        ours, last_line = run_tests(*common, *through, modules=HERE)
        show("with us", ours, last_line)
        share = show_route(json.loads(Path(folder, "report.json").read_text(encoding="utf-8")))
    changed = differing(without, ours)
    print(f"{len(changed)} tests end differently with us.", *changed, sep="\n  ")
    return 1 if changed or share < NEEDED_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
