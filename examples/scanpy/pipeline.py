"""One analysis on scanpy's own code, on PyTorch and on Dask, step by step and side by side.

First 700 cells that ship with scanpy, then synthetic counts of as many as you like: in memory for
scanpy and PyTorch, on disk for Dask. Writes a table of times and differences, plots, and for each
data set and backend an .h5ad file whose ``uns["scverse_backends"]`` says what ran where.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import scanpy as sc
import scanpy_host  # noqa: F401  scanpy's functions are dispatched from here on
from analysis import SHIPPED, SYNTHETIC, Data, Step
from anndata import AnnData
from comparison import largest_difference
from provenance import save_and_read_back, versions
from report import Row, markdown_table, plot_side_by_side, text_table

SELECTIONS = {"host": "cpu", "torch": "torch", "dask": "dask"}


def main() -> None:
    """Analyse each data set and write what came out."""
    options = parsed_options()
    options.out.mkdir(parents=True, exist_ok=True)
    # What scanpy deprecates, and who makes a sparse matrix dense, is not what this is about.
    warnings.simplefilter("ignore")
    datasets = [SHIPPED] if options.small_only else [SHIPPED, SYNTHETIC]
    tables = {data.name: analysed(data, options) for data in datasets}
    for name, rows in tables.items():
        (options.out / f"{name}.md").write_text(f"{markdown_table(rows)}\n{made_with()}.\n")
        print(f"\n{name}\n{text_table(rows)}")
    print(f"\n{made_with()}.")


def made_with() -> str:
    """Name the versions in one sentence."""
    return "With " + ", ".join(f"{name} {release}" for name, release in versions().items())


def parsed_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small-only", action="store_true", help="leave the synthetic data out")
    parser.add_argument("--cells", type=int, default=200_000, help="size of the synthetic data")
    parser.add_argument("--out", type=Path, default=Path("scanpy-comparison"), help="folder")
    parser.add_argument(
        "--device", help="where PyTorch computes, such as cuda:0 (default: its own)"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of the small data, best counts"
    )
    return parser.parse_args()


def analysed(data: Data, options: argparse.Namespace) -> list[Row]:
    """Analyse one data set everywhere, in turns; give a row for each step and backend."""
    path = data.written_to(options.out, options.cells)
    runs = [
        Comparison(data, path, options.device) for _ in range(options.repeats if data.small else 1)
    ]
    rows = quickest([list(run.rows()) for run in runs])
    last = runs[-1].participants
    for basis in data.embeddings:
        plot_side_by_side(
            {one.name: one.adata for one in last}, basis, options.out / f"{data.name}_{basis}.png"
        )
    for one in last:
        saved = save_and_read_back(
            one.adata, one.trace, options.out / f"{data.name}_{one.name}.h5ad"
        )
        report_progress(f"{data.name}: provenance of {len(one.trace)} calls read back from {saved}")
    return rows


@dataclass
class Participant:
    """One selection, the data as it analyses them, and what it did."""

    name: str
    adata: AnnData
    device: str | None
    trace: Any = field(default_factory=sc.settings.trace)

    def take(self, step: Step) -> Any:
        """Make one call, and give what the trace tells of it."""
        number = len(self.trace)
        with sc.settings.use_backend(SELECTIONS[self.name], fallback="silent"), self.trace:
            result = step.function(self.adata, **step.options, **self.own_options(step))
        self.adata = step.finish(self.adata, result)
        return self.trace.records[number]

    def own_options(self, step: Step) -> dict[str, str]:
        """Name the device to PyTorch, where it will take the step."""
        decision = sc.settings.explain(step.function, self.adata, **step.options)
        chosen = self.device and decision.backend == "scanpy-torch"
        return {"device": self.device} if chosen else {}


class Comparison:
    """Everybody's analysis of one data set, a step at a time."""

    def __init__(self, data: Data, path: Path, device: str | None) -> None:
        self.data = data
        self.participants = [
            Participant(name, data.opened(path, lazily=name == "dask"), device)
            for name in SELECTIONS
        ]

    def rows(self) -> Iterator[Row]:
        """Let everybody take each step, and compare what came out with the host's result."""
        host, *others = self.participants
        for number, step in enumerate(self.data.steps, start=1):
            report_progress(f"{self.data.name} {number}/{len(self.data.steps)}: {step.name}")
            expected = host.take(step)
            for other in others:
                record = other.take(step)
                difference = largest_difference(host.adata, other.adata, step.writes)
                yield Row.of(other.name, expected, record, difference)


def quickest(runs: list[list[Row]]) -> list[Row]:
    """Take the shortest of several times; everything else is the same in every run."""
    return [
        same[-1]._replace(
            seconds=min(row.seconds for row in same),
            host_seconds=min(row.host_seconds for row in same),
        )
        for same in zip(*runs, strict=True)
    ]


def report_progress(message: str) -> None:
    """Say on standard error what is being done."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
