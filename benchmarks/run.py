"""Run every benchmark, print the table, and write it into ``tables.md``."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from installed import install
from rounds import in_turns

HERE = Path(__file__).parent
PAGE = HERE / "tables.md"
OURS = str(HERE.parent / "src")
OLD = "0.0.3"
PROCESSES = 5
SLOW_IMPORT = "import time\ntime.sleep(0.15)\n"


class Row(NamedTuple):
    """One line of the table: what was measured against what, and the most it may be."""

    path: str
    against: str
    ratio: float
    target: float | None
    measured: str


def child(script: str, *arguments: str) -> str:
    """Run one of the scripts beside this file in a process of its own."""
    ours = ("paths.py", "peers.py", "traced.py")
    environment = {**os.environ, "PYTHONPATH": OURS if script in ours else ""}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed library is compiled
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def shown(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    units = ((1e-3, 1e3, "ms"), (1e-6, 1e6, "µs"), (0.0, 1e9, "ns"))
    factor, unit = next(rest for least, *rest in units if seconds >= least)
    return f"{seconds * factor:.3g} {unit}"


def paths() -> list[Row]:
    """Compare each kind of call with a bare wrapper; the median of several processes."""
    found = [json.loads(child("paths.py")) for _ in range(PROCESSES)]

    def row(path: str, stage: str, call: str, against: str, target: float | None) -> Row:
        ratio = median(one[stage][call] / one[stage][against] for one in found)
        ours, theirs = (median(one[stage][name] for one in found) for name in (call, against))
        return Row(path, f"wrapper, {against}", ratio, target, f"{shown(ours)} / {shown(theirs)}")

    both = ("positional", "keyword")
    targets = {
        ("host path, nothing selected", "quiet"): (1.10, 1.15),
        ("host path after a block", "after a block"): (1.30, 1.30),
        ("warm backend path", "warm"): (2.5, 2.8),
    }
    rows = [
        row(f"{path}, {call}", stage, f"dispatched, {call}", call, target)
        for (path, stage), limits in targets.items()
        for call, target in zip(both, limits, strict=True)
    ]
    own = "warm backend path, the call's own `backend=`"
    rows.append(row(own, "own", "dispatched, own", "one positional, one keyword", 5))
    rows.append(row(own, "own", "dispatched, own", "positional", None))
    return rows


def releases(old: str | None) -> list[Row]:
    """Compare with the published release, and decorating with itself."""
    measures = {OURS: lambda: json.loads(child("release.py", OURS))}
    if old:
        measures[old] = lambda: json.loads(child("release.py", old, "short"))
    found = in_turns(measures, rounds=3)
    best = {
        folder: {name: min(one[name] for one in turns) for name in turns[0]}
        for folder, turns in found.items()
    }
    ours = best[OURS]
    few, many = ours["decorating 100"], ours["decorating 200"]
    measured = f"{shown(many)} / {shown(few)}"
    rows = [Row("decorating 200 functions", "decorating 100", many / few, 2.2, measured)]
    targets = {
        "warm, one argument": 1 / 100,
        "warm, three of ten": 1 / 100,
        "warm, three of ten, two keywords": 1 / 100,
        "with use_backend(x): pass": 1 / 4,
        "decorating a function of ten parameters": 1 / 2,
    }
    for name, target in targets.items() if old else ():
        measured = f"{shown(ours[name])} / {shown(best[old][name])}"
        rows.append(Row(name, f"release {OLD}", ours[name] / best[old][name], target, measured))
    return rows


def starts(old: str) -> list[Row]:
    """Compare what a host with 24 functions adds to a bare interpreter's start."""

    def start(what: str) -> float:
        begun = processor_time()
        child("start.py", what)
        return processor_time() - begun

    cases = {what: lambda what=what: start(what) for what in ("bare", OURS, old)}
    in_turns(cases, rounds=1)  # compiles what is not compiled yet
    turns = in_turns(cases, rounds=30)
    bare, ours, theirs = (min(turns[what]) for what in cases)
    measured = f"{shown(ours - bare)} / {shown(theirs - bare)}"
    ratio = (ours - bare) / (theirs - bare)
    return [Row("import and 24 decorations", f"release {OLD}", ratio, 0.45, measured)]


def firsts() -> list[Row]:
    """Compare what is done once in a process with what it cannot do without."""

    def compare(path: str, what: str, against: str, other: str, target: float) -> Row:
        cases = {
            name: lambda name=name: float(child("first.py", OURS, folder, name))
            for name in (what, against)
        }
        turns = in_turns(cases, rounds=12)
        one, two = min(turns[what]), min(turns[against])
        return Row(path, other, one / two, target, f"{shown(one)} / {shown(two)}")

    with TemporaryDirectory() as folder:
        for number in range(10):
            name = f"accel{number}"
            install(Path(folder), f"bench_{name}", name, before=SLOW_IMPORT)
        path = "first call on one of ten backends"
        rows = [compare(path, "call", "import", "that one import", 1.25)]
    with TemporaryDirectory() as folder:
        for number in range(1000):
            backend = f"accel{number}" if number < 10 else None
            install(Path(folder), f"bench_accel{number}", backend)
        path = "a trusted label among 1,000 distributions"
        rows.append(compare(path, "label", "metadata", "`entry_points(group=…)`", 1.2))
    return rows


def traces() -> list[Row]:
    """Compare what a trace adds to a call with what it may add."""
    found = json.loads(child("traced.py"))["seconds"]
    return [
        Row(f"what a trace adds to a call {case}", "3 µs", added / 3e-6, 1.0, shown(added))
        for case, added in found.items()
    ]


def peers() -> list[Row]:
    """Compare the host path with other ways to dispatch."""
    found = json.loads(child("peers.py"))
    return [
        Row(
            "host path",
            peer,
            found["scverse-backends"] / seconds,
            1.0,
            f"{shown(found['scverse-backends'])} / {shown(seconds)}",
        )
        for peer, seconds in found.items()
        if not peer.startswith("scverse")
    ]


def processor_time() -> float:
    """Add up the processor time of all children so far, which other work disturbs less."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def published(folder: str) -> str | None:
    """Install the published release into a folder of its own, where its Python allows."""
    if sys.version_info < (3, 12):
        return None
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder]
    subprocess.run([*pip, f"scverse-backends=={OLD}"], check=True)
    return folder


def section(rows: list[Row]) -> str:
    """Write the table of one interpreter."""
    machine = f"{platform.system()}, {processor()}, {os.cpu_count()} cores"
    named = ", ".join(f"{name} {version(name)}" for name in ("plum-dispatch", "pluggy", "networkx"))
    lines = [
        f"## CPython {platform.python_version()}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}; {machine}; {named}.",
        "",
        "| path | against | ratio | at most | met | measured |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        target = "" if row.target is None else f"{row.target:.3g}"
        met = "" if row.target is None else ("yes" if row.ratio <= row.target else "no")
        lines.append(
            f"| {row.path} | {row.against} | {row.ratio:.3g} | {target} | {met} | {row.measured} |"
        )
    return "\n".join(lines) + "\n"


def processor() -> str:
    """Name the processor."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def write(text: str) -> None:
    """Put the table of this interpreter into the page, in place of an earlier one."""
    title = text.partition("\n")[0].rpartition(".")[0]
    head, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    kept = [f"## {one.strip()}\n" for one in sections if not f"## {one}".startswith(title)]
    PAGE.write_text("\n".join([head.strip() + "\n", *sorted([*kept, text])]), encoding="utf-8")


def main() -> None:
    with TemporaryDirectory() as folder:
        old = published(folder)
        rows = [
            *paths(),
            *releases(old),
            *(starts(old) if old else ()),
            *firsts(),
            *peers(),
            *traces(),
        ]
    text = section(rows)
    print(text)
    write(text)


if __name__ == "__main__":
    main()
