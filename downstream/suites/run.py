"""Run the tests that packages carry in their wheels: undecorated, decorated, and through our loopback.

    python downstream/suites/run.py                            a few files of each that is installed
    python downstream/suites/run.py sklearn                    those of one package
    python downstream/suites/run.py scipy.stats test_stats     this file, of the package's tests
    python downstream/suites/run.py --write                    and write the table for the documentation

All public functions and classes of a package are decorated from outside and put wherever the package has
them. The exit status is 1 if a test ends differently, or if nothing went through dispatch.
"""

import argparse
import json
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from comparison import OUTCOMES, by_outcome, differing, loopback, run_tests

HERE = Path(__file__).parent
TABLE = HERE / "table.md"
SUITES = {
    "scipy.ndimage": ["tests"],
    "scipy.stats": [
        "tests.test_stats",
        "tests.test_hypotests",
        "tests.test_resampling",
        "tests.test_entropy",
        "tests.test_rank",
    ],
    "sklearn": [
        "cluster.tests.test_k_means",
        "decomposition.tests.test_pca",
        "linear_model.tests.test_ridge",
        "metrics.tests.test_ranking",
        "neighbors.tests.test_neighbors",
        "preprocessing.tests.test_data",
    ],
    "statsmodels": [
        "nonparametric.tests",
        "regression.tests.test_regression",
        "stats.tests.test_multi",
        "stats.tests.test_weightstats",
    ],
    "xarray": ["tests.test_combine", "tests.test_computation", "tests.test_concat"],
}
"""The tests of each package, as names of modules below it."""

DISTRIBUTIONS = {"scipy.ndimage": "scipy", "scipy.stats": "scipy", "sklearn": "scikit-learn"}
HEADINGS = (
    *("tests of", "functions", "classes", "tests", *OUTCOMES),
    *("other outcomes decorated", "through the loopback", "calls dispatched"),
)


def tests_in(package, files):
    """Give the modules to run; a file that is named alone is one of the package's own tests."""
    there = [f if "tests" in f.split(".") else f"tests.{f}" for f in files]
    return [f"{package}.{name}" for name in there or SUITES[package]]


def compare(package, tests, *options):
    """Run the tests of one package three times; give its line of the table, and what changed."""
    ways = {
        "undecorated": [],
        "decorated": ["-psuite_host"],
        "loopback": ["-psuite_host", *loopback("suite_host:dispatcher")],
    }
    ended = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for way, own in ways.items():
            found = run_tests(folder, tests, *own, *options, modules=HERE, SUITE=package)
            ended[way], last_line = found
            print(f"{package}, {way}: {last_line}", flush=True)
        read = (json.loads((folder / f"{n}.json").read_bytes()) for n in ("decorated", "report"))
        counts, report = read
    plain = ended["undecorated"]
    changed = {way: differing(plain, ended[way]) for way in ("decorated", "loopback")}
    release = f"{package} {version(DISTRIBUTIONS.get(package, package))}"
    outcomes = by_outcome(plain).values()
    numbers = (*counts.values(), plain.total(), *outcomes, *map(len, changed.values()))
    troubles = [f"{name} ({way})" for way, names in changed.items() for name in names]
    if not report["ran"]:
        troubles.append(f"{package}: nothing went through dispatch")
    return (release, *numbers, report["ran"]), troubles


def table(rows):
    """Write the table as Markdown."""
    lines = (HEADINGS, ("---", *["--:"] * (len(HEADINGS) - 1)), *rows)
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in lines)


def main():
    """Compare, print the table, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("package", nargs="?", choices=SUITES, help="by the name of its import")
    parser.add_argument("files", nargs="*", help="modules of its tests")
    parser.add_argument("--write", action="store_true", help="write the table for the docs")
    parser.add_argument("--pytest", nargs="*", default=[], help="options for pytest")
    options = parser.parse_args()
    wanted = [options.package] if options.package else SUITES
    rows, troubles = [], []
    for package in wanted:
        if find_spec(package.partition(".")[0]):
            tests = tests_in(package, options.files)
            row, changed = compare(package, tests, *options.pytest)
            rows.append(row)
            troubles += changed
    print(table(rows))
    if options.write:
        TABLE.write_text(table(rows), encoding="utf-8")
    print(f"{len(troubles)} troubles.", *troubles, sep="\n  ")
    return 1 if troubles or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
