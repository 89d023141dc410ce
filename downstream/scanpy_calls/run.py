"""Send the calls of scanpy's own tutorials to two versions of rapids-singlecell; tell where they run.

    python downstream/scanpy_calls/run.py            print the tables
    python downstream/scanpy_calls/run.py --write    write them for the documentation

Neither package is needed: functions that have their signatures, and do nothing but note what reaches
them, stand in for theirs. Each argument of each call is followed. The exit status is 1 if one is lost,
or if the tables are not those in the documentation.
"""

import argparse
import difflib
import functools
import importlib
import inspect
import math
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

from scanpy_side import HOST_WIDE, PER_FUNCTION

from scverse_backends import BackendDispatcher

HERE = Path(__file__).parent
TABLES = HERE / "tables.md"
FACTS = tomllib.loads((HERE / "signatures.toml").read_text(encoding="utf-8"))
CALLS = [
    line.split(" ", 1)
    for line in (HERE / "calls.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
ONE_PARAMETER = {"random_state", "rng"}
DECLINED_OTHERWISE = {"directed": False}  # by the adapter's `can_run`


class Setup(NamedTuple):
    """What is configured, and whether scanpy's decorator for old names stands outside of ours."""

    title: str
    outside: bool
    host_wide: dict
    per_function: dict
    is_written_out: bool

    @property
    def order(self):
        """Say which decorator is the outermost."""
        return "scanpy's for old names" if self.outside else "ours"


def setups():
    """Give the ways to configure the two, from the shortest to the one that is written out."""
    short = {name: HOST_WIDE[name] for name in ("entrypoint_group", "host_name", "ignorable")}
    aliased = {**short, "parameter_aliases": HOST_WIDE["parameter_aliases"]}
    for outside in (True, False):
        yield Setup("`ignorable` alone", outside, short, {}, is_written_out=False)
        yield Setup("and `parameter_aliases`", outside, aliased, {}, is_written_out=False)
        yield Setup("all of the above", outside, HOST_WIDE, PER_FUNCTION, is_written_out=True)


class Seed:
    """What scanpy's decorator makes of a ``random_state``, or of none."""


def accepting_random_state(function):
    """Do as scanpy's decorator does: take the old name too, and always give the new one."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        if kwargs.keys() >= ONE_PARAMETER:
            msg = "give rng or random_state"
            raise TypeError(msg)
        kwargs.pop("random_state", None)
        return function(*args, **{"rng": Seed(), **kwargs})

    return wrapper


def noting(name, signature, received):
    """Make a function that has a signature, and notes what it gets by name."""
    scope = {
        # Each library's own mark for what its settings decide.
        "Default": type("Default", (), {"__init__": lambda *args, **kwargs: None}),
        "MappingProxyType": MappingProxyType,
        "np": SimpleNamespace(inf=math.inf, float32="float32", float64="float64"),
        "_empty": object(),
        "note": received.update,
    }
    bare = name.rpartition(".")[2]
    exec(f"def {bare}{signature}:\n    note(locals())", scope)  # noqa: S102 - text of this folder
    return scope[bare]


def namespaces(functions):
    """Give functions in the namespaces in which users find them."""
    spaces = {}
    for name, function in functions.items():
        space, _, bare = name.partition(".")
        setattr(spaces.setdefault(space, SimpleNamespace()), bare, function)
    return spaces


def scanpy(setup, received):
    """Make a scanpy; give its dispatcher, and its functions as users call them."""
    dispatcher = BackendDispatcher(**setup.host_wide, fallback="silent")
    functions = {}
    for name, signature in FACTS["scanpy"].items():
        function = noting(name, signature, received)
        ours = dispatcher.backend_dispatch(name=name, **setup.per_function.get(name, {}))
        theirs = accepting_random_state if name in FACTS["legacy"] else lambda func: func
        functions[name] = theirs(ours(function)) if setup.outside else ours(theirs(function))
    return dispatcher, namespaces({**functions, "tl.pca": functions["pp.pca"]})


def rapids(version, setup, received):
    """Make the adapter of a version: with what rapids would write, or its functions alone."""
    signatures = FACTS["rapids"][version]
    spaces = namespaces({name: noting(name, signatures[name], received) for name in signatures})
    if not setup.is_written_out:
        return SimpleNamespace(name="rapids-singlecell", fixed={}, **spaces)
    sys.modules["rapids_singlecell"] = SimpleNamespace(**spaces)
    sys.modules.pop("rapids_side", None)
    return importlib.import_module("rapids_side")


class Outcome(NamedTuple):
    """Where the calls of the tutorials ran."""

    on_backend: int
    on_host: Counter
    """How often which call ran on scanpy, and why."""
    ignored: Counter
    """How often which argument was ignored, because scanpy allows it."""


def send(setup, version):
    """Make every call with rapids selected."""
    host, backend = {}, {}
    dispatcher, spaces = scanpy(setup, host)
    adapter = rapids(version, setup, backend)
    dispatcher.register(adapter)
    found = Outcome(0, Counter(), Counter())
    for times, call in CALLS:
        host.clear()
        backend.clear()
        selected, trace = (
            dispatcher.settings.use_backend("rapids-singlecell"),
            dispatcher.settings.trace(),
        )
        with selected, trace:
            eval(call, {**spaces, "adata": "data", "it": "it"})  # noqa: S307 - as above
        (record,) = trace.records
        if record.backend == "cpu":
            found.on_host[call, record.refusals[0].reason] += int(times)
            check(call, {**host}, {})
        else:
            found = found._replace(on_backend=found.on_backend + int(times))
            found.ignored.update(dict.fromkeys(record.ignored, int(times)))
            honoured = {**DECLINED_OTHERWISE, **adapter.fixed.get(record.function, {})}
            ignored = dict.fromkeys(record.ignored, ...)
            check(call, {**backend}, {**honoured, **ignored})
    return found


def check(call, received, honoured):
    """Refuse to go on if an argument of a call did not arrive, and is not honoured otherwise."""
    for name in ("kwargs", "kwds", "clustering_args"):
        received.update(received.pop(name, {}))
    for name, value in given(call).items():
        names = ONE_PARAMETER if name in ONE_PARAMETER else {name}
        arrived = [received[one] for one in names if one in received]
        otherwise = name in honoured and honoured[name] in (value, ...)
        if not (otherwise or any(type(one) is Seed or one == value for one in arrived)):
            sys.exit(f"{call} lost {name}={value!r}: {received}")


def given(call):
    """Give the arguments of a call by scanpy's names."""
    name, _, arguments = call.partition("(")
    function = noting("f", FACTS["scanpy"][name.replace("tl.pca", "pp.pca")], {})
    args, kwargs = eval(  # noqa: S307 - as above
        f"both({arguments}", {"both": lambda *a, **k: (a, k), "adata": "data", "it": "it"}
    )
    return {**inspect.signature(function).bind_partial(*args).arguments, **kwargs}


def tables():
    """Write the tables, line by line."""
    versions = [*FACTS["rapids"]]
    found = [(setup, [send(setup, version) for version in versions]) for setup in setups()]
    total = sum(int(times) for times, _ in CALLS)
    yield f"| configured | outermost decorator | {' | '.join(versions)} |"
    yield "| --- | --- | --- | --- |"
    for setup, outcomes in found:
        counts = " | ".join(f"{one.on_backend} of {total}" for one in outcomes)
        yield f"| {setup.title} | {setup.order} | {counts} |"
    _, outcomes = next(pair for pair in found if pair[0].is_written_out)
    yield "\nWith all of the above and scanpy's decorator outermost, these stay with scanpy:\n"
    yield f"| calls | call | {' | '.join(versions)} |"
    yield "| --- | --- | --- | --- |"
    why = {key: times for outcome in outcomes for key, times in outcome.on_host.items()}
    for (call, reason), times in why.items():
        cells = [reason if (call, reason) in one.on_host else "runs there" for one in outcomes]
        yield f"| {times} | `{call}` | {' | '.join(cells)} |"
    for version, outcome in zip(versions, outcomes, strict=True):
        said = ", ".join(f"`{name}` in {times} calls" for name, times in outcome.ignored.items())
        yield f"\nIgnored on {version}, as scanpy allows: {said}."


def main():
    """Print or write the tables, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write them for the documentation")
    text = "".join(f"{line}\n" for line in tables())
    print(text, end="")
    if parser.parse_args().write:
        TABLES.write_text(text, encoding="utf-8")
    written = TABLES.read_text(encoding="utf-8")
    for line in difflib.unified_diff(written.splitlines(), text.splitlines(), "documented", "now"):
        print(line, file=sys.stderr)
    return int(written != text)


if __name__ == "__main__":
    sys.exit(main())
