"""Mutate the core, a place at a time, and show which mutants no test notices.

``python tests/mutation/run.py`` mutates every module that `MODULES` lists, and
``python tests/mutation/run.py _ground.labels _backends.trust`` those two, in copies of the
checkout that are thrown away. ``--every 10`` takes every tenth mutant, and a tenth of the time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any, NamedTuple

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
from judge import EQUIVALENT, UNREAD

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
MODULES = (
    "_ground.labels",
    "_ground.docstrings",
    *(f"_backends.{name}" for name in ("discovery", "facts", "index", "inventory", "load_lock")),
    *(f"_backends.{name}" for name in ("loading", "reading", "registry", "trust")),
    *(f"_selection.{name}" for name in ("blocks", "selector", "state")),
    *(f"_routing.{name}" for name in ("arrival", "decisions", "defaults", "execution")),
    *(f"_routing.{name}" for name in ("functions", "host", "nesting", "parameters")),
    *(f"_routing.{name}" for name in ("resolution", "routes")),
)
# Interrupts are tried in one place, and addresses of projects are asked for by the documentation alone.
TESTS = (
    "tests/unit",
    "tests/hostile/test_faults.py",
    "tests/integration/documentation/test_role.py",
    "src",
)
ENOUGH = 0.95


class Score(NamedTuple):
    """What became of the mutants of one module."""

    module: str
    killed: int
    equivalent: int
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """Say which part of those that are not equivalent was killed."""
        judged = self.killed + len(self.survivors)
        return self.killed / judged if judged else 1.0

    def __str__(self) -> str:
        mutants = self.killed + self.equivalent + len(self.survivors)
        return (
            f"| `{self.module}` | {mutants} | {self.equivalent} | {self.killed} | "
            f"{len(self.survivors)} | {self.share:.1%} |"
        )


def prepare(folder: Path) -> Path:
    """Copy the checkout, and find out there which tests reach which line."""
    copy, root = folder / "copy", HERE.parent.parent
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=root, text=True)
    for name in filter(None, listed.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy / name)
    shutil.copytree(copy / "src" / "scverse_backends", copy / "original")
    # By this cosmic-ray finds our operators.
    plugin = copy / "tests" / "mutation" / "operators-1.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: operators\nVersion: 1\n")
    (plugin / "entry_points.txt").write_text(
        "[cosmic_ray.operator_providers]\nours = operators:Provider\n"
    )
    measured = "--rcfile=tests/mutation/coveragerc"
    run(copy, "coverage", "run", measured, "-m", "pytest", "-qx", "-p", "reach", *TESTS)
    run(copy, "coverage", "combine", "-q", measured)
    run(copy, "reach")
    return copy


def run(copy: Path, module: str, *arguments: Any) -> None:
    """Run a module as it is seen from a copy."""
    places = [str(copy / "src"), str(copy / "tests" / "mutation")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, cwd=copy, env=environment, check=True)


def mutate(copy: Path, module: str, every: int) -> Score:
    """Make the mutants of a module, and judge each, or every second, third…"""
    session, configuration = copy / f"{module}.sqlite", copy / f"{module}.toml"
    template = copy / "tests" / "mutation" / "cosmic-ray.toml"
    text = template.read_text(encoding="utf-8")
    configuration.write_text(
        text.replace("MODULE", module.replace(".", "/")).replace("PYTHON", sys.executable),
        encoding="utf-8",
    )
    run(copy, "cosmic_ray.cli", "init", configuration, session)
    run(copy, "cosmic_ray.tools.filters.operators_filter", session, configuration)
    leave_out(session, every)
    run(copy, "cosmic_ray.cli", "exec", configuration, session)
    return score(module, session)


def leave_out(session: Path, every: int) -> None:
    """Leave all mutants out but every second, third…, of those that are left."""
    left_out = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
    with use_db(session, WorkDB.Mode.open) as database:
        for number, item in enumerate([*database.pending_work_items]):
            if number % every:
                database.set_result(item.job_id, left_out)


def score(module: str, session: Path) -> Score:
    """Read what became of the mutants."""
    found: Counter[str] = Counter()
    survivors = []
    with use_db(session, WorkDB.Mode.open) as database:
        for _, result in database.completed_work_items:
            said = (result.output or "").strip().rpartition("\n")[2]
            if result.test_outcome is None or said == UNREAD:
                continue
            if result.test_outcome is TestOutcome.SURVIVED and said != EQUIVALENT:
                survivors.append(result.diff)
            else:
                found[EQUIVALENT if said == EQUIVALENT else "killed"] += 1
    return Score(module, found["killed"], found[EQUIVALENT], tuple(survivors))


def judge(copies: Queue[Path], module: str, every: int) -> Score:
    """Mutate one module in whichever copy is free."""
    copy = copies.get()
    try:
        done = mutate(copy, module, every)
    finally:
        copies.put(copy)
    print(*done.survivors, done, sep="\n", flush=True)
    return done


def gone() -> list[str]:
    """Name the lines that are listed as equivalent and stand nowhere any more."""
    listed = tomllib.loads(Path(HERE, "equivalent.toml").read_text(encoding="utf-8"))["equivalent"]
    sources = HERE.parents[1] / "src" / "scverse_backends"
    texts = {
        one["module"]: Path(sources, f"{one['module'].replace('.', '/')}.py") for one in listed
    }
    found = {name: " ".join(path.read_text().split()) for name, path in texts.items()}
    return [one["was"] for one in listed if one["was"] not in found[one["module"]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Mutate, and tell; fails where too many mutants survive."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--workers", type=int, default=2, help="how many copies to work in")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="take each Nth mutant only"
    )
    chosen = parser.parse_args(arguments)
    if stale := gone():
        parser.error(f"equivalent.toml lists what stands nowhere any more: {stale}")
    with tempfile.TemporaryDirectory() as folder:
        copies: Queue[Path] = Queue()
        first = prepare(Path(folder))
        for number in range(chosen.workers):
            copies.put(shutil.copytree(first, Path(folder, f"worker-{number}")))
        with ThreadPoolExecutor(chosen.workers) as pool:
            scores = [*pool.map(lambda one: judge(copies, one, chosen.every), chosen.modules)]
    print(
        "| module | mutants | equivalent | killed | survived | score |", "|-|-|-|-|-|-|", sep="\n"
    )
    print(*scores, sep="\n")
    return int(min(one.share for one in scores) < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
