"""Decorate every public callable of the packages found installed, and say what became of them.

    python downstream/everything/run.py                 all that are known and installed here
    python downstream/everything/run.py numpy stdlib    these

It needs this library and the packages. Nothing of theirs is called. The exit status is 0 if at least 97
in 100 public functions are accepted, every refusal is of a known kind, and nothing that was accepted lost
anything.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from platform import python_version

KNOWN = {
    "stdlib": None,
    "Bio": "biopython",
    "MDAnalysis": "MDAnalysis",
    "anndata": "anndata",
    "ase": "ase",
    "astropy": "astropy",
    "dask": "dask",
    "decoupler": "decoupler",
    "jax": "jax",
    "joblib": "joblib",
    "matplotlib": "matplotlib",
    "msgspec": "msgspec",
    "networkx": "networkx",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "pydantic": "pydantic",
    "scanpy": "scanpy",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "squidpy": "squidpy",
    "statsmodels": "statsmodels",
    "sympy": "sympy",
    "trimesh": "trimesh",
    "xarray": "xarray",
    "zarr": "zarr",
}
"""Packages by the name under which they are imported, with their distributions."""

# What a refusal says, and why it has to be one.
REASONS = {
    "no signature": "has a signature that cannot be read: .*decorate a (function of yours|subclass)",
    "a generator that waits": "is (an asynchronous generator function|a generator function that is awaited)",
    "a property": "is a property",
    "built in": "is built in and stays what it is; decorate a subclass of it",
    "has subclasses": "has subclasses already, .*decorate it where it is defined",
    "an enumeration": "is an enumeration",
    "a protocol": "is a protocol, and cannot be constructed",
    "a typed dictionary": "is a typed dictionary",
    "a metaclass": "is a metaclass",
    "refused by its bases": "cannot be dispatched: ",
}
NEEDED_SHARE = 0.97
LONGEST = 300  # seconds for one package

SURVEY = Path(__file__).with_name("survey.py")
FAULTS = ("docstring", "attributes", "signature", "hints")
HEADINGS = ("", "", "found", "accepted", "no selector", "refused", *FAULTS, "other", "µs each")


def survey(package):
    """Survey one package in a process of its own."""
    command = [sys.executable, str(SURVEY), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    if done.returncode:
        sys.exit(f"{package} could not be surveyed:\n{done.stderr}")
    return json.loads(done.stdout)


def why(text):
    """Name the kind of a refusal; None for one that is not known."""
    return next((kind for kind, said in REASONS.items() if re.search(said, text, re.DOTALL)), None)


def row(title, kind, found):
    """Count what was found of the functions or classes of one package."""
    faults = Counter(one.partition(":")[0] for many in found["faulty"].values() for one in many)
    known = [faults.pop(name, 0) for name in FAULTS]
    taken = found["accepted"] + found["without selector"]
    each = 1e6 * found["seconds"] / max(found["accepted"], 1)
    counts = (taken + len(found["refused"]), found["accepted"], found["without selector"])
    return (title, kind, *counts, len(found["refused"]), *known, faults.total(), round(each))


def show(rows):
    """Print the table as Markdown."""
    for cells in (HEADINGS, ["---"] * 2 + ["--:"] * (len(HEADINGS) - 2), *rows):
        print(f"| {' | '.join(map(str, cells))} |")


def show_refusals(kind, refused):
    """Print how many were refused for which reason, and give those that nothing explains."""
    reasons = Counter(map(why, refused.values()))
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common() if reason)
    print(f"Refused {kind}: {told or 'none'}.")
    return [f"{name}: {text}" for name, text in refused.items() if why(text) is None]


def main():
    """Survey, print, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("packages", nargs="*", default=KNOWN, help="by the name of their import")
    wanted = parser.parse_args().packages
    found = {name: survey(name) for name in wanted if name == "stdlib" or find_spec(name)}
    show([row(title(name), kind, one[kind]) for name, one in found.items() for kind in one])
    print()
    troubles = []
    for kind in ("functions", "classes"):
        refused = {k: v for one in found.values() for k, v in one[kind]["refused"].items()}
        troubles += show_refusals(kind, refused)
        for one in found.values():
            faulty = one[kind]["faulty"].items()
            troubles += [f"{name}: {fault}" for name, faults in faulty for fault in faults]
    share = accepted(one["functions"] for one in found.values())
    print(f"{share:.1%} of the functions are accepted.")
    print(f"{len(troubles)} troubles.", *troubles, sep="\n  ")
    return 1 if troubles or share < NEEDED_SHARE else 0


def title(name):
    """Name a package with its release."""
    try:
        release = version(KNOWN.get(name) or name) if name != "stdlib" else python_version()
    except PackageNotFoundError:
        release = ""
    return f"{name} {release}".strip()


def accepted(many):
    """Give the share of functions that are accepted, at once or by the way out that was told."""
    taken = all_ = 0
    for one in many:
        here = one["accepted"] + one["without selector"]
        taken += here
        all_ += here + len(one["refused"])
    return taken / max(all_, 1)


if __name__ == "__main__":
    sys.exit(main())
