"""Tables and plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from anndata import AnnData
from matplotlib.figure import Figure
from provenance import why

HEADINGS = ("function", "selected", "ran on", "time", "scanpy", "difference", "why there")


class Row(NamedTuple):
    """How one step went with a backend selected."""

    function: str
    selected: str
    ran_on: str
    seconds: float
    host_seconds: float
    difference: str
    why: str

    @classmethod
    def of(cls, selected: str, host: Any, record: Any, difference: str) -> Row:
        """Put together what the traces tell of a step."""
        ran_on = "scanpy" if record.backend == "cpu" else record.backend
        times = record.duration, host.duration
        return cls(record.function, selected, ran_on, *times, difference, why(record))

    def cells(self) -> tuple[str, ...]:
        """Write every value as the table shows it."""
        times = (duration(self.seconds), duration(self.host_seconds))
        return (*self[:3], *times, self.difference, self.why)


def duration(seconds: float) -> str:
    """Write a time with the digits that mean something."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def text_table(rows: Iterable[Row]) -> str:
    """Write a table for a terminal."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown_table(rows: Iterable[Row]) -> str:
    """Write a table for documentation."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plot_side_by_side(panels: Mapping[str, AnnData], basis: str, path: Path) -> None:
    """Draw an embedding as everybody computed it, coloured by what is known of the cells."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, len(panels), sharex=True, sharey=True)
    for axis, (name, adata) in zip(axes, panels.items(), strict=True):
        axis.set(title=name, xticks=[], yticks=[], xlabel=f"{basis} 1", ylabel=f"{basis} 2")
        scatter(axis, adata, basis)
        axis.label_outer()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", markerscale=4)
    figure.savefig(path, dpi=90, pil_kwargs={"optimize": True})


def scatter(axis: mpl.axes.Axes, adata: AnnData, basis: str) -> None:
    """Draw the cells of each group; of very many, every so many."""
    labels = next(adata.obs[key] for key in ("bulk_labels", "group") if key in adata.obs)
    shown = np.arange(adata.n_obs) % max(1, adata.n_obs // 10_000) == 0
    for label, color in zip(labels.cat.categories, mpl.color_sequences["tab10"], strict=False):
        points = adata.obsm[f"X_{basis}"][shown & (labels == label).to_numpy()]
        axis.plot(*points[:, :2].T, ".", color=color, markersize=1.5, label=label)
