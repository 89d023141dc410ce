"""Run one analysis on the host, then on every backend that is installed, and compare.

The backends are found by their entry points: this script knows none of them by name.
"""

import argparse
import sys
import textwrap
import time
import warnings
from importlib.metadata import version
from typing import Any, NamedTuple

import example_host as eh
import numpy as np
from sklearn.datasets import load_digits

WIDTH = 96
# A step that takes no time is run until it has taken this long: quick ones are timed worst.
SECONDS_EACH = 0.2
HEADINGS = ("function", "ran on", "time", "host's time", "speed-up", "difference, or why not there")
LAYOUT = "  {:<18}  {:<14}  {:>9}  {:>11}  {:>8}  {}"
NEXT_STEPS = """
Differences are the largest found, as a share of the largest value; whole numbers are counted.
Where a backend has defaults of its own, they are named, and you may pass the host's instead.
kmeans begins at random: from fewer or other starts it ends in other groups.

What to try next
  Ask where a call would run, and why, before it does:
    eh.settings.explain(eh.pca, data, solver="randomized", backend="{0}")
  See what ran where, and keep it with the results:
    with eh.settings.trace() as trace: ...
    print(trace); trace.provenance()
  Name several, and the first that can take a call runs it:
    with eh.settings.use_backend({1}): ...
  Read what a backend adds to a function, once it is loaded:
    eh.settings.available_backends(); help(eh.kmeans)
  Choose without an edit to a script:
    EXAMPLE_HOST_BACKEND={0} python your_script.py
"""


class Row(NamedTuple):
    """How one step of the analysis went with a backend selected."""

    function: str
    ran_on: str
    seconds: float
    host_seconds: float
    outcome: str
    remarks: str = ""

    def __str__(self) -> str:
        times = (f"{duration * 1000:.1f} ms" for duration in (self.seconds, self.host_seconds))
        # Where the host ran, two times of the same code say nothing about speed.
        speed_up = "" if self.ran_on == "host" else f"{self.host_seconds / self.seconds:.1f} x"
        line = LAYOUT.format(self.function, self.ran_on, *times, speed_up, self.outcome).rstrip()
        return f"{line}\n      {self.remarks}" if self.remarks else line


def main() -> None:
    """Print a header, one table for each backend, and what to try next."""
    options = parsed_options()
    labels = options.backend or eh.settings.available_backends()
    digits = load_digits().data
    print(f"{len(digits)} handwritten digits of {digits.shape[1]} pixels, analysed with")
    releases = [f"{name} {version(name)}" for name in ("example-host", "scverse-backends", "numpy")]
    print(", ".join([*releases, f"Python {sys.version.split()[0]}"]))
    if not labels:
        sys.exit("No backend is installed. Try: pip install ./examples/example-host-accel")
    with eh.settings.use_backend("cpu"):
        steps = eh.pipeline(digits, n_jobs=2)
    for label in labels:
        print_comparison(label, steps, options.repeats)
    print(NEXT_STEPS.format(labels[0], ", ".join(f'"{label}"' for label in labels)), end="")


def parsed_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", nargs="*", help="labels to try (default: all installed)")
    parser.add_argument("--repeats", type=int, default=5, help="least runs, the quickest counts")
    return parser.parse_args()


def print_comparison(label: str, steps: list[eh.Step], repeats: int) -> None:
    """Run every step with a backend selected, and print how it compares with the host."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        # The table says what falls back, so the warnings need not.
        with eh.settings.use_backend(label, fallback="silent"):
            rows = [compared(step, repeats) for step in steps]
    print(f'\nsettings.use_backend("{label}")')
    for message in dict.fromkeys(str(warning.message) for warning in given):
        print(textwrap.fill(f"Warning: {message}", WIDTH))
    print(LAYOUT.format(*HEADINGS))
    print(*rows, sep="\n")
    totals = sum(row.seconds for row in rows), sum(row.host_seconds for row in rows)
    print(Row("all steps", "", *totals, ""))


def compared(step: eh.Step, repeats: int) -> Row:
    """Run a step, see where it ran, and compare time and result with the host's."""
    with eh.settings.trace() as trace:
        result = step.run()
    record = trace.records[0]
    times = quickest_times(step, repeats)
    if record.backend == "cpu":
        why = "; ".join(f"{refusal.backend} {refusal.reason}" for refusal in record.refusals)
        return Row(record.function, "host", *times, why)
    difference = difference_between(step.result, result)
    return Row(record.function, record.backend, *times, difference, remarks_on(record))


def remarks_on(record: Any) -> str:
    """Say what differs from a call on the host, as far as its user may care."""
    ignored = [f"{argument} is ignored" for argument in record.ignored]
    differing = [
        f"{default.parameter}={default.backend!r} (host: {default.host!r})"
        for default in record.differing_defaults
    ]
    return "; ".join(ignored + differing)


def quickest_times(step: eh.Step, repeats: int) -> tuple[float, float]:
    """Time a step as selected and on the host, the quickest of several runs each."""
    selected, host = [], []
    while len(host) < repeats or sum(host) < SECONDS_EACH:
        # They take turns, so that both meet whatever else the machine is doing.
        selected.append(seconds_of(step))
        with eh.settings.use_backend("cpu"):
            host.append(seconds_of(step))
    return min(selected), min(host)


def seconds_of(step: eh.Step) -> float:
    """Time one run."""
    start = time.perf_counter()
    step.run()
    return time.perf_counter() - start


def difference_between(expected: Any, result: Any) -> str:
    """Compare results: floats by their relative difference, whole numbers by counting."""
    if not isinstance(expected, tuple):
        expected, result = (expected,), (result,)
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(expected, result, strict=True)]
    relative = max(np.abs(a - b).max() / np.abs(a).max() for a, b in pairs if a.dtype.kind == "f")
    counts = [
        f"{np.count_nonzero(a != b)} of {a.size} differ" for a, b in pairs if a.dtype.kind == "i"
    ]
    return ", ".join([f"{relative:.0e}" if relative else "none", *counts])


if __name__ == "__main__":
    main()
