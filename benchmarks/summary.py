"""Summary: what one call costs, ours and others', in bare wrappers; draws ``docs/benchmarks.svg``.

It needs Python 3.12 or later, for release 0.0.3, and what `run.py` and `scaling.py` need.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
from run import OLD, OURS, child, published

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "summary"  # the same drawing twice is the same file
from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

PICTURE = Path(__file__).parents[1] / "docs" / "benchmarks.svg"
BARE, DISPATCHED, WARM = "positional", "dispatched, positional", "warm, one argument"


def measure() -> dict[str, float]:
    """Give the cost of a call of one argument each way, beside that of a bare wrapper."""
    paths, peers = json.loads(child("paths.py")), json.loads(child("peers.py"))
    host = paths["quiet"][DISPATCHED] / paths["quiet"][BARE]
    warm = paths["warm"][DISPATCHED] / paths["warm"][BARE]
    with TemporaryDirectory() as folder:
        ours = json.loads(child("release.py", OURS, "short"))[WARM]
        old = json.loads(child("release.py", str(published(folder)), "short"))[WARM]
    others = {name: host * cost / peers["scverse-backends"] for name, cost in peers.items()}
    return {
        "bare functools.wraps wrapper": 1.0,
        "scverse-backends, nothing selected": host,
        "scverse-backends, on a backend": warm,
        **{name: cost for name, cost in others.items() if not name.startswith("scverse")},
        f"release {OLD}, on a backend": warm * old / ours,
    }


def main() -> None:
    """Print the costs, and draw them."""
    found = measure()
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    ours = [name.startswith("scverse") for name in found]
    colours = ["#1f77b4" if one else "#b0b0b0" for one in ours]
    bars = axes.barh([*found], [*found.values()], color=colours, log=True)
    axes.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="cost of a call, in bare wrappers (logarithmic)", xlim=(0.5, 1000))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})
    for name, cost in found.items():
        print(f"{name}: {cost:.3g}")


if __name__ == "__main__":
    main()
